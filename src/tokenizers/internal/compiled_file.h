// A file of numbered sections, to be mapped: tables as they lie in memory, each at a multiple of 64
// bytes. Numbers are little-endian (a machine of the other order refuses the magic).
//
//   magic "HTOKC\1\r\n", version, number of sections, size of the file, what it was made of,
//   checksum of all this and of the list of sections: kind, offset, size, checksum
//
// Not an exchange format: files of another version are made again. Checksums find damage, not
// malice: whoever reads a section must stay within bounds whatever it holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace hearth::tokenizers::internal {

class CompiledFile {
 public:
  // Changes with the layout of any section, the hash functions and the splitting rules.
  static constexpr uint32_t kVersion = 5;

  struct Section {
    uint32_t kind;
    std::string_view bytes;
  };

  // Durably, in place of what is there. Throws what writing throws.
  static void Write(const std::filesystem::path& path, const Sha256& made_of,
                    std::span<const Section> sections);
  // nullptr when the file is missing, not this user's, of another version, made of something else,
  // or has another size or head than it was written with. The file may be replaced or removed while
  // it is mapped, but not changed in place.
  static std::shared_ptr<const CompiledFile> Map(const std::filesystem::path& path,
                                                 const Sha256& made_of);
  ~CompiledFile();
  CompiledFile(const CompiledFile&) = delete;
  CompiledFile& operator=(const CompiledFile&) = delete;

  // nullopt when there is no such section, or it is damaged. Reads all of it.
  std::optional<std::string_view> Find(uint32_t kind) const;
  // The same as an array; nullopt also when the size is no multiple.
  template <typename T>
  std::optional<std::span<const T>> FindArray(uint32_t kind) const {
    auto bytes = Find(kind);
    if (!bytes || bytes->size() % sizeof(T) != 0) return std::nullopt;
    return std::span(reinterpret_cast<const T*>(bytes->data()), bytes->size() / sizeof(T));
  }

 private:
  CompiledFile() = default;
  bool Check(const Sha256& made_of);

  const char* memory_ = nullptr;
  size_t size_ = 0;
};

template <typename T>
std::string_view BytesOf(std::span<const T> array) {
  return {reinterpret_cast<const char*>(array.data()), array.size_bytes()};
}

}  // namespace hearth::tokenizers::internal
