#include "tokenizers/segment_encoders/byte_bpe_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_merge.h"
#include "tokenizers/segment_encoders/probe_table.h"

namespace hearth::tokenizers {

// What a plan points into when it was built rather than mapped.
struct ByteBpeTables {
  uint64_t vocab_mask = 0;
  int vocab_shift = 0;
  std::vector<uint32_t> byte_pair_ranks;
  ProbeTable<uint64_t> pairs;
  std::vector<uint32_t> merged;
  ProbeTable<ByteBpeVocabLine> vocab;
  std::vector<uint32_t> long_slots, long_ids, long_offsets;
  std::string long_bytes;
};

namespace {

// How many entries ahead the memory of a table is asked for.
constexpr size_t kAhead = 16;

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0x9E3779B97F4A7C15u;
  const char* p = bytes.data();
  size_t left = bytes.size();
  auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * 0xD6E8FEB86659FD93u;
    hash ^= hash >> 32;
  };
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  if (left > 0) {
    uint64_t word = 0;
    std::memcpy(&word, p, left);
    mix(word);
  }
  return hash;
}

PieceKey KeyOf(std::string_view bytes) {
  PieceKey key;
  std::memcpy(&key, bytes.data(), bytes.size());
  return key;
}

}  // namespace

ByteBpePlanBuilder::ByteBpePlanBuilder(ByteBpeConfig config)
    : config_(config), tables_(std::make_shared<ByteBpeTables>()) {
  // The alphabet: printable Latin-1 bytes stand for themselves, the others follow from U+0100 on.
  std::fill(std::begin(byte_of_), std::end(byte_of_), int16_t{-1});
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    byte_of_[printable ? byte : next++] = static_cast<int16_t>(byte);
  }
}

bool ByteBpePlanBuilder::Decode(std::string_view token, std::string* bytes) const {
  for (size_t i = 0; i < token.size(); ++i) {
    auto lead = static_cast<uint8_t>(token[i]);
    uint32_t code_point = lead;
    if (lead >= 0x80) {
      if (lead < 0xC2 || lead > 0xC7 || ++i >= token.size()) return false;
      code_point = (lead & 0x1Fu) << 6 | (static_cast<uint8_t>(token[i]) & 0x3Fu);
    }
    if (byte_of_[code_point] < 0) return false;
    bytes->push_back(static_cast<char>(byte_of_[code_point]));
  }
  return true;
}

bool ByteBpePlanBuilder::IsShort(std::string_view bytes) {
  return bytes.size() <= kPieceKeyBytes && bytes.find('\0') == std::string_view::npos;
}

void ByteBpePlanBuilder::AddToken(std::string_view token, uint64_t id) {
  size_t offset = bytes_.size();
  if (id >= ByteBpePlan::kMaxId || offset > (1u << 30)) {
    fits_ = false;
    return;
  }
  if (!Decode(token, &bytes_) || bytes_.size() == offset) {
    bytes_.resize(offset);  // no piece can hold it
    if (no_piece_.size() <= id) no_piece_.resize(id + 1);
    no_piece_[id] = true;
    return;
  }
  tokens_.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes_.size() - offset),
                     static_cast<uint32_t>(id)});
}

void ByteBpePlanBuilder::IndexTokens() {
  size_t lines = std::bit_ceil(tokens_.size() / 2 + 2);
  tables_->vocab.Assign(lines, ByteBpeVocabLine{});
  tables_->vocab_mask = lines - 1;
  tables_->vocab_shift = 64 - std::countr_zero(lines);
  for (size_t t = 0; t < tokens_.size(); ++t) {
    if (t + kAhead < tokens_.size()) Ask(BytesOf(tokens_[t + kAhead]));
    std::string_view bytes = BytesOf(tokens_[t]);
    if (!IsShort(bytes)) {
      long_tokens_[bytes] = tokens_[t].id;
      continue;
    }
    PieceKey key = KeyOf(bytes);
    uint64_t i = HashKey(key.low, key.high) >> tables_->vocab_shift;
    for (;; i = (i + 1) & tables_->vocab_mask) {
      ByteBpeVocabLine& line = tables_->vocab.data()[i];
      uint32_t at = 0;
      while (at < line.used && line.keys[at] != key) ++at;
      if (at == 3) continue;
      line.keys[at] = key;
      line.ids[at] = tokens_[t].id;
      line.used = std::max(line.used, at + 1);
      break;
    }
  }
}

void ByteBpePlanBuilder::Ask(std::string_view bytes) const {
  if (bytes.size() > kPieceKeyBytes) return;
  PieceKey key = KeyOf(bytes);
  __builtin_prefetch(tables_->vocab.data() + (HashKey(key.low, key.high) >> tables_->vocab_shift));
}

uint32_t ByteBpePlanBuilder::Find(std::string_view bytes) const {
  if (!IsShort(bytes)) {
    auto found = long_tokens_.find(bytes);
    return found == long_tokens_.end() ? kNone : found->second;
  }
  PieceKey key = KeyOf(bytes);
  uint64_t i = HashKey(key.low, key.high) >> tables_->vocab_shift;
  for (;; i = (i + 1) & tables_->vocab_mask) {
    const ByteBpeVocabLine& line = tables_->vocab.data()[i];
    for (uint32_t at = 0; at < line.used; ++at) {
      if (line.keys[at] == key) return line.ids[at];
    }
    if (line.used < 3) return kNone;
  }
}

void ByteBpePlanBuilder::AddMerge(const BpeMerge& merge) {
  for (uint32_t id : {merge.left, merge.right, merge.new_id}) {
    fits_ = fits_ && id < ByteBpePlan::kMaxId && !(id < no_piece_.size() && no_piece_[id]);
  }
  merges_.push_back(merge);
  if (merges_.size() >= ByteBpePlan::kMaxRank) fits_ = false;
}

void ByteBpePlanBuilder::AddPairs(ByteBpePlan* plan) {
  constexpr size_t kLine = ByteBpePlan::kPairsPerLine;
  size_t lines = std::bit_ceil(merges_.size() / 5 + 2);
  tables_->pairs.Assign(lines * kLine, ByteBpePlan::kEmptyPair);
  tables_->merged.assign(std::max<size_t>(merges_.size(), 1), 0);  // read ahead at 0
  plan->pair_mask_ = lines - 1;
  plan->pair_shift_ = 64 - std::countr_zero(lines);
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    if (rank + kAhead < merges_.size()) {
      const BpeMerge& next = merges_[rank + kAhead];
      uint64_t line = plan->PairLine(ByteBpePlan::PairKey(next.left, next.right));
      __builtin_prefetch(tables_->pairs.data() + line * kLine);
    }
    const BpeMerge& merge = merges_[rank];
    uint64_t key = ByteBpePlan::PairKey(merge.left, merge.right);
    uint64_t* slots = tables_->pairs.data();
    for (size_t i = plan->PairLine(key) * kLine;; i = (i + 1) % (lines * kLine)) {
      if (slots[i] != ByteBpePlan::kEmptyPair && slots[i] >> 24 != key) continue;
      slots[i] = key << 24 | rank;  // of equal pairs the last one counts, as in the reference
      break;
    }
    tables_->merged[rank] = merge.new_id;
  }
  plan->pairs_ = tables_->pairs.data();
  plan->merged_ = tables_->merged.data();
  plan->merged_count_ = tables_->merged.size();
  tables_->byte_pair_ranks.resize(65536);
  for (int left = 0; left < 256; ++left) {
    for (int right = 0; right < 256; ++right) {
      uint32_t a = plan->byte_ids_[left], b = plan->byte_ids_[right];
      tables_->byte_pair_ranks[left << 8 | right] =
          a == kNone || b == kNone ? ByteBpePlan::kNoRank : plan->PairRank(a, b);
    }
  }
  plan->byte_pair_ranks_ = tables_->byte_pair_ranks.data();
}

void ByteBpePlanBuilder::AddShortTokens(ByteBpePlan* plan) {
  plan->vocab_mask_ = tables_->vocab_mask;
  plan->vocab_shift_ = tables_->vocab_shift;
  plan->vocab_ = tables_->vocab.data();
  if (config_.ignore_merges) return;
  // Tokens that the merges do not reach must not be found whole. Their places stay taken, with a
  // key that no piece has, so that lines that were full still lead on to the next.
  constexpr PieceKey kNoPiece = {0, 1};
  ByteBpeMergeFunction merge = ByteBpeMerge();
  ByteBpePairMemo memo;
  for (size_t i = 0; i < tables_->vocab.size(); ++i) {
    ByteBpeVocabLine& line = tables_->vocab.data()[i];
    for (uint32_t at = 0; at < line.used; ++at) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(&line.keys[at]);
      const void* end = std::memchr(bytes, 0, kPieceKeyBytes);
      size_t size = end == nullptr ? kPieceKeyBytes
                                   : static_cast<size_t>(static_cast<const uint8_t*>(end) - bytes);
      uint32_t ids[kByteBpeShortPiece];
      if (merge(*plan, memo, bytes, size, ids) != 1 || ids[0] != line.ids[at]) {  // one token, at 0
        line.keys[at] = kNoPiece;
      }
    }
  }
}

void ByteBpePlanBuilder::AddLongTokens(ByteBpePlan* plan) {
  std::vector<std::pair<std::string_view, uint32_t>> tokens;
  if (config_.ignore_merges) tokens.assign(long_tokens_.begin(), long_tokens_.end());
  std::sort(tokens.begin(), tokens.end());
  size_t size = std::bit_ceil(tokens.size() * 2 + 2);
  tables_->long_slots.assign(size, 0);
  plan->long_mask_ = size - 1;
  tables_->long_offsets.push_back(0);
  for (const auto& [bytes, id] : tokens) {
    uint64_t i = HashBytes(bytes) & plan->long_mask_;
    while (tables_->long_slots[i] != 0) i = (i + 1) & plan->long_mask_;
    tables_->long_bytes += bytes;
    tables_->long_ids.push_back(id);
    tables_->long_offsets.push_back(static_cast<uint32_t>(tables_->long_bytes.size()));
    tables_->long_slots[i] = static_cast<uint32_t>(tables_->long_ids.size());
  }
  plan->long_slots_ = tables_->long_slots.data();
  plan->long_ids_ = tables_->long_ids.data();
  plan->long_count_ = tables_->long_ids.size();
  plan->long_offsets_ = tables_->long_offsets.data();
  plan->long_bytes_ = tables_->long_bytes.data();
}

std::shared_ptr<const ByteBpePlan> ByteBpePlanBuilder::Build() {
  IndexTokens();
  auto plan = std::make_shared<ByteBpePlan>();
  plan->config_ = config_;
  for (int byte = 0; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    uint32_t id = Find({&c, 1});
    // Bytes that valid UTF-8 never has may be missing. Others vanish from a text, unless there is
    // an unknown token; those of common characters would slow every text down.
    bool in_utf8 = byte != 0xC0 && byte != 0xC1 && byte < 0xF5;
    if (id == kNone && in_utf8) {
      plan->missing_bytes_.push_back(c);
      fits_ = fits_ && byte >= 0xF1 && config_.drops_unknown && !config_.ignore_merges;
    }
    plan->byte_ids_[byte] = id;
  }
  if (!fits_) return nullptr;
  AddPairs(plan.get());
  AddShortTokens(plan.get());
  AddLongTokens(plan.get());
  plan->memory_ = tables_;
  return plan;
}

std::optional<uint32_t> ByteBpePlan::FindLong(std::string_view piece) const {
  for (uint64_t i = HashBytes(piece) & long_mask_; long_slots_[i] != 0; i = (i + 1) & long_mask_) {
    uint32_t at = long_slots_[i] - 1;
    uint32_t begin = long_offsets_[at], end = long_offsets_[at + 1];
    if (piece == std::string_view(long_bytes_ + begin, end - begin)) return long_ids_[at];
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers
