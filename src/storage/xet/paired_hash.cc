#include "storage/xet/internal/paired_hash.h"

#include "base/cpu.h"

#if defined(__x86_64__)

// GCC 12 warns of the undefined values inside its own intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,sha"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,avx512f,avx512bw,avx512dq,avx512vl,sha")
#endif

// internal/paired_rounds.S, which says what they do. The lone ones leave SHA-256 alone.
extern "C" {
void hearth_paired_gather(const char* const* lanes, size_t offset, __m512i* message, __m128i* sha,
                          const char* block);
void hearth_lone_gather(const char* const* lanes, size_t offset, __m512i* message);
void hearth_paired_rounds(const __m512i* message, __m512i* state, __m128i* sha, const char* blocks);
void hearth_lone_rounds(const __m512i* message, __m512i* state);
}

namespace hearth::storage::internal {
namespace {

// In the order that the instructions want: a b e f, c d g h.
struct Sha {
  __m128i words[2];
};

void LoadWords(const uint32_t* words, Sha& sha) {
  __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words));
  __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words + 4));
  __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  sha.words[0] = _mm_alignr_epi8(cdab, efgh, 8);
  sha.words[1] = _mm_blend_epi16(efgh, cdab, 0xf0);
}

void StoreWords(const Sha& sha, uint32_t* words) {
  __m128i feba = _mm_shuffle_epi32(sha.words[0], 0x1b);
  __m128i dchg = _mm_shuffle_epi32(sha.words[1], 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

constexpr size_t kLanes = 16;
constexpr size_t kLeafBytes = 1024;
constexpr size_t kBlockBytes = 64;
constexpr size_t kMaxLeaves = kPairedMaxBytes / kLeafBytes;
// Of SHA-256 that hearth_paired_rounds takes.
constexpr size_t kRoundsBlocks = 7;

// BLAKE3's flags.
constexpr int kChunkStart = 1, kChunkEnd = 2, kParent = 4, kRoot = 8, kKeyed = 16;

constexpr uint32_t kInitial[4] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a};

// --- the tree over both

class Pair {
 public:
  Pair(const Blake3Key& key, const ShaBlocks& blocks) : blocks_(blocks) {
    std::memcpy(key_, key.data(), sizeof key_);
    LoadWords(blocks.words, sha_);
  }
  XetHash Hash(std::string_view bytes);
  size_t Finish() {
    StoreWords(sha_, blocks_.words);
    return taken_;
  }

 private:
  // What differs between the compressions of one call.
  struct Kind {
    __m512i counter, length, flags;
  };
  void HashLeaves(std::string_view bytes, size_t first);
  size_t HashParents(size_t nodes);
  void Gather(const char* const* lanes, size_t offset);
  // `chain` and message_ give `out`, which may be `chain`.
  void Compress(const __m512i* chain, const Kind& kind, __m512i* out);

  bool Room(size_t blocks) const { return blocks_.blocks - taken_ >= blocks; }
  const char* Take(size_t blocks) {
    const char* at = blocks_.bytes + kBlockBytes * taken_;
    taken_ += blocks;
    return at;
  }
  __m512i* Nodes(size_t word, size_t node) {
    return reinterpret_cast<__m512i*>(nodes_[word] + node);
  }

  alignas(64) __m512i message_[16];
  // Chaining values of a level of the tree, word by word.
  alignas(64) uint32_t nodes_[8][kMaxLeaves + kLanes];
  alignas(64) char tail_[kLeafBytes];  // a leaf that is not full, filled up with zeros
  uint32_t key_[8];
  ShaBlocks blocks_;
  Sha sha_;
  size_t taken_ = 0;
};

void Pair::Compress(const __m512i* chain, const Kind& kind, __m512i* out) {
  __m512i state[16];
  for (int i = 0; i < 8; ++i) state[i] = chain[i];
  for (int i = 0; i < 4; ++i) state[8 + i] = _mm512_set1_epi32(static_cast<int>(kInitial[i]));
  state[12] = kind.counter;
  state[13] = _mm512_setzero_si512();
  state[14] = kind.length;
  state[15] = kind.flags;
  if (Room(kRoundsBlocks)) {
    hearth_paired_rounds(message_, state, sha_.words, Take(kRoundsBlocks));
  } else {
    hearth_lone_rounds(message_, state);
  }
  for (int i = 0; i < 8; ++i) out[i] = state[i];
}

void Pair::Gather(const char* const* lanes, size_t offset) {
  if (Room(1)) {
    hearth_paired_gather(lanes, offset, message_, sha_.words, Take(1));
  } else {
    hearth_lone_gather(lanes, offset, message_);
  }
}

// Up to sixteen leaves from number `first` on.
void Pair::HashLeaves(std::string_view bytes, size_t first) {
  const char* lanes[kLanes];
  alignas(64) uint32_t blocks[kLanes] = {};
  alignas(64) uint32_t last_bytes[kLanes] = {};
  uint32_t most = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    size_t start = (first + lane) * kLeafBytes;
    lanes[lane] = tail_;
    if (start >= bytes.size()) continue;
    size_t length = std::min(kLeafBytes, bytes.size() - start);
    if (length == kLeafBytes) {
      lanes[lane] = bytes.data() + start;
    } else {
      std::memcpy(tail_, bytes.data() + start, length);
      std::memset(tail_ + length, 0, kLeafBytes - length);
    }
    blocks[lane] = static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes);
    last_bytes[lane] = static_cast<uint32_t>(length - kBlockBytes * (blocks[lane] - 1));
    most = std::max(most, blocks[lane]);
  }
  __m512i count = _mm512_load_si512(blocks);
  __m512i chain[8];
  for (int i = 0; i < 8; ++i) chain[i] = _mm512_set1_epi32(static_cast<int>(key_[i]));
  Kind kind;
  const __m512i kOrder = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  kind.counter = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)), kOrder);
  for (uint32_t block = 0; block < most; ++block) {
    __m512i number = _mm512_set1_epi32(static_cast<int>(block + 1));
    __mmask16 last = _mm512_cmpeq_epi32_mask(count, number);
    __mmask16 active = _mm512_cmpge_epu32_mask(count, number);
    int start = block == 0 ? kKeyed | kChunkStart : kKeyed;
    __m512i flags = _mm512_set1_epi32(start);
    kind.flags = _mm512_mask_or_epi32(flags, last, flags, _mm512_set1_epi32(kChunkEnd));
    kind.length =
        _mm512_mask_mov_epi32(_mm512_set1_epi32(kBlockBytes), last, _mm512_load_si512(last_bytes));
    Gather(lanes, block * kBlockBytes);
    __m512i next[8];
    Compress(chain, kind, next);
    for (int i = 0; i < 8; ++i) chain[i] = _mm512_mask_mov_epi32(chain[i], active, next[i]);
  }
  for (size_t i = 0; i < 8; ++i) *Nodes(i, first) = chain[i];
}

// Joins `nodes` (two or more) in pairs; an odd one goes up as it is. How many are left.
size_t Pair::HashParents(size_t nodes) {
  __m512i chain[8];
  for (int i = 0; i < 8; ++i) chain[i] = _mm512_set1_epi32(static_cast<int>(key_[i]));
  int flags = kKeyed | kParent | (nodes == 2 ? kRoot : 0);
  Kind kind{_mm512_setzero_si512(), _mm512_set1_epi32(kBlockBytes), _mm512_set1_epi32(flags)};
  const __m512i kEven =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i kOdd = _mm512_add_epi32(kEven, _mm512_set1_epi32(1));
  size_t pairs = nodes / 2;
  uint32_t odd[8];
  for (size_t i = 0; i < 8; ++i) odd[i] = nodes_[i][nodes - 1];
  for (size_t at = 0; at < pairs; at += kLanes) {
    for (size_t i = 0; i < 8; ++i) {
      __m512i left = *Nodes(i, 2 * at), right = *Nodes(i, 2 * at + kLanes);
      message_[i] = _mm512_permutex2var_epi32(left, kEven, right);
      message_[i + 8] = _mm512_permutex2var_epi32(left, kOdd, right);
    }
    __m512i out[8];
    Compress(chain, kind, out);
    for (size_t i = 0; i < 8; ++i) *Nodes(i, at) = out[i];
  }
  if (nodes % 2 == 0) return pairs;
  for (size_t i = 0; i < 8; ++i) nodes_[i][pairs] = odd[i];
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
