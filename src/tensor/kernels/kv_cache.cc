#include "tensor/kernels/kv_cache.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

#include "base/error.h"

namespace hearth::tensor {
namespace {

// Huge pages begin at multiples of this; a sequence's pages are far apart, and with pages of 4 KB
// every head of every page would miss the address translation cache.
constexpr uint64_t kHugePageBytes = 2 << 20;

uint64_t ElementBytes(KvType type) {
  switch (type) {
    case KvType::kF32:
      return 4;
    case KvType::kF16:
      return 2;
    case KvType::kInt8:
      return 1;
  }
  return 4;
}

void CheckShape(const KvShape& shape) {
  if (shape.layers == 0 || shape.kv_heads == 0 || shape.head_dim == 0 || shape.head_dim % 4 != 0) {
    throw Error(Code::kInvalidArgument,
                "a KV cache needs layers, heads and a head size that is a multiple of 4");
  }
}

}  // namespace

uint64_t KvCache::PartBytes(const KvShape& shape) {
  uint64_t scales = shape.type == KvType::kInt8 ? kPageTokens * sizeof(float) : 0;
  return uint64_t{kPageTokens} * shape.head_dim * ElementBytes(shape.type) + scales;
}

uint64_t KvCache::PageBytes(const KvShape& shape) {
  return 2 * PartBytes(shape) * shape.kv_heads * shape.layers;
}

void KvCache::Unmap::operator()(uint8_t* data) const { munmap(data, bytes); }

KvCache::KvCache(const KvShape& shape, uint32_t pages) : shape_(shape), pages_(pages) {
  CheckShape(shape);
  layer_bytes_ = 2 * PartBytes(shape) * shape.kv_heads;
  page_bytes_ = layer_bytes_ * shape.layers;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(page_bytes_, uint64_t{pages}, &bytes) || bytes > uint64_t{1} << 46) {
    throw Error(Code::kTooLarge, "a KV cache of " + std::to_string(pages) + " pages is too large");
  }
  bytes = (bytes / kHugePageBytes + 1) * kHugePageBytes;
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    throw Error(Code::kUnavailable,
                "no memory for a KV cache of " + std::to_string(bytes) + " bytes");
  }
  madvise(data, bytes, MADV_HUGEPAGE);  // a wish: without it all works, slower
  data_ = {static_cast<uint8_t*>(data), Unmap{bytes}};
}

void KvCache::CopyPage(uint32_t from, uint32_t to) {
  if (from != to) std::memcpy(LayerPage(to, 0), LayerPage(from, 0), page_bytes_);
}

}  // namespace hearth::tensor
