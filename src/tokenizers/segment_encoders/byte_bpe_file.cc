#include "tokenizers/segment_encoders/byte_bpe_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace hearth::tokenizers {
namespace {

constexpr size_t kAlignment = 64;
constexpr uint64_t kBytePairs = 65536;

struct Header {
  uint32_t split;
  uint8_t ignore_merges, nfc, drops_unknown, missing_count;
  char missing[8];
  uint64_t pair_lines, merged, vocab_lines, long_slots, long_tokens, long_bytes;
  uint32_t byte_ids[256];
};
static_assert(std::is_trivially_copyable_v<Header>);

// Where each table lies, given the sizes.
class Offsets {
 public:
  explicit Offsets(const Header& header) {
    byte_pairs = Take(kBytePairs, 4);
    pairs = Take(header.pair_lines * ByteBpePlan::kPairsPerLine, 8);
    vocab = Take(header.vocab_lines, sizeof(ByteBpeVocabLine));
    merged = Take(header.merged, 4);
    long_slots = Take(header.long_slots, 4);
    long_ids = Take(header.long_tokens, 4);
    long_offsets = Take(header.long_tokens + 1, 4);
    long_bytes = Take(header.long_bytes, 1);
    end = at_;
  }
  uint64_t byte_pairs, pairs, vocab, merged, long_slots, long_ids, long_offsets, long_bytes, end;

 private:
  uint64_t Take(uint64_t count, uint64_t size) {
    uint64_t begin = (at_ + kAlignment - 1) / kAlignment * kAlignment;
    at_ = begin + count * size;
    return begin;
  }
  uint64_t at_ = sizeof(Header);
};

bool Plausible(const Header& header, uint64_t size) {
  constexpr uint64_t kMost = uint64_t{1} << 32;
  bool sizes = header.missing_count <= sizeof(header.missing) &&
               header.split <= static_cast<uint32_t>(kLastByteBpeSplit) &&
               std::has_single_bit(header.pair_lines) && header.pair_lines < kMost &&
               std::has_single_bit(header.vocab_lines) && header.vocab_lines < kMost &&
               std::has_single_bit(header.long_slots) && header.long_slots < kMost &&
               header.pair_lines > 1 && header.vocab_lines > 1 && header.long_slots > 1 &&
               header.merged > 0 && header.merged < kMost && header.long_tokens < kMost &&
               header.long_bytes < kMost;
  return sizes && Offsets(header).end == size;
}

// Ranks lead into merged(); a probe ends at a line that is not full.
bool PairsHold(std::span<const uint64_t> pairs, uint64_t merged) {
  uint64_t largest = 0;
  bool ends = false;
  for (size_t i = 0; i < pairs.size(); i += ByteBpePlan::kPairsPerLine) {
    for (size_t k = 0; k < ByteBpePlan::kPairsPerLine; ++k) {
      // An empty slot is the largest rank plus one, which wraps to zero here.
      largest = std::max(largest, ((pairs[i + k] & 0xFFFFFF) + 1) & 0xFFFFFF);
    }
    ends |= pairs[i + ByteBpePlan::kPairsPerLine - 1] == ByteBpePlan::kEmptyPair;
  }
  return ends && largest <= merged;
}

bool BytePairsHold(std::span<const uint32_t> ranks, uint64_t merged) {
  return std::all_of(ranks.begin(), ranks.end(), [merged](uint32_t rank) {
    return rank < merged || rank == ByteBpePlan::kNoRank;
  });
}

bool VocabHolds(std::span<const ByteBpeVocabLine> lines) {
  return std::any_of(lines.begin(), lines.end(),
                     [](const ByteBpeVocabLine& line) { return line.used < 3; });
}

bool LongTokensHold(std::span<const uint32_t> slots, std::span<const uint32_t> offsets,
                    uint64_t bytes) {
  bool slots_hold =
      std::all_of(slots.begin(), slots.end(), [&](uint32_t slot) { return slot < offsets.size(); });
  return slots_hold && std::find(slots.begin(), slots.end(), 0u) != slots.end() &&
         std::is_sorted(offsets.begin(), offsets.end()) && offsets.back() <= bytes;
}

}  // namespace

std::string ByteBpePlanFile::Write(const ByteBpePlan& plan) {
  Header header = {};
  header.split = static_cast<uint32_t>(plan.config_.split);
  header.ignore_merges = plan.config_.ignore_merges;
  header.nfc = plan.config_.nfc;
  header.drops_unknown = plan.config_.drops_unknown;
  header.missing_count = static_cast<uint8_t>(plan.missing_bytes_.size());
  std::memcpy(header.missing, plan.missing_bytes_.data(), plan.missing_bytes_.size());
  header.pair_lines = plan.pair_mask_ + 1;
  header.merged = plan.merged_count_;
  header.vocab_lines = plan.vocab_mask_ + 1;
  header.long_slots = plan.long_mask_ + 1;
  header.long_tokens = plan.long_count_;
  header.long_bytes = plan.long_offsets_[plan.long_count_];
  std::memcpy(header.byte_ids, plan.byte_ids_.data(), sizeof(header.byte_ids));
  Offsets offsets(header);
  std::string bytes(offsets.end, '\0');
  auto put = [&bytes](uint64_t at, const void* from, uint64_t size) {
    if (size > 0) std::memcpy(bytes.data() + at, from, size);
  };
  put(0, &header, sizeof(header));
  put(offsets.byte_pairs, plan.byte_pair_ranks_, kBytePairs * 4);
  put(offsets.pairs, plan.pairs_, header.pair_lines * ByteBpePlan::kPairsPerLine * 8);
  put(offsets.vocab, plan.vocab_, header.vocab_lines * sizeof(ByteBpeVocabLine));
  put(offsets.merged, plan.merged_, header.merged * 4);
  put(offsets.long_slots, plan.long_slots_, header.long_slots * 4);
  put(offsets.long_ids, plan.long_ids_, header.long_tokens * 4);
  put(offsets.long_offsets, plan.long_offsets_, (header.long_tokens + 1) * 4);
  put(offsets.long_bytes, plan.long_bytes_, header.long_bytes);
  return bytes;
}

std::shared_ptr<const ByteBpePlan> ByteBpePlanFile::Open(std::string_view bytes,
                                                         std::shared_ptr<const void> owner) {
  Header header;
  if (bytes.size() < sizeof(header)) return nullptr;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (!Plausible(header, bytes.size())) return nullptr;
  auto plan = std::make_shared<ByteBpePlan>();
  plan->config_ = {static_cast<ByteBpeSplit>(header.split), header.ignore_merges != 0,
                   header.nfc != 0, header.drops_unknown != 0};
  plan->missing_bytes_.assign(header.missing, header.missing_count);
  std::memcpy(plan->byte_ids_.data(), header.byte_ids, sizeof(header.byte_ids));
  Offsets offsets(header);
  auto words = [bytes](uint64_t at) {
    return reinterpret_cast<const uint32_t*>(bytes.data() + at);
  };
  plan->byte_pair_ranks_ = words(offsets.byte_pairs);
  plan->pairs_ = reinterpret_cast<const uint64_t*>(bytes.data() + offsets.pairs);
  plan->vocab_ = reinterpret_cast<const ByteBpeVocabLine*>(bytes.data() + offsets.vocab);
  plan->merged_ = words(offsets.merged);
  plan->long_slots_ = words(offsets.long_slots);
  plan->long_ids_ = words(offsets.long_ids);
  plan->long_offsets_ = words(offsets.long_offsets);
  plan->long_bytes_ = bytes.data() + offsets.long_bytes;
  plan->pair_mask_ = header.pair_lines - 1;
  plan->pair_shift_ = 64 - std::countr_zero(header.pair_lines);
  plan->vocab_mask_ = header.vocab_lines - 1;
  plan->vocab_shift_ = 64 - std::countr_zero(header.vocab_lines);
  plan->long_mask_ = header.long_slots - 1;
  plan->merged_count_ = header.merged;
  plan->long_count_ = header.long_tokens;
  plan->memory_ = std::move(owner);
  bool holds =
      PairsHold({plan->pairs_, header.pair_lines * ByteBpePlan::kPairsPerLine}, header.merged) &&
      BytePairsHold({plan->byte_pair_ranks_, kBytePairs}, header.merged) &&
      VocabHolds({plan->vocab_, header.vocab_lines}) &&
      LongTokensHold({plan->long_slots_, header.long_slots},
                     {plan->long_offsets_, header.long_tokens + 1}, header.long_bytes);
  return holds ? plan : nullptr;
}

}  // namespace hearth::tokenizers
