// Keys and values of running sequences, in pages.
//
// A page holds kPageTokens tokens of all layers and heads; a sequence owns a list of pages, which
// several sequences may share as long as their tokens are the same (a common prompt). Which page is
// whose is the scheduler's business (runtime/engine); this is only the memory and its layout, which
// the attention kernels know. Writes of different tokens may come from different threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace hearth::tensor {

constexpr uint32_t kPageTokens = 16;

enum class KvType : uint8_t { kF32, kF16, kInt8 };

struct KvShape {
  uint32_t layers = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;
  KvType type = KvType::kF16;
};

class KvCache {
 public:
  KvCache(const KvShape& shape, uint32_t pages);

  const KvShape& shape() const { return shape_; }
  uint32_t pages() const { return pages_; }
  static uint64_t PageBytes(const KvShape& shape);
  // One layer's part of a page: for each head its kPageTokens keys, then its values, in the order
  // that the attention kernels want.
  uint8_t* LayerPage(uint32_t page, uint32_t layer) const {
    return data_.get() + page * page_bytes_ + layer * layer_bytes_;
  }
  void CopyPage(uint32_t from, uint32_t to);

 private:
  KvShape shape_;
  uint32_t pages_;
  uint64_t page_bytes_, layer_bytes_;
  std::unique_ptr<uint8_t[], void (*)(uint8_t*)> data_;  // pages of memory appear when touched
};

}  // namespace hearth::tensor
