#include "tokenizers/segment_encoders/byte_bpe_file.h"

#include <sys/mman.h>

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace hearth::tokenizers {
namespace {

constexpr char kMagic[8] = {'H', 'B', 'B', 'P', 'E', 1, '\r', '\n'};
constexpr size_t kAlignment = 64;

struct Header {
  char magic[8];
  uint64_t checksum;  // of the whole file with zero in its place
  uint32_t version;
  uint32_t split;
  uint8_t ignore_merges, nfc, drops_unknown, missing_count;
  char missing[4];
  uint64_t file_bytes;
  uint64_t pair_lines, merged, vocab_lines, long_slots, long_tokens, long_bytes;
  char tokenizer_json[32];
  uint32_t byte_ids[256];
};
static_assert(std::is_trivially_copyable_v<Header>);

// Four lanes of multiply and rotate: as fast as memory is read. It finds damage, not malice.
uint64_t Checksum(const char* bytes, size_t size, uint64_t seed) {
  uint64_t lanes[4] = {seed, seed + 1, seed + 2, seed + 3};
  size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    uint64_t words[4];
    std::memcpy(words, bytes + i, 32);
    for (int k = 0; k < 4; ++k) {
      lanes[k] = std::rotl((lanes[k] ^ words[k]) * 0x9E3779B97F4A7C15u, 29);
    }
  }
  uint64_t tail[4] = {};
  std::memcpy(tail, bytes + i, size - i);
  uint64_t sum = size;
  for (int k = 0; k < 4; ++k) {
    sum = std::rotl((sum ^ lanes[k] ^ tail[k]) * 0xD6E8FEB86659FD93u, 31);
  }
  return sum ^ sum >> 32;
}

uint64_t FileChecksum(const char* bytes, size_t size) {
  Header header;
  std::memcpy(&header, bytes, sizeof(header));
  header.checksum = 0;
  uint64_t seed = Checksum(reinterpret_cast<const char*>(&header), sizeof(header), 0);
  return Checksum(bytes + sizeof(header), size - sizeof(header), seed);
}

// Where each table lies, given the sizes; false when they do not add up to the file.
struct Layout {
  uint64_t at = sizeof(Header);
  uint64_t Take(uint64_t count, uint64_t size) {
    uint64_t begin = (at + kAlignment - 1) / kAlignment * kAlignment;
    at = begin + count * size;
    return begin;
  }
};

struct Offsets {
  uint64_t byte_pairs, pairs, vocab, merged, long_slots, long_ids, long_offsets, long_bytes, end;
  explicit Offsets(const Header& header) {
    Layout layout;
    byte_pairs = layout.Take(65536, 4);
    pairs = layout.Take(header.pair_lines * ByteBpePlan::kPairsPerLine, 8);
    vocab = layout.Take(header.vocab_lines, sizeof(ByteBpeVocabLine));
    merged = layout.Take(header.merged, 4);
    long_slots = layout.Take(header.long_slots, 4);
    long_ids = layout.Take(header.long_tokens, 4);
    long_offsets = layout.Take(header.long_tokens + 1, 4);
    long_bytes = layout.Take(header.long_bytes, 1);
    end = layout.at;
  }
};

struct Mapping {
  void* memory = MAP_FAILED;
  size_t size = 0;
  ~Mapping() {
    if (memory != MAP_FAILED) munmap(memory, size);
  }
};

bool Plausible(const Header& header, uint64_t size, const Sha256& tokenizer_json) {
  constexpr uint64_t kMost = uint64_t{1} << 32;
  bool sizes = header.file_bytes == size && header.missing_count <= sizeof(header.missing) &&
               std::has_single_bit(header.pair_lines) && header.pair_lines < kMost &&
               std::has_single_bit(header.vocab_lines) && header.vocab_lines < kMost &&
               std::has_single_bit(header.long_slots) && header.long_slots < kMost &&
               header.merged < kMost && header.long_tokens < kMost && header.long_bytes < kMost;
  return sizes && std::memcmp(header.magic, kMagic, sizeof(kMagic)) == 0 &&
         header.version == ByteBpePlanFile::kVersion &&
         std::string_view(header.tokenizer_json, 32) == tokenizer_json.raw() &&
         Offsets(header).end == size;
}

}  // namespace

std::string ByteBpePlanFile::Write(const ByteBpePlan& plan, const Sha256& tokenizer_json) {
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
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
  std::memcpy(header.tokenizer_json, tokenizer_json.data(), 32);
  std::memcpy(header.byte_ids, plan.byte_ids_.data(), sizeof(header.byte_ids));
  Offsets offsets(header);
  header.file_bytes = offsets.end;
  std::string bytes(offsets.end, '\0');
  auto put = [&bytes](uint64_t at, const void* from, uint64_t size) {
    if (size > 0) std::memcpy(bytes.data() + at, from, size);
  };
  put(offsets.byte_pairs, plan.byte_pair_ranks_, 65536 * 4);
  put(offsets.pairs, plan.pairs_, header.pair_lines * ByteBpePlan::kPairsPerLine * 8);
  put(offsets.vocab, plan.vocab_, header.vocab_lines * sizeof(ByteBpeVocabLine));
  put(offsets.merged, plan.merged_, header.merged * 4);
  put(offsets.long_slots, plan.long_slots_, header.long_slots * 4);
  put(offsets.long_ids, plan.long_ids_, header.long_tokens * 4);
  put(offsets.long_offsets, plan.long_offsets_, (header.long_tokens + 1) * 4);
  put(offsets.long_bytes, plan.long_bytes_, header.long_bytes);
  std::memcpy(bytes.data(), &header, sizeof(header));
  header.checksum = FileChecksum(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

std::shared_ptr<const ByteBpePlan> ByteBpePlanFile::Map(const std::filesystem::path& path,
                                                        const Sha256& tokenizer_json) {
  auto mapping = std::make_shared<Mapping>();
  try {
    UniqueFd file = OpenForRead(path);
    mapping->size = FileSize(file.get());
    if (mapping->size < sizeof(Header)) return nullptr;
    mapping->memory =
        mmap(nullptr, mapping->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  } catch (const Error&) {
    return nullptr;
  }
  if (mapping->memory == MAP_FAILED) return nullptr;
  const char* bytes = static_cast<const char*>(mapping->memory);
  Header header;
  std::memcpy(&header, bytes, sizeof(header));
  if (!Plausible(header, mapping->size, tokenizer_json) ||
      FileChecksum(bytes, mapping->size) != header.checksum) {
    return nullptr;
  }
  auto plan = std::make_shared<ByteBpePlan>();
  plan->config_ = {static_cast<ByteBpeSplit>(header.split), header.ignore_merges != 0,
                   header.nfc != 0, header.drops_unknown != 0};
  plan->missing_bytes_.assign(header.missing, header.missing_count);
  std::memcpy(plan->byte_ids_.data(), header.byte_ids, sizeof(header.byte_ids));
  Offsets offsets(header);
  auto words = [bytes](uint64_t at) { return reinterpret_cast<const uint32_t*>(bytes + at); };
  plan->byte_pair_ranks_ = words(offsets.byte_pairs);
  plan->pairs_ = reinterpret_cast<const uint64_t*>(bytes + offsets.pairs);
  plan->vocab_ = reinterpret_cast<const ByteBpeVocabLine*>(bytes + offsets.vocab);
  plan->merged_ = words(offsets.merged);
  plan->long_slots_ = words(offsets.long_slots);
  plan->long_ids_ = words(offsets.long_ids);
  plan->long_offsets_ = words(offsets.long_offsets);
  plan->long_bytes_ = bytes + offsets.long_bytes;
  plan->pair_mask_ = header.pair_lines - 1;
  plan->pair_shift_ = 64 - std::countr_zero(header.pair_lines);
  plan->vocab_mask_ = header.vocab_lines - 1;
  plan->vocab_shift_ = 64 - std::countr_zero(header.vocab_lines);
  plan->long_mask_ = header.long_slots - 1;
  plan->merged_count_ = header.merged;
  plan->long_count_ = header.long_tokens;
  plan->memory_ = std::move(mapping);
  return plan;
}

}  // namespace hearth::tokenizers
