#include "tensor/weights.h"

#include "base/error.h"
#include "tensor/blocks.h"

namespace hearth::tensor {

uint64_t WeightView::row_bytes() const { return BlockBytes(type, columns); }

WeightView WeightView::Rows(uint64_t first, uint64_t count) const {
  return {count, columns, type, data + first * row_bytes()};
}

std::vector<float> ToFloats(const WeightView& weight) {
  std::vector<float> floats(weight.elements());
  Dequantize(weight.type, weight.bytes(), floats);
  return floats;
}

Weight WeightSet::Add(std::string name, const WeightView& view) {
  if (view.rows == 0 || view.columns == 0 || view.data == nullptr) {
    throw Error(Code::kInvalidArgument, "the tensor " + name + " is empty");
  }
  auto index = static_cast<int32_t>(entries_.size());
  if (!index_.emplace(name, index).second) {
    throw Error(Code::kInvalidArgument, "the tensor " + name + " appears twice");
  }
  entries_.push_back({std::move(name), view});
  return Weight{index};
}

std::optional<Weight> WeightSet::Find(std::string_view name) const {
  auto found = index_.find(std::string(name));
  if (found == index_.end()) return std::nullopt;
  return Weight{found->second};
}

uint64_t WeightSet::bytes() const {
  uint64_t total = 0;
  for (const Entry& entry : entries_) total += entry.view.rows * entry.view.row_bytes();
  return total;
}

}  // namespace hearth::tensor
