// Names of models on a hub, as command lines and programs write them:
// owner/name[@revision][:file.gguf].
//
// A name becomes parts of addresses and of file names in a cache, so what could lead out of either
// is refused here. Pure. Errors: kInvalidArgument.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::client {

struct ModelId {
  std::string repository;  // "owner/name"
  std::string revision = "main";
  std::string file;  // of several .gguf files, by its path; empty: the repository's model

  std::string Text() const;  // as it is written
};

// nullopt for what has another shape than owner/name (a path, a single word); throws for an id
// whose revision or file cannot be.
std::optional<ModelId> ParseModelId(std::string_view text);

// A relative path without "." and "..", control characters and backslashes: one that names the same
// file inside a repository, an address and a folder.
bool IsPlainPath(std::string_view path);
// Forty digits of hex in lower case.
bool IsCommit(std::string_view revision);

}  // namespace hearth::client
