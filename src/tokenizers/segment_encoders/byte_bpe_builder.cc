#include "tokenizers/segment_encoders/byte_bpe_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_merge.h"
#include "tokenizers/segment_encoders/byte_bpe_table.h"

namespace hearth::tokenizers {

// What a plan points into when it was built rather than mapped.
struct ByteBpeTables {
  std::vector<uint32_t> byte_pair_ranks;
  ByteBpeTable<uint64_t> pairs;
  std::vector<uint32_t> merged;
  ByteBpeTable<ByteBpeVocabLine> vocab;
  std::vector<uint32_t> long_slots, long_ids, long_offsets;
  std::string long_bytes;
};

namespace {

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

ByteBpeKey KeyOf(std::string_view bytes) {
  ByteBpeKey key;
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
  slots_.resize(1 << 12);
}

bool ByteBpePlanBuilder::Decode(std::string_view token) {
  decoded_.clear();
  for (size_t i = 0; i < token.size();) {
    auto lead = static_cast<uint8_t>(token[i]);
    uint32_t code_point = lead;
    if (lead >= 0x80) {
      if (lead < 0xC2 || lead > 0xC7 || i + 1 >= token.size()) return false;
      code_point = (lead & 0x1Fu) << 6 | (static_cast<uint8_t>(token[i + 1]) & 0x3Fu);
      ++i;
    }
    ++i;
    if (byte_of_[code_point] < 0) return false;
    decoded_.push_back(static_cast<char>(byte_of_[code_point]));
  }
  return true;
}

size_t ByteBpePlanBuilder::FindSlot(std::string_view bytes, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    uint64_t slot = slots_[i];
    if (slot == 0) return i;
    if (slot >> 32 == hash >> 32 && BytesOf(tokens_[(slot & 0xFFFFFFFF) - 1]) == bytes) return i;
  }
}

const ByteBpePlanBuilder::Token* ByteBpePlanBuilder::Find(std::string_view bytes) const {
  uint64_t slot = slots_[FindSlot(bytes, HashBytes(bytes))];
  return slot == 0 ? nullptr : &tokens_[(slot & 0xFFFFFFFF) - 1];
}

void ByteBpePlanBuilder::GrowSlots() {
  slots_.assign(slots_.size() * 2, 0);
  for (size_t i = 0; i < tokens_.size(); ++i) {
    std::string_view bytes = BytesOf(tokens_[i]);
    uint64_t hash = HashBytes(bytes);
    slots_[FindSlot(bytes, hash)] = (hash & ~uint64_t{0xFFFFFFFF}) | (i + 1);
  }
}

void ByteBpePlanBuilder::AddToken(std::string_view token, uint64_t id) {
  if (id >= ByteBpePlan::kMaxId) {
    fits_ = false;
    return;
  }
  if (!Decode(token)) return;  // no piece can hold it
  if (decoded_.empty() || bytes_.size() > (1u << 30)) {
    fits_ = fits_ && decoded_.empty();
    return;
  }
  uint64_t hash = HashBytes(decoded_);
  size_t slot = FindSlot(decoded_, hash);
  if (slots_[slot] != 0) {
    tokens_[(slots_[slot] & 0xFFFFFFFF) - 1].id = static_cast<uint32_t>(id);
    return;
  }
  tokens_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(decoded_.size()),
                     static_cast<uint32_t>(id)});
  bytes_ += decoded_;
  slots_[slot] = (hash & ~uint64_t{0xFFFFFFFF}) | tokens_.size();
  if (tokens_.size() * 2 > slots_.size()) GrowSlots();
}

void ByteBpePlanBuilder::AddMerge(std::string_view left, std::string_view right) {
  if (!fits_) return;
  const Token* parts[2] = {nullptr, nullptr};
  if (Decode(left)) parts[0] = Find(decoded_);
  decoded_.swap(decoded_right_);
  if (parts[0] != nullptr && Decode(right)) parts[1] = Find(decoded_);
  const Token* merged = nullptr;
  if (parts[1] != nullptr) merged = Find(decoded_right_.append(decoded_));
  if (merged == nullptr || merges_.size() >= ByteBpePlan::kMaxRank) {
    fits_ = false;
    return;
  }
  merges_.push_back({parts[0]->id, parts[1]->id, merged->id});
}

void ByteBpePlanBuilder::AddPairs(ByteBpePlan* plan) {
  constexpr size_t kLine = ByteBpePlan::kPairsPerLine;
  size_t lines = std::bit_ceil(merges_.size() / 5 + 2);
  tables_->pairs.Assign(lines * kLine, ByteBpePlan::kEmptyPair);
  tables_->merged.assign(std::max<size_t>(merges_.size(), 1), 0);  // read ahead at 0
  plan->pair_mask_ = lines - 1;
  plan->pair_shift_ = 64 - std::countr_zero(lines);
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const Merge& merge = merges_[rank];
    uint64_t key = uint64_t{merge.left} << 20 | merge.right;
    uint64_t* slots = tables_->pairs.data();
    for (size_t i = plan->PairLine(key) * kLine;; i = (i + 1) % (lines * kLine)) {
      if (slots[i] != ByteBpePlan::kEmptyPair && slots[i] >> 24 != key) continue;
      slots[i] = key << 24 | rank;  // of equal pairs the last one counts, as in the reference
      break;
    }
    tables_->merged[rank] = merge.merged;
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
  size_t size = std::bit_ceil(tokens_.size() / 2 + 2);
  tables_->vocab.Assign(size, ByteBpeVocabLine{});
  plan->vocab_mask_ = size - 1;
  plan->vocab_shift_ = 64 - std::countr_zero(size);
  ByteBpePairMemo memo;
  for (const Token& token : tokens_) {
    std::string_view bytes = BytesOf(token);
    if (bytes.size() > kByteBpeKeyBytes || bytes.find('\0') != std::string_view::npos) continue;
    if (!config_.ignore_merges) {
      uint32_t ids[kByteBpeShortPiece];
      size_t n = MergeShortPiecePortable(
          *plan, memo, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), ids);
      if (n != 1 || ids[0] != token.id) continue;
    }
    ByteBpeKey key = KeyOf(bytes);
    uint64_t i = HashKey(key.low, key.high) >> plan->vocab_shift_;
    while (tables_->vocab.data()[i].used == 3) i = (i + 1) & plan->vocab_mask_;
    ByteBpeVocabLine& line = tables_->vocab.data()[i];
    line.keys[line.used] = key;
    line.ids[line.used++] = token.id;
  }
  plan->vocab_ = tables_->vocab.data();
}

void ByteBpePlanBuilder::AddLongTokens(ByteBpePlan* plan) {
  std::vector<const Token*> tokens;
  for (const Token& token : tokens_) {
    bool is_short =
        token.size <= kByteBpeKeyBytes && BytesOf(token).find('\0') == std::string_view::npos;
    if (config_.ignore_merges && !is_short) tokens.push_back(&token);
  }
  size_t size = std::bit_ceil(tokens.size() * 2 + 2);
  tables_->long_slots.assign(size, 0);
  plan->long_mask_ = size - 1;
  tables_->long_offsets.push_back(0);
  for (const Token* token : tokens) {
    std::string_view bytes = BytesOf(*token);
    uint64_t i = HashBytes(bytes) & plan->long_mask_;
    while (tables_->long_slots[i] != 0) i = (i + 1) & plan->long_mask_;
    tables_->long_bytes += bytes;
    tables_->long_ids.push_back(token->id);
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
  auto plan = std::make_shared<ByteBpePlan>();
  plan->config_ = config_;
  for (int byte = 0; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    const Token* token = Find({&c, 1});
    // Bytes that valid UTF-8 never has may be missing. Others vanish from a text, unless there is
    // an unknown token; those of common characters would slow every text down.
    bool in_utf8 = byte != 0xC0 && byte != 0xC1 && byte < 0xF5;
    if (token == nullptr && in_utf8) {
      plan->missing_bytes_.push_back(c);
      fits_ = fits_ && byte >= 0xF1 && config_.drops_unknown && !config_.ignore_merges;
    }
    plan->byte_ids_[byte] = token == nullptr ? kNone : token->id;
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
