// The large tables of a segment encoder as they lie in memory, so that a compiled tokenizer keeps
// them and the next process maps them instead of making them again.
//
// Nothing in a kept table is trusted: who takes one checks that reading it stays within bounds, and
// makes the table anew where it does not. Tables say nothing about each other's kind, so each kind
// has one layout; a change of one is a change of CompiledFile::kVersion.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

enum class EncoderTable : uint32_t {
  kTokenTrie,   // DoubleArray::Unit
  kPairs,       // MetaspaceMerges: pairs with their ranks
  kMergedIds,   // ... ids by rank
  kJoins,       // ... one JoinTable
  kCharacters,  // ... code point and id
};
constexpr uint32_t kEncoderTables = 5;

// What an encoder gives to be kept; it lives as long as the encoder.
using EncoderTableList = std::vector<std::pair<EncoderTable, std::string_view>>;

// What was kept. Empty: nothing was.
class KeptTables {
 public:
  // nullopt for a table that is not there or is damaged.
  using Find = std::function<std::optional<std::string_view>(EncoderTable)>;

  KeptTables() = default;
  // `owner` keeps the memory of what `find` gives, at multiples of 64 bytes.
  KeptTables(Find find, std::shared_ptr<const void> owner)
      : find_(std::move(find)), owner_(std::move(owner)) {}

  // nullopt also when the size is no multiple of an element's.
  template <typename T>
  std::optional<std::span<const T>> FindArray(EncoderTable table) const {
    if (!find_) return std::nullopt;
    std::optional<std::string_view> bytes = find_(table);
    if (!bytes || bytes->size() % sizeof(T) != 0) return std::nullopt;
    return std::span(reinterpret_cast<const T*>(bytes->data()), bytes->size() / sizeof(T));
  }
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  Find find_;
  std::shared_ptr<const void> owner_;
};

template <typename T>
std::string_view TableBytes(std::span<const T> table) {
  return {reinterpret_cast<const char*>(table.data()), table.size_bytes()};
}

}  // namespace hearth::tokenizers
