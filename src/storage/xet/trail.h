// SHA-256 of content that is made of xorbs, in steps: what one step has hashed, the next need not.
//
// A trail names the beginning of a file: the sequence of chunk ranges that it is made of, ranges of
// one xorb that touch merged. TrailCache keeps hashers that have taken exactly the content of a
// trail. Chunks are named by the hash of their content, so a trail's content never changes; it says
// nothing about whether the xorbs are still stored, or for whom. In memory only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "storage/xet/internal/lru_cache.h"
#include "storage/xet/reconstruction.h"
#include "storage/xet/xet_hash.h"

namespace hearth::storage {

// The trail at the first byte of a file. Trails of different owners never meet, so that nobody's
// work is saved by what somebody else has sent.
XetHash StartTrail(int64_t owner);
// The trail that goes on behind `before` with chunks [chunk_start, chunk_end) of a xorb.
XetHash ExtendTrail(const XetHash& before, const XetHash& xorb, uint32_t chunk_start,
                    uint32_t chunk_end);

// The most recently used hashers, about `capacity_bytes` of them. Thread-safe.
class TrailCache {
 public:
  explicit TrailCache(size_t capacity_bytes) : hashers_(capacity_bytes) {}

  // `hasher` has taken the content of `trail`, nothing else, and goes on alone.
  void Put(const XetHash& trail, const Sha256Hasher& hasher);

  struct Known {
    Sha256Hasher hasher;
    uint64_t bytes = 0;  // of the file, from its first on
  };
  // The longest beginning of the file with these terms, from the trail `start` on, that a hasher
  // has taken; `bytes` may be 0. The lengths of the terms are those of their chunks.
  Known FindLongest(const XetHash& start, const std::vector<XetTerm>& terms);

 private:
  internal::LruCache<XetHash, std::shared_ptr<const Sha256Hasher>> hashers_;
};

}  // namespace hearth::storage
