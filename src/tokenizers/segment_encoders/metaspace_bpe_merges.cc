#include "tokenizers/segment_encoders/metaspace_bpe_merges.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>
#include <unordered_set>

#include "tokenizers/models/bpe_merges.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581
constexpr uint32_t kMarkCodePoint = 0x2581;
// Up to here a scan over all ranks after each merge is faster than a heap.
constexpr size_t kShortSymbols = 24;
// Symbols of a window of a longer stretch: small enough for the first-level cache.
constexpr size_t kWindow = 256;

bool IsNullOrEmpty(const Json* value) {
  return value == nullptr || value->is_null() ||
         (value->AsString() != nullptr && value->AsString()->empty());
}

bool IsFlag(const Json* value, bool wanted_when_absent, bool* flag) {
  *flag = wanted_when_absent;
  if (value == nullptr) return true;
  auto given = value->AsBool();
  if (given) *flag = *given;
  return given.has_value();
}

}  // namespace

class MetaspaceMerges::Loader {
 public:
  Loader(MetaspaceMerges* target, const ModelTables& tables)
      : target_(*target), tables_(tables), vocab_(*tables.vocab) {}

  bool Load(const Json& model, const KeptTables& kept) {
    if (!CheckOptions(model)) return false;
    if (TakeKept(kept)) return LoadUnknown(model);
    return LoadVocabulary() && LoadUnknown(model) && LoadMerges();
  }

 private:
  bool CheckOptions(const Json& model) {
    const Json* dropout = model.Find("dropout");
    bool ignore_merges = false;
    return (dropout == nullptr || dropout->is_null()) &&
           IsNullOrEmpty(model.Find("continuing_subword_prefix")) &&
           IsNullOrEmpty(model.Find("end_of_word_suffix")) &&
           IsFlag(model.Find("ignore_merges"), false, &ignore_merges) && !ignore_merges &&
           IsFlag(model.Find("fuse_unk"), false, &target_.fuse_unknown_) &&
           IsFlag(model.Find("byte_fallback"), false, &byte_fallback_);
  }

  bool TakeKept(const KeptTables& kept) {
    auto characters = kept.FindArray<CharacterId>(EncoderTable::kCharacters);
    auto joins = kept.FindArray<JoinTable>(EncoderTable::kJoins);
    auto merged_ids = kept.FindArray<uint32_t>(EncoderTable::kMergedIds);
    auto pairs = kept.FindArray<uint64_t>(EncoderTable::kPairs);
    if (!characters || !joins || joins->size() != 1 || !merged_ids || !pairs ||
        !std::has_single_bit(pairs->size()) || !PairsHold(*pairs, merged_ids->size())) {
      return false;
    }
    for (const CharacterId& character : *characters) {
      if (character.code_point >= CodePointTable<uint32_t>::kCodePoints) return false;
    }
    target_.character_list_.assign(characters->begin(), characters->end());
    FillCharacters();
    target_.joins_ = joins->front();
    target_.merged_ids_ = *merged_ids;
    target_.pairs_ = *pairs;
    target_.slot_shift_ = 64 - std::countr_zero(pairs->size());
    target_.owner_ = kept.owner();
    return true;
  }

  // Ranks lead into the merged ids; a probe comes to a free place.
  static bool PairsHold(std::span<const uint64_t> pairs, size_t ranks) {
    uint32_t largest = 0;
    bool ends = false;
    for (uint64_t entry : pairs) {
      // kNoRank plus one wraps to zero, and so does a free place's.
      largest = std::max(largest, (static_cast<uint32_t>(entry) + 1) & kNoRank);
      ends |= entry == kFree;
    }
    return pairs.size() > 1 && ends && largest <= ranks;
  }

  void FillCharacters() {
    for (const CharacterId& character : target_.character_list_) {
      target_.characters_.Set(character.code_point, character.id);
    }
  }

  bool LoadVocabulary() {
    for (uint32_t i = 0; i < vocab_.size(); ++i) {
      std::string_view token = vocab_.TextAt(i);
      uint32_t id = vocab_.IdAt(i);
      // Merges are rules between ids, so that each id must be one text.
      if (id >= uint32_t{1} << kIdBits || vocab_.FindToken(id) != token) return false;
      if (token.empty()) continue;
      size_t size = 0;
      uint32_t code_point = DecodeUtf8(reinterpret_cast<const uint8_t*>(token.data()), &size);
      if (size == token.size()) target_.character_list_.push_back({code_point, id});
    }
    FillCharacters();
    uint32_t mark = target_.characters_[kMarkCodePoint];
    if (mark == kGone) return false;
    target_.character_list_.push_back({' ', mark});
    target_.characters_.Set(' ', mark);
    return true;
  }

  // Every character must become some token: with a byte token missing or no unknown token the
  // reference drops characters, and their neighbours could merge.
  bool LoadUnknown(const Json& model) {
    if (byte_fallback_) {
      for (int byte = 0; byte < 256; ++byte) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        auto found = vocab_.FindId(name);
        if (!found) return false;
        target_.byte_ids_.push_back(*found);
        byte_tokens_.insert(*found);
      }
      return true;
    }
    const Json* unknown = model.Find("unk_token");
    if (unknown == nullptr || unknown->AsString() == nullptr) return false;
    auto found = vocab_.FindId(*unknown->AsString());
    if (!found) return false;
    target_.unknown_id_ = *found;
    if (target_.fuse_unknown_) AllowUnknownRuns();
    return true;
  }

  // Neighbours that are both unknown become one token.
  void AllowUnknownRuns() {
    auto may_be_unknown = [this](int byte) {
      return byte >= 0x80 || target_.characters_[static_cast<uint32_t>(byte)] == kGone;
    };
    for (int left = 0; left < 256; ++left) {
      for (int right = 0; right < 256; ++right) {
        if (may_be_unknown(left) && may_be_unknown(right)) {
          target_.joins_.Allow(static_cast<uint8_t>(left), static_cast<uint8_t>(right));
        }
      }
    }
  }

  bool LoadMerges() {
    std::span<const BpeMerge> rules = tables_.merges->by_rank();
    if (rules.size() >= kNoRank) return false;
    while (uint64_t{1} << (64 - target_.slot_shift_) < rules.size() * 2) --target_.slot_shift_;
    auto arrays = std::make_shared<Arrays>();
    arrays->pairs.assign(size_t{1} << (64 - target_.slot_shift_), kFree);
    arrays->merged_ids.resize(rules.size());
    constexpr size_t kAhead = 12;  // enough to hide the memory of a slot
    for (uint32_t rank = 0; rank < rules.size(); ++rank) {
      if (rank + kAhead < rules.size()) {
        const BpeMerge& next = rules[rank + kAhead];
        __builtin_prefetch(&arrays->pairs[target_.FirstSlot(PairOf(next))]);
      }
      if (!AddMerge(rules[rank], rank, arrays.get())) return false;
    }
    target_.pairs_ = arrays->pairs;
    target_.merged_ids_ = arrays->merged_ids;
    target_.owner_ = std::move(arrays);
    for (int left = 0; left < 256; ++left) {  // inside a character nothing is ever cut
      for (int right = 0x80; right < 0xC0; ++right) {
        target_.joins_.Allow(static_cast<uint8_t>(left), static_cast<uint8_t>(right));
      }
    }
    return true;
  }

  static uint64_t PairOf(const BpeMerge& merge) {
    return static_cast<uint64_t>(merge.left) << kIdBits | merge.right;
  }

  bool AddMerge(const BpeMerge& merge, uint32_t rank, Arrays* arrays) {
    for (uint32_t part : {merge.left, merge.right}) {
      // Such a token can stand for characters that are not its name.
      if (part == target_.unknown_id_ || byte_tokens_.contains(part)) return false;
      if (vocab_.FindToken(part).value_or("").empty()) return false;
    }
    uint64_t pair = PairOf(merge);
    std::vector<uint64_t>& pairs = arrays->pairs;
    size_t mask = pairs.size() - 1;
    size_t slot = target_.FirstSlot(pair);
    while (pairs[slot] != kFree && pairs[slot] >> kRankBits != pair) slot = (slot + 1) & mask;
    pairs[slot] = pair << kRankBits | rank;  // given twice: the last one counts
    arrays->merged_ids[rank] = merge.new_id;
    AllowJoins(vocab_.FindToken(merge.new_id).value_or(""));
    return true;
  }

  void AllowJoins(std::string_view token) {
    uint8_t previous = 0;
    bool previous_is_mark = false;
    for (size_t at = 0; at < token.size();) {
      size_t size = 0;
      DecodeUtf8(reinterpret_cast<const uint8_t*>(token.data()) + at, &size);
      bool is_mark = token.substr(at, size) == kMark;
      if (at > 0) AllowJoin(previous, previous_is_mark, static_cast<uint8_t>(token[at]), is_mark);
      previous = static_cast<uint8_t>(token[at + size - 1]);
      previous_is_mark = is_mark;
      at += size;
    }
  }

  // In the text the mark is a space or stands there itself, so it counts as both.
  void AllowJoin(uint8_t left, bool left_is_mark, uint8_t right, bool right_is_mark) {
    target_.joins_.Allow(left, right);
    if (left_is_mark) target_.joins_.Allow(' ', right);
    if (right_is_mark) target_.joins_.Allow(left, ' ');
    if (left_is_mark && right_is_mark) target_.joins_.Allow(' ', ' ');
  }

  MetaspaceMerges& target_;
  bool byte_fallback_ = false;
  const ModelTables& tables_;
  const Vocab& vocab_;
  std::unordered_set<uint32_t> byte_tokens_;
};

std::unique_ptr<const MetaspaceMerges> MetaspaceMerges::Make(const Json& model,
                                                             const ModelTables& tables,
                                                             const KeptTables& kept) {
  std::unique_ptr<MetaspaceMerges> merges(new MetaspaceMerges);
  if (!Loader(merges.get(), tables).Load(model, kept)) return nullptr;
  return merges;
}

EncoderTableList MetaspaceMerges::tables() const {
  return {{EncoderTable::kPairs, TableBytes(pairs_)},
          {EncoderTable::kMergedIds, TableBytes(merged_ids_)},
          {EncoderTable::kJoins, TableBytes(std::span(&joins_, 1))},
          {EncoderTable::kCharacters, TableBytes(std::span(character_list_))}};
}

void MetaspaceMerges::Split(std::string_view text, std::vector<uint32_t>* ids) const {
  const uint8_t* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = at + text.size();
  bool after_unknown = false;
  while (at < end) {
    size_t size = 0;
    uint32_t id = characters_[DecodeUtf8(at, &size)];
    if (id != kGone) {
      ids->push_back(id);
    } else if (!byte_ids_.empty()) {
      for (size_t i = 0; i < size; ++i) ids->push_back(byte_ids_[at[i]]);
    } else if (!after_unknown || !fuse_unknown_) {
      ids->push_back(unknown_id_);
    }
    after_unknown = id == kGone;
    at += size;
  }
}

void MetaspaceMerges::Encode(std::string_view text, Work* work, std::vector<uint32_t>* ids) const {
  work->ids.clear();
  Split(text, &work->ids);
  if (work->ids.size() <= kShortSymbols) {
    MergeShort(work);
  } else {
    MergeLong(work);
  }
  ids->insert(ids->end(), work->ids.begin(), work->ids.end());
}

void MetaspaceMerges::MergeShort(Work* work) const {
  uint32_t* ids = work->ids.data();
  size_t count = work->ids.size();
  uint32_t ranks[kShortSymbols + 1];  // of the pair that begins at a symbol
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = FindRank(ids[i], ids[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (ranks[i] < ranks[best]) best = i;
    }
    if (ranks[best] == kNoRank) break;
    ids[best] = merged_ids_[ranks[best]];
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      if (i + 1 < count) ranks[i] = ranks[i + 1];
    }
    if (best > 0) ranks[best - 1] = FindRank(ids[best - 1], ids[best]);
    if (best + 1 < count) ranks[best] = FindRank(ids[best], ids[best + 1]);
  }
  work->ids.resize(count);
}

namespace {

using Heap = std::vector<uint64_t>;

void Push(uint32_t rank, uint32_t position, Heap* heap) {
  heap->push_back(static_cast<uint64_t>(rank) << 32 | position);
  std::push_heap(heap->begin(), heap->end(), std::greater<>());
}

uint64_t Pop(Heap* heap) {
  std::pop_heap(heap->begin(), heap->end(), std::greater<>());
  uint64_t least = heap->back();
  heap->pop_back();
  return least;
}

}  // namespace

// The tokens of a range of work->ids merged alone.
void MetaspaceMerges::MergeRange(uint32_t begin, uint32_t end, Work* work,
                                 std::vector<internal::BpeToken>* tokens) const {
  auto& symbols = work->symbols;
  Heap& heap = work->heap;
  symbols.clear();
  heap.clear();
  const uint32_t count = end - begin;
  for (uint32_t i = 0; i < count; ++i) {
    symbols.push_back({work->ids[begin + i], i - 1, i + 1 < count ? i + 1 : kGone});
  }
  auto rank_at = [&](uint32_t at) {
    uint32_t next = symbols[at].next;
    return next == kGone ? kNoRank : FindRank(symbols[at].id, symbols[next].id);
  };
  auto push = [&](uint32_t at) {
    uint32_t rank = rank_at(at);
    if (rank != kNoRank) Push(rank, at, &heap);
  };
  for (uint32_t i = 0; i < count; ++i) push(i);
  while (!heap.empty()) {
    uint64_t least = Pop(&heap);
    auto at = static_cast<uint32_t>(least), rank = static_cast<uint32_t>(least >> 32);
    Symbol& symbol = symbols[at];
    if (symbol.id == kGone || rank_at(at) != rank) continue;  // its pair is no more
    Symbol& next = symbols[symbol.next];
    symbol.id = merged_ids_[rank];
    next.id = kGone;
    symbol.next = next.next;
    if (symbol.next != kGone) symbols[symbol.next].previous = at;
    if (symbol.previous != kGone) push(symbol.previous);
    push(at);
  }
  for (uint32_t i = 0; i < count; i = symbols[i].next) {
    tokens->push_back({symbols[i].id, begin + i});
  }
}

void MetaspaceMerges::MergeLong(Work* work) const {
  internal::MergeByWindows(work->ids.size(), kWindow, &work->tokens, &work->fresh,
                           [&](size_t begin, size_t end, std::vector<internal::BpeToken>* tokens) {
                             MergeRange(static_cast<uint32_t>(begin), static_cast<uint32_t>(end),
                                        work, tokens);
                           });
  work->ids.clear();
  for (const internal::BpeToken& token : work->tokens) work->ids.push_back(token.id);
}

}  // namespace hearth::tokenizers
