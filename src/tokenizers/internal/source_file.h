// A tokenizer's file on disk (a tokenizer.json, or what is read as one), and what tells whether it
// is still the same: device, inode, size and the times of the last change of its bytes and of its
// inode.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "tokenizers/internal/page_memory.h"

namespace hearth::tokenizers::internal {

struct SourceFile {
  PageVector<char> bytes;
  Sha256 identity;
  // How long before the reading the file was last changed. A file can change twice within one tick
  // of its clock, so an identity that is younger than a few ticks says little.
  std::chrono::nanoseconds unchanged_for{0};

  std::string_view text() const { return {bytes.data(), bytes.size()}; }
};

// nullopt when there is no such file.
std::optional<Sha256> FindSourceIdentity(const std::filesystem::path& path);
// A file of at most 1 GiB (Error{kTooLarge}). Throws what reading throws. With `read`, the text
// that it makes of the file, of any size, in place of the file's.
using ReadText = std::function<std::string(const std::filesystem::path&)>;
SourceFile ReadSource(const std::filesystem::path& path, const ReadText& read = nullptr);

}  // namespace hearth::tokenizers::internal
