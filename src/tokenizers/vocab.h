// Tokens and their ids, flat: the texts of all tokens one behind the other, offsets into them, and
// an open-addressing table of positions. No pointer is stored, so the arrays can be written to a
// file and mapped (Tables, FromTables).
//
// Ids may have holes and may be large (an index by id is dense only where that costs little).
// A token given twice keeps the last id, as a JSON object read into a map does. Two tokens with one
// id are both found by text; FindToken() answers with the last of them.
//
// Immutable after construction and safe for concurrent use; copies share the arrays. Find* are
// O(token length) and O(1) / O(log n). Nothing in the arrays is trusted when they are read: arrays
// that do not fit together give wrong answers, never a read outside of them.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace hearth::tokenizers {

// Of a token's bytes; the same in every process, so that tables may be stored.
uint64_t HashToken(std::string_view text);

// Texts by position, flat.
class TokenTexts {
 public:
  TokenTexts() = default;
  // One more offset than there are texts (or none). `owner` keeps the memory.
  TokenTexts(std::string_view bytes, std::span<const uint32_t> offsets,
             std::shared_ptr<const void> owner)
      : bytes_(bytes), offsets_(offsets), owner_(std::move(owner)) {}

  size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  // position < size()
  std::string_view operator[](size_t position) const {
    uint32_t begin = offsets_[position], end = offsets_[position + 1];
    if (begin > end || end > bytes_.size()) [[unlikely]]
      return {};
    return {bytes_.data() + begin, end - begin};
  }
  std::string_view bytes() const { return bytes_; }
  std::span<const uint32_t> offsets() const { return offsets_; }

 private:
  std::string_view bytes_;
  std::span<const uint32_t> offsets_;
  std::shared_ptr<const void> owner_;
};

class Vocab {
 public:
  using Entry = std::pair<std::string_view, uint32_t>;

  // Position + 1, 0 in an empty slot, and in the bits that no position needs those of the hash's
  // upper half: most mismatches never touch the text.
  using Slot = uint32_t;
  struct Tables {
    TokenTexts texts;
    // By position; empty where ids are positions, as in most vocabularies. Then `places` is empty
    // too.
    std::span<const uint32_t> ids;
    std::span<const Slot> slots;       // a power of two, at most three quarters full
    std::span<const uint32_t> places;  // by id: position + 1, 0 for a hole; or, when ids are
                                       // sparse, positions in rising order of id
    bool sparse = false;
    uint32_t longest_token_bytes = 0;
  };

  Vocab() : Vocab(std::vector<Entry>()) {}
  // Copies the texts. Throws Error{kTooLarge} above 4 GiB of text.
  explicit Vocab(const std::vector<Entry>& entries);
  // Throws Error{kInvalidArgument} when the sizes do not fit together. `owner` keeps the memory.
  static Vocab FromTables(Tables tables, std::shared_ptr<const void> owner);

  std::optional<uint32_t> FindId(std::string_view token) const;
  std::optional<std::string_view> FindToken(uint32_t id) const;
  // Distinct tokens (not the largest id plus one).
  size_t size() const { return tables_.texts.size(); }
  size_t longest_token_bytes() const { return tables_.longest_token_bytes; }
  // Each id once, rising.
  void ForEachId(const std::function<void(std::string_view, uint32_t)>& visit) const;
  // Each token once, ids rising; where an id has several tokens all are visited.
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const;

  // For many look-ups in a row: ask for the memory that a hash leads to, go on with others, and
  // come back with FindPosition. Positions count the distinct tokens in the order they were given.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&tables_.slots[SlotOf(hash)]); }
  // The position that FindPosition is about to look at, or 0, and its memory asked for; then the
  // memory of its text.
  uint32_t GuessPosition(uint64_t hash) const {
    auto tag = static_cast<uint32_t>(hash >> 32);
    size_t mask = tables_.slots.size() - 1;
    size_t at = SlotOf(hash);
    for (int probes = 0; probes < 8 && tables_.slots[at] != 0; ++probes) {
      Slot slot = tables_.slots[at];
      if (HasTag(slot, tag) && (slot & entry_mask_) - 1 < size()) {
        uint32_t position = (slot & entry_mask_) - 1;
        __builtin_prefetch(&tables_.texts.offsets()[position]);
        return position;
      }
      at = (at + 1) & mask;
    }
    return 0;
  }
  void PrefetchText(uint32_t position) const {
    if (position < size()) __builtin_prefetch(tables_.texts[position].data());
  }
  std::optional<uint32_t> FindPosition(std::string_view token, uint64_t hash) const;
  std::string_view TextAt(uint32_t position) const { return tables_.texts[position]; }
  uint32_t IdAt(uint32_t position) const {
    return tables_.ids.empty() ? position : tables_.ids[position];
  }

  const Tables& tables() const { return tables_; }

 private:
  friend class VocabBuilder;
  Vocab(Tables tables, std::shared_ptr<const void> owner)
      : tables_(std::move(tables)),
        owner_(std::move(owner)),
        entry_mask_(EntryMask(tables_.texts.size())) {}
  // `tokens` < 2^32 - 1.
  static uint32_t EntryMask(size_t tokens) {
    return static_cast<uint32_t>((uint64_t{2} << (std::bit_width(tokens | 1) - 1)) - 1);
  }
  bool HasTag(Slot slot, uint32_t tag) const { return ((slot ^ tag) & ~entry_mask_) == 0; }
  size_t SlotOf(uint64_t hash) const {
    return static_cast<size_t>(hash >> 32) & (tables_.slots.size() - 1);
  }
  std::vector<uint32_t> PositionsById() const;

  Tables tables_;
  std::shared_ptr<const void> owner_;
  uint32_t entry_mask_;
};

// Makes a vocabulary of tokens that come one by one. Not thread-safe.
class VocabBuilder {
 public:
  VocabBuilder();
  VocabBuilder(VocabBuilder&&) noexcept;
  VocabBuilder& operator=(VocabBuilder&&) noexcept;
  ~VocabBuilder();

  void Reserve(size_t tokens, size_t text_bytes);
  void Add(std::string_view token, uint32_t id);
  size_t size() const;
  // The texts as they were added, those given twice included. After the last Add.
  TokenTexts texts() const;
  // Throws Error{kTooLarge} above 4 GiB of text. The builder is used up, what texts() gave is not.
  Vocab Build();

 private:
  struct Storage;
  Vocab BuildDistinct(const std::vector<bool>& again);
  // False where a token is given twice: then `again` marks the later ones.
  bool Index(std::vector<bool>* again);
  void WriteIds();
  void IndexIds();

  std::shared_ptr<Storage> storage_;
  std::vector<uint32_t> tags_;
  uint32_t longest_ = 0;
  bool too_large_ = false;
};

// The {"token": id} object of a tokenizer.json. Throws Error{kInvalidArgument} naming the token
// whose id is not an unsigned 32-bit integer.
Vocab ParseVocab(const Json& object);
// One member per id, rising, as the reference writes it.
Json VocabToJson(const Vocab& vocab);

}  // namespace hearth::tokenizers
