// Keys and values of running sequences, in pages.
//
// A page holds kPageTokens tokens of all layers and heads; a sequence owns a list of pages, which
// several sequences may share as long as their tokens are the same (a common prompt). Which page is
// whose is the scheduler's business (runtime/engine); this is only the memory and its layout, which
// the attention kernels know. Writes of different tokens may come from different threads.
//
// Layout of one head in a page, for elements of 4, 2 or 1 bytes:
//   keys    [head_dim][16 tokens]   so that one vector multiply-add serves 16 tokens
//   scales  16 floats, kInt8 only
//   values  [16 tokens][head_dim]
//   scales  16 floats, kInt8 only
// Every part starts at a multiple of 64 bytes as head_dim is a multiple of 4.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace hearth::tensor {

constexpr uint32_t kPageTokens = 16;

// kInt8: each token of a head has its own scale, its largest magnitude / 127.
enum class KvType : uint8_t { kF32, kF16, kInt8 };

struct KvShape {
  uint32_t layers = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;  // a multiple of 4
  KvType type = KvType::kF16;
};

class KvCache {
 public:
  // Reserves addresses; memory is used page by page as it is written. Throws kInvalidArgument for a
  // shape without elements or a head_dim that is not a multiple of 4, kTooLarge when the size has
  // no number, kUnavailable when the system refuses.
  KvCache(const KvShape& shape, uint32_t pages);

  const KvShape& shape() const { return shape_; }
  uint32_t pages() const { return pages_; }
  static uint64_t PageBytes(const KvShape& shape);
  // Of one head's keys (or values), their scales included.
  static uint64_t PartBytes(const KvShape& shape);
  // One layer's part of a page: for each head its keys, then its values.
  uint8_t* LayerPage(uint32_t page, uint32_t layer) const {
    return data_.get() + page * page_bytes_ + layer * layer_bytes_;
  }
  void CopyPage(uint32_t from, uint32_t to);

 private:
  struct Unmap {
    Unmap() {}
    explicit Unmap(uint64_t mapped_bytes) : bytes(mapped_bytes) {}
    uint64_t bytes = 0;
    void operator()(uint8_t* data) const;
  };

  KvShape shape_;
  uint32_t pages_;
  uint64_t page_bytes_, layer_bytes_;
  std::unique_ptr<uint8_t, Unmap> data_;
};

}  // namespace hearth::tensor
