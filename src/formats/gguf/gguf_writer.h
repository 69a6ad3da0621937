// Writes GGUF version 3: metadata in the order given, tensors in the order given, each aligned.
//
// Shapes and types must be known when the writer is made; contents come as a stream, so a file of
// any size takes constant memory. Metadata uses the reader's structure: `type` names the value's
// type ("uint32", "array[string]", ...). Not thread-safe. Errors: kInvalidArgument for values that
// do not fit their type, repeated names, rows that are no whole blocks, or too few or too many
// bytes.
#pragma once

#include <string>
#include <vector>

#include "formats/gguf/gguf.h"
#include "formats/source/file_writer.h"
#include "tensor/block_types.h"

namespace hearth {

struct GgufItem {
  std::string name;
  tensor::BlockType type = tensor::BlockType::kF32;
  std::vector<uint64_t> shape;  // outermost first; written reversed
};

// Bytes of the item's values, without padding; throws kInvalidArgument.
uint64_t GgufBytes(const GgufItem& item);

// Metadata entries by type.
GgufMetadata GgufString(std::string key, std::string value);
GgufMetadata GgufUint32(std::string key, uint64_t value);
GgufMetadata GgufFloat32(std::string key, double value);
GgufMetadata GgufBool(std::string key, bool value);
GgufMetadata GgufTyped(std::string key, std::string type, Json value);

class GgufWriter {
 public:
  // `general.alignment` in the metadata sets the alignment (32 without it).
  GgufWriter(const std::filesystem::path& target, IfExists if_exists, std::vector<GgufItem> items,
             const std::vector<GgufMetadata>& metadata);

  const std::vector<GgufItem>& items() const { return items_; }
  // The next bytes; a tensor's bytes may come in pieces, but a piece belongs to one tensor. Padding
  // is added here.
  void Append(std::span<const uint8_t> bytes);
  void Commit();

 private:
  void SkipEmpty();

  std::vector<GgufItem> items_;
  uint64_t alignment_ = 32;
  size_t current_ = 0;
  uint64_t left_ = 0;  // bytes of the current tensor still to come
  FileWriter file_;
};

}  // namespace hearth
