#include "storage/xet/trail.h"

#include <cstring>
#include <memory>
#include <string>

namespace hearth::storage {
namespace {

// Any fixed key that nothing else is hashed under.
constexpr Blake3Key kTrailKey = {'h', 'e', 'a', 'r', 't', 'h', ' ', 't', 'r', 'a', 'i', 'l'};
// A hasher and the cache's own entry.
constexpr size_t kHasherBytes = 384;

}  // namespace

XetHash StartTrail(int64_t owner) {
  XetHash trail;
  std::memcpy(trail.data(), &owner, sizeof(owner));
  return trail;
}

XetHash ExtendTrail(const XetHash& before, const XetHash& xorb, uint32_t chunk_start,
                    uint32_t chunk_end) {
  std::string text;
  text += before.raw();
  text += xorb.raw();
  text.append(reinterpret_cast<const char*>(&chunk_start), sizeof(chunk_start));
  text.append(reinterpret_cast<const char*>(&chunk_end), sizeof(chunk_end));
  return Blake3Keyed(kTrailKey, text);
}

void TrailCache::Put(const XetHash& trail, const Sha256Hasher& hasher) {
  hashers_.Put(trail, std::make_shared<const Sha256Hasher>(hasher.Clone()), kHasherBytes);
}

TrailCache::Known TrailCache::FindLongest(const XetHash& start, const std::vector<XetTerm>& terms) {
  std::shared_ptr<const Sha256Hasher> longest;
  Known known;
  XetHash trail = start;
  uint64_t bytes = 0;
  for (size_t i = 0; i < terms.size();) {
    const XetTerm& first = terms[i];
    uint32_t chunk_end = first.chunk_start;
    for (; i < terms.size() && terms[i].xorb == first.xorb && terms[i].chunk_start == chunk_end;
         ++i) {
      chunk_end = terms[i].chunk_end;
      bytes += terms[i].unpacked_bytes;
    }
    trail = ExtendTrail(trail, first.xorb, first.chunk_start, chunk_end);
    if (auto found = hashers_.Find(trail)) {
      longest = *std::move(found);
      known.bytes = bytes;
    }
  }
  if (longest) known.hasher = longest->Clone();
  return known;
}

}  // namespace hearth::storage
