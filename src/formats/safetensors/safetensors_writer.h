// Writes safetensors files: header first, then the tensors' bytes in the header's order.
//
// The layout is the reference writer's, byte for byte: tensors sorted by dtype, widest kind first,
// then by name; the header padded with spaces to a multiple of 8. Shapes must be known when the
// writer is made, contents come as a stream, so a file of any size takes constant memory. Not
// thread-safe. Errors: kInvalidArgument for names that repeat, bits that fill no bytes, or too few
// or too many bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "formats/safetensors/safetensors.h"
#include "formats/source/file_writer.h"

namespace hearth {

struct SafetensorsItem {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::kF32;
  std::vector<uint64_t> shape;  // outermost first
};

// Bytes of the item's values; throws kInvalidArgument.
uint64_t SafetensorsBytes(const SafetensorsItem& item);

class SafetensorsWriter {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  SafetensorsWriter(const std::filesystem::path& target, IfExists if_exists,
                    std::vector<SafetensorsItem> items, const Metadata& metadata);

  // In the order in which their bytes are expected.
  const std::vector<SafetensorsItem>& items() const { return items_; }
  // The next bytes; tensors follow each other without gaps.
  void Append(std::span<const uint8_t> bytes);
  void Commit();

 private:
  std::vector<SafetensorsItem> items_;
  uint64_t left_ = 0;  // bytes still to come
  FileWriter file_;
};

// The text of model.safetensors.index.json. `weight_map`: tensor -> file.
std::string SafetensorsIndexJson(std::vector<std::pair<std::string, std::string>> weight_map,
                                 uint64_t total_size);

}  // namespace hearth
