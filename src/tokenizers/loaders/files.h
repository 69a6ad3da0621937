// Where a tokenizer's files come from: a folder, a repository revision, or memory in tests.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/source/source.h"

namespace hearth::tokenizers {

class TokenizerFiles {
 public:
  virtual ~TokenizerFiles() = default;
  // nullptr when there is no such file.
  virtual std::unique_ptr<ByteSource> Open(std::string_view name) const = 0;
  virtual std::vector<std::string> Names() const = 0;

  // The whole file; nullopt when there is none. Throws Error{kTooLarge} above `kMaxBytes`.
  std::optional<std::string> Read(std::string_view name) const;
  // The first name that ends with `suffix`, in alphabetical order.
  std::optional<std::string> FindBySuffix(std::string_view suffix) const;
  // tokenizer_config.json; an empty object when there is none.
  Json Config() const;

  // The largest real ones (tokenizer.json with 500,000 merges) are below 40 MB.
  static constexpr uint64_t kMaxBytes = 256u << 20;
};

// The regular files of a folder, or one file alone, which loaders find by its content, under the
// name that its kind usually has. Throws Error{kNotFound} when there is nothing at `path`.
class FolderFiles : public TokenizerFiles {
 public:
  explicit FolderFiles(std::filesystem::path path);
  std::unique_ptr<ByteSource> Open(std::string_view name) const override;
  std::vector<std::string> Names() const override;

 private:
  std::filesystem::path folder_;
  std::string only_;  // the one file; empty for a whole folder
  std::string kind_;  // the name that it is found under
};

// Holds the contents.
class MemoryFiles : public TokenizerFiles {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> contents)
      : contents_(std::move(contents)) {}
  std::unique_ptr<ByteSource> Open(std::string_view name) const override;
  std::vector<std::string> Names() const override;

 private:
  std::map<std::string, std::string> contents_;
};

}  // namespace hearth::tokenizers
