#include "tensor/weights.h"

#include <sys/mman.h>

#include <mutex>
#include <utility>

#include "base/error.h"
#include "tensor/blocks.h"

namespace hearth::tensor {

uint64_t WeightView::row_bytes() const { return BlockBytes(type, columns); }

WeightView WeightView::Rows(uint64_t first, uint64_t count) const {
  return {count, columns, type, data + first * row_bytes(), owner};
}

std::vector<float> ToFloats(const WeightView& weight) {
  std::vector<float> floats(weight.elements());
  Dequantize(weight.type, weight.bytes(), floats);
  return floats;
}

// Made bytes, while somebody has them.
struct WeightSet::Lazy {
  Make make;
  std::mutex mutex;
  std::weak_ptr<const void> owner;
  const uint8_t* data = nullptr;
};

Weight WeightSet::AddEntry(Entry entry) {
  if (entry.view.rows == 0 || entry.view.columns == 0) {
    throw Error(Code::kInvalidArgument, "the tensor " + entry.name + " is empty");
  }
  auto index = static_cast<int32_t>(entries_.size());
  if (!index_.emplace(entry.name, index).second) {
    throw Error(Code::kInvalidArgument, "the tensor " + entry.name + " appears twice");
  }
  entries_.push_back(std::move(entry));
  return Weight{index};
}

Weight WeightSet::Add(std::string name, const WeightView& view) {
  if (view.data == nullptr) {
    throw Error(Code::kInvalidArgument, "the tensor " + name + " is empty");
  }
  return AddEntry({std::move(name), view, nullptr});
}

Weight WeightSet::AddLazy(std::string name, const WeightView& shape, Make make) {
  auto lazy = std::make_shared<Lazy>();
  lazy->make = std::move(make);
  return AddEntry({std::move(name), {shape.rows, shape.columns, shape.type}, std::move(lazy)});
}

WeightView WeightSet::View(Weight weight) const {
  const Entry& entry = entries_[weight.index];
  WeightView view = entry.view;
  if (entry.lazy == nullptr) return view;
  Lazy& lazy = *entry.lazy;
  std::lock_guard lock(lazy.mutex);
  view.owner = lazy.owner.lock();
  if (view.owner == nullptr) {
    WeightView made = lazy.make();
    lazy.data = made.data;
    lazy.owner = view.owner = std::move(made.owner);
  }
  view.data = lazy.data;
  return view;
}

void WeightSet::KeepFile(std::shared_ptr<const void> owner, WeightFile file) {
  Keep(std::move(owner));
  files_.push_back(std::move(file));
}

void WeightSet::ForgetPages() const {
  // Whole mappings begin at a page.
  for (const WeightFile& file : files_) {
    madvise(const_cast<uint8_t*>(file.bytes.data()), file.bytes.size(), MADV_DONTNEED);
  }
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
