// The BLAKE3 hash of a chunk and the SHA-256 of the file that it is part of, in one pass.
//
// SHA-256 is one chain: each pair of its rounds waits for the pair before, so that three quarters
// of a processor's issue slots stay empty however good its SHA instructions are. BLAKE3 over
// sixteen leaves at once fills them: mixed instruction by instruction, both take the time that
// SHA-256 takes alone.
//
// Pure, thread-safe. BLAKE3: https://github.com/BLAKE3-team/BLAKE3-specs; SHA-256: FIPS 180-4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/xet/xet_hash.h"

namespace hearth::storage::internal {

// Below three leaves there is nothing to do at once.
constexpr size_t kPairedMinBytes = 2049;
constexpr size_t kPairedMaxBytes = 128 << 10;

// Whether this machine has the instructions (AVX-512 and SHA).
bool HasPairedHash();

struct ShaBlocks {
  uint32_t* words;    // the eight chaining words, taken further
  const char* bytes;  // the next blocks, anywhere in memory
  size_t blocks;      // of 64 bytes
};

// The keyed hash of `bytes` (kPairedMinBytes to kPairedMaxBytes of them). Meanwhile takes as many
// of `sha`'s blocks as there is room for, in order, and returns how many those were: the last few
// are usually left. Precondition: HasPairedHash().
size_t PairedHash(const Blake3Key& key, std::string_view bytes, const ShaBlocks& sha,
                  XetHash* hash);

}  // namespace hearth::storage::internal
