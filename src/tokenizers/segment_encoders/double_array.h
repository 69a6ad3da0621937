// A read-only byte trie in one array: strings -> u32, one load per byte walked.
//
// A unit holds its own label, the base of its children and its value, 8 bytes in all: the child of
// a node under byte c is units[base ^ c], and it is there when that unit's label is c. That the
// label alone decides (no parent number is stored) is why every base belongs to one node only.
// Immutable after construction; safe for concurrent use; copies share the array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

class DoubleArray {
 public:
  static constexpr uint32_t kNoValue = 0xFFFFFFFFu;
  using Entry = std::pair<std::string_view, uint32_t>;

  struct Unit {
    uint32_t base_and_label = 0;  // base in the upper 24 bits
    uint32_t value = kNoValue;
  };

  // An empty trie: nothing is found.
  DoubleArray();
  // Keys need not be sorted; of equal keys the last wins. Empty keys are left out. Throws
  // Error{kTooLarge} when the keys need more than 2^24 nodes.
  explicit DoubleArray(std::vector<Entry> entries);
  // As units() gave it; nullopt when walks could leave the array. `owner` keeps the memory.
  static std::optional<DoubleArray> FromUnits(std::span<const Unit> units,
                                              std::shared_ptr<const void> owner);
  std::span<const Unit> units() const { return units_; }

  // A walk starts at Root(); Step moves `node` to the child under `byte` or returns false.
  const Unit* Root() const { return &units_[0]; }
  bool Step(const Unit** node, uint8_t byte) const {
    const Unit* child = &units_[((*node)->base_and_label >> 8) ^ byte];
    if ((child->base_and_label & 0xFF) != byte) return false;
    *node = child;
    return true;
  }

  // Steps along all of `key`, or returns false.
  bool Walk(const Unit** node, std::string_view key) const {
    for (char c : key) {
      if (!Step(node, static_cast<uint8_t>(c))) return false;
    }
    return true;
  }
  // A node as a number, for those who outlive a move of the trie.
  uint32_t Place(const Unit* node) const { return static_cast<uint32_t>(node - units_.data()); }
  const Unit* At(uint32_t place) const { return &units_[place]; }

  // kNoValue when `key` is not there.
  uint32_t Find(std::string_view key) const;

 private:
  std::span<const Unit> units_;
  std::shared_ptr<const void> owner_;
};

}  // namespace hearth::tokenizers
