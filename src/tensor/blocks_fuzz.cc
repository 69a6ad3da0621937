// Any bytes are blocks, and any finite numbers can be written: no tier may fault or differ.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "tensor/blocks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::tensor;
  if (size < 1) return 0;
  const BlockTypeInfo& info = BlockTypes()[data[0] % BlockTypes().size()];
  auto type = static_cast<BlockType>(info.id);
  std::vector<uint8_t> blocks(data + 1,
                              data + 1 + (size - 1) / info.block_bytes * info.block_bytes);
  std::vector<float> values(blocks.size() / info.block_bytes * info.block_elements), again(values);
  Dequantize(type, blocks, values, hearth::Tier::kPortable);
  Dequantize(type, blocks, again);
  for (size_t i = 0; i < values.size(); ++i) {
    bool same = std::memcmp(&values[i], &again[i], sizeof(float)) == 0;
    if (!same && !(std::isnan(values[i]) && std::isnan(again[i]))) abort();
  }
  if (!CanQuantize(type)) return 0;
  // The same bytes as numbers: infinities, subnormals and all.
  std::vector<float> numbers((size - 1) / 4 / info.block_elements * info.block_elements);
  if (!numbers.empty()) std::memcpy(numbers.data(), data + 1, numbers.size() * 4);
  std::vector<uint8_t> first(BlockBytes(type, numbers.size())), second(first);
  try {
    Quantize(type, numbers, first, hearth::Tier::kPortable);
    Quantize(type, numbers, second);
  } catch (const hearth::Error&) {
    return 0;
  }
  if (first != second) abort();
  return 0;
}
