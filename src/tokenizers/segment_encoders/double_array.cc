#include "tokenizers/segment_encoders/double_array.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kBlockUnits = 256;  // base ^ byte never leaves the block of base
// Blocks that are still searched for room: more pack tighter, fewer build faster.
constexpr size_t kOpenBlocks = 16;
constexpr size_t kMaxUnits = size_t{1} << 24;
// Two bases of each block belong to no node. A free unit is labelled so that only the first could
// reach it, and a node without children has the second, from which no unit can be reached.
constexpr uint32_t kBaseOfFreeUnits = 0;
constexpr uint32_t kBaseOfLeaves = 1;

// 256 flags, one per unit or base of a block.
using Flags = std::array<uint64_t, 4>;

void Set(Flags* flags, uint32_t index) { (*flags)[index >> 6] |= uint64_t{1} << (index & 63); }

// result[i] = flags[i ^ label]: XOR with a constant swaps words, then halves within words.
Flags PermuteByXor(const Flags& flags, uint8_t label) {
  static constexpr uint64_t kLowHalves[6] = {0x5555555555555555, 0x3333333333333333,
                                             0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF,
                                             0x0000FFFF0000FFFF, 0x00000000FFFFFFFF};
  Flags result;
  for (uint32_t word = 0; word < 4; ++word) {
    uint64_t bits = flags[word ^ (label >> 6)];
    for (uint32_t k = 0; k < 6; ++k) {
      if ((label >> k & 1) == 0) continue;
      uint32_t width = 1u << k;
      bits = (bits & kLowHalves[k]) << width | (bits >> width & kLowHalves[k]);
    }
    result[word] = bits;
  }
  return result;
}

class Builder {
 public:
  Builder(const std::vector<DoubleArray::Entry>& entries, std::vector<DoubleArray::Unit>* units)
      : entries_(entries), units_(*units) {}

  void Build() {
    AddBlock();
    Set(&blocks_[0].taken, 0);  // the root
    std::vector<Range> pending{{0, entries_.size(), 0, 0}};
    while (!pending.empty()) {
      Range range = pending.back();
      pending.pop_back();
      PlaceChildren(range, &pending);
    }
  }

 private:
  struct Range {  // entries that share their first `depth` bytes, which lead to `node`
    size_t begin, end, depth;
    uint32_t node;
  };
  struct Block {
    Flags taken{};
    Flags base_used{};
  };

  void AddBlock() {
    if (units_.size() + kBlockUnits > kMaxUnits) {
      throw Error(Code::kTooLarge, "vocabulary needs more than 2^24 trie nodes");
    }
    Block block;
    Set(&block.base_used, kBaseOfFreeUnits);
    Set(&block.base_used, kBaseOfLeaves);
    blocks_.push_back(block);
    size_t first = units_.size();
    units_.resize(first + kBlockUnits);
    for (uint32_t i = 0; i < kBlockUnits; ++i) {
      units_[first + i].base_and_label = kBaseOfLeaves << 8 | (i ^ kBaseOfFreeUnits);
    }
  }

  void PlaceChildren(const Range& range, std::vector<Range>* pending) {
    labels_.clear();
    starts_.clear();
    for (size_t i = range.begin; i < range.end; ++i) {
      std::string_view key = entries_[i].first;
      if (key.size() == range.depth) {
        units_[range.node].value = entries_[i].second;  // equal keys: the last one stays
        continue;
      }
      uint8_t label = static_cast<uint8_t>(key[range.depth]);
      if (labels_.empty() || labels_.back() != label) {
        labels_.push_back(label);
        starts_.push_back(i);
      }
    }
    starts_.push_back(range.end);
    if (labels_.empty()) return;
    uint32_t base = FindBase();
    Unit& node = units_[range.node];
    node.base_and_label = base << 8 | (node.base_and_label & 0xFF);
    Set(&blocks_[base / kBlockUnits].base_used, base % kBlockUnits);
    for (size_t i = 0; i < labels_.size(); ++i) {
      uint32_t child = base ^ labels_[i];
      Set(&blocks_[child / kBlockUnits].taken, child % kBlockUnits);
      units_[child].base_and_label = kBaseOfLeaves << 8 | labels_[i];
      pending->push_back({starts_[i], starts_[i + 1], range.depth + 1, child});
    }
  }

  uint32_t FindBase() {
    size_t oldest = blocks_.size() > kOpenBlocks ? blocks_.size() - kOpenBlocks : 0;
    for (size_t b = blocks_.size(); b-- > oldest;) {
      if (auto low = FindBaseIn(blocks_[b]); low < kBlockUnits) return b * kBlockUnits + low;
    }
    AddBlock();
    // An empty block has room for any set of labels, the root's one unit and two bases aside.
    return (blocks_.size() - 1) * kBlockUnits + FindBaseIn(blocks_.back());
  }

  uint32_t FindBaseIn(const Block& block) const {
    Flags fits;
    for (size_t w = 0; w < 4; ++w) fits[w] = ~block.base_used[w];
    Flags free;
    for (size_t w = 0; w < 4; ++w) free[w] = ~block.taken[w];
    for (uint8_t label : labels_) {
      Flags reachable = PermuteByXor(free, label);
      uint64_t any = 0;
      for (size_t w = 0; w < 4; ++w) any |= fits[w] &= reachable[w];
      if (any == 0) return kBlockUnits;
    }
    for (uint32_t w = 0; w < 4; ++w) {
      if (fits[w] != 0) return w * 64 + static_cast<uint32_t>(__builtin_ctzll(fits[w]));
    }
    return kBlockUnits;
  }

  using Unit = DoubleArray::Unit;
  const std::vector<DoubleArray::Entry>& entries_;
  std::vector<Unit>& units_;
  std::vector<Block> blocks_;
  std::vector<uint8_t> labels_;
  std::vector<size_t> starts_;
};

}  // namespace

DoubleArray::DoubleArray() : DoubleArray(std::vector<Entry>()) {}

DoubleArray::DoubleArray(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.first.empty(); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.first < b.first; });
  auto units = std::make_shared<std::vector<Unit>>();
  Builder(entries, units.get()).Build();
  units_ = *units;
  owner_ = std::move(units);
}

std::optional<DoubleArray> DoubleArray::FromUnits(std::span<const Unit> units,
                                                  std::shared_ptr<const void> owner) {
  if (units.empty() || units.size() % kBlockUnits != 0 || units.size() > kMaxUnits) {
    return std::nullopt;
  }
  uint32_t furthest = 0;
  for (const Unit& unit : units) furthest = std::max(furthest, unit.base_and_label >> 8);
  if (furthest >= units.size()) return std::nullopt;
  DoubleArray array;
  array.units_ = units;
  array.owner_ = std::move(owner);
  return array;
}

uint32_t DoubleArray::Find(std::string_view key) const {
  const Unit* node = Root();
  return Walk(&node, key) ? node->value : kNoValue;
}

}  // namespace hearth::tokenizers
