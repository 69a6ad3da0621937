#include "storage/xet/internal/paired_hash.h"

#include "base/cpu.h"

#if defined(__x86_64__)

// GCC 12 warns of the undefined values inside its own intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,sha"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,avx512f,avx512bw,avx512dq,avx512vl,sha")
#endif

namespace hearth::storage::internal {
namespace {

// What internal/paired_rounds.S works on; it knows the members' places.
struct alignas(64) PairedJob {
  __m512i message[16];  // word by word, of sixteen compressions
  __m512i chain[8];     // before and after
  __m512i counter, length, flags;
  const char* lanes[16];  // where the message comes from, at `offset`
  __m128i sha[2];         // in the order that the instructions want: a b e f, c d g h
  size_t offset;
  const char* blocks;  // of SHA-256, the next one
  uint64_t active;     // a bit for each compression whose chain changes
};
static_assert(offsetof(PairedJob, chain) == 1024 && offsetof(PairedJob, flags) == 1664 &&
              offsetof(PairedJob, lanes) == 1728 && offsetof(PairedJob, sha) == 1856 &&
              offsetof(PairedJob, offset) == 1888 && offsetof(PairedJob, active) == 1904);

}  // namespace
}  // namespace hearth::storage::internal

// From the lanes' next block, or a message that is there already; with SHA-256 between, or alone.
extern "C" {
void hearth_paired_block(hearth::storage::internal::PairedJob*);
void hearth_lone_block(hearth::storage::internal::PairedJob*);
void hearth_paired_message(hearth::storage::internal::PairedJob*);
void hearth_lone_message(hearth::storage::internal::PairedJob*);
}

namespace hearth::storage::internal {
namespace {

void LoadWords(const uint32_t* words, __m128i* sha) {
  __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words));
  __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words + 4));
  __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  sha[0] = _mm_alignr_epi8(cdab, efgh, 8);
  sha[1] = _mm_blend_epi16(efgh, cdab, 0xf0);
}

void StoreWords(const __m128i* sha, uint32_t* words) {
  __m128i feba = _mm_shuffle_epi32(sha[0], 0x1b);
  __m128i dchg = _mm_shuffle_epi32(sha[1], 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

constexpr size_t kLanes = 16;
constexpr size_t kLeafBytes = 1024;
constexpr size_t kBlockBytes = 64;
constexpr size_t kMaxLeaves = kPairedMaxBytes / kLeafBytes;
// Of SHA-256 that the paired functions take: one with the gathering, and two in each round.
constexpr size_t kMessageBlocks = 14;
constexpr size_t kBlockBlocks = 15;

// BLAKE3's flags.
constexpr int kChunkStart = 1, kChunkEnd = 2, kParent = 4, kRoot = 8, kKeyed = 16;

// --- the tree over both

class Pair {
 public:
  Pair(const Blake3Key& key, const ShaBlocks& blocks) : blocks_(blocks) {
    std::memcpy(key_, key.data(), sizeof key_);
    LoadWords(blocks.words, job_.sha);
    job_.blocks = blocks.bytes;
  }
  XetHash Hash(std::string_view bytes);
  size_t Finish() {
    StoreWords(job_.sha, blocks_.words);
    return Taken();
  }

 private:
  void HashLeaves(std::string_view bytes, size_t first);
  size_t HashParents(size_t nodes);
  // The chain begins with the key.
  void Begin() {
    for (int i = 0; i < 8; ++i) job_.chain[i] = _mm512_set1_epi32(static_cast<int>(key_[i]));
  }

  size_t Taken() const { return static_cast<size_t>(job_.blocks - blocks_.bytes) / kBlockBytes; }
  bool Room(size_t blocks) const { return blocks_.blocks - Taken() >= blocks; }
  __m512i* Nodes(size_t word, size_t node) {
    return reinterpret_cast<__m512i*>(nodes_[word] + node);
  }

  PairedJob job_;
  // Chaining values of a level of the tree, word by word.
  alignas(64) uint32_t nodes_[8][kMaxLeaves + kLanes];
  alignas(64) char tail_[kLeafBytes];  // a leaf that is not full, filled up with zeros
  uint32_t key_[8];
  ShaBlocks blocks_;
};

// Up to sixteen leaves from number `first` on.
void Pair::HashLeaves(std::string_view bytes, size_t first) {
  alignas(64) uint32_t blocks[kLanes] = {};
  alignas(64) uint32_t last_bytes[kLanes] = {};
  uint32_t most = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    size_t start = (first + lane) * kLeafBytes;
    job_.lanes[lane] = tail_;
    if (start >= bytes.size()) continue;
    size_t length = std::min(kLeafBytes, bytes.size() - start);
    if (length == kLeafBytes) {
      job_.lanes[lane] = bytes.data() + start;
    } else {
      std::memcpy(tail_, bytes.data() + start, length);
      std::memset(tail_ + length, 0, kLeafBytes - length);
    }
    blocks[lane] = static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes);
    last_bytes[lane] = static_cast<uint32_t>(length - kBlockBytes * (blocks[lane] - 1));
    most = std::max(most, blocks[lane]);
    if (start + kLanes * kLeafBytes < bytes.size()) {
      _mm_prefetch(bytes.data() + start + kLanes * kLeafBytes, _MM_HINT_T0);
    }
  }
  const __m512i count = _mm512_load_si512(blocks);
  const __m512i last_length = _mm512_load_si512(last_bytes);
  const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  Begin();
  job_.counter = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)), order);
  for (uint32_t block = 0; block < most; ++block) {
    __m512i number = _mm512_set1_epi32(static_cast<int>(block + 1));
    __mmask16 last = _mm512_cmpeq_epi32_mask(count, number);
    job_.active = _mm512_cmpge_epu32_mask(count, number);
    __m512i flags = _mm512_set1_epi32(block == 0 ? kKeyed | kChunkStart : kKeyed);
    job_.flags = _mm512_mask_or_epi32(flags, last, flags, _mm512_set1_epi32(kChunkEnd));
    job_.length = _mm512_mask_mov_epi32(_mm512_set1_epi32(kBlockBytes), last, last_length);
    job_.offset = block * kBlockBytes;
    Room(kBlockBlocks) ? hearth_paired_block(&job_) : hearth_lone_block(&job_);
  }
  for (size_t i = 0; i < 8; ++i) *Nodes(i, first) = job_.chain[i];
}

// Joins `nodes` (two or more) in pairs; an odd one goes up as it is. How many are left.
size_t Pair::HashParents(size_t nodes) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  job_.counter = _mm512_setzero_si512();
  job_.length = _mm512_set1_epi32(kBlockBytes);
  job_.flags = _mm512_set1_epi32(kKeyed | kParent | (nodes == 2 ? kRoot : 0));
  job_.active = 0xffff;
  size_t pairs = nodes / 2;
  uint32_t alone[8];
  for (size_t i = 0; i < 8; ++i) alone[i] = nodes_[i][nodes - 1];
  for (size_t at = 0; at < pairs; at += kLanes) {
    for (size_t i = 0; i < 8; ++i) {
      __m512i left = *Nodes(i, 2 * at), right = *Nodes(i, 2 * at + kLanes);
      job_.message[i] = _mm512_permutex2var_epi32(left, even, right);
      job_.message[i + 8] = _mm512_permutex2var_epi32(left, odd, right);
    }
    Begin();
    Room(kMessageBlocks) ? hearth_paired_message(&job_) : hearth_lone_message(&job_);
    for (size_t i = 0; i < 8; ++i) *Nodes(i, at) = job_.chain[i];
  }
  if (nodes % 2 == 0) return pairs;
  for (size_t i = 0; i < 8; ++i) nodes_[i][pairs] = alone[i];
  return pairs + 1;
}

XetHash Pair::Hash(std::string_view bytes) {
  size_t leaves = (bytes.size() + kLeafBytes - 1) / kLeafBytes;
  for (size_t first = 0; first < leaves; first += kLanes) HashLeaves(bytes, first);
  for (size_t nodes = leaves; nodes > 1;) nodes = HashParents(nodes);
  uint32_t root[8];
  for (size_t i = 0; i < 8; ++i) root[i] = nodes_[i][0];
  return XetHash::FromRaw({reinterpret_cast<const char*>(root), sizeof root});
}

}  // namespace

size_t PairedHash(const Blake3Key& key, std::string_view bytes, const ShaBlocks& sha,
                  XetHash* hash) {
  Pair pair(key, sha);
  *hash = pair.Hash(bytes);
  return pair.Finish();
}

}  // namespace hearth::storage::internal

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace hearth::storage::internal {

bool HasPairedHash() { return GetCpuExtensions().sha; }

}  // namespace hearth::storage::internal

#else

namespace hearth::storage::internal {

bool HasPairedHash() { return false; }
size_t PairedHash(const Blake3Key&, std::string_view, const ShaBlocks&, XetHash*) { return 0; }

}  // namespace hearth::storage::internal

#endif
