// A checkpoint in one or many safetensors files, seen as one list of tensors.
//
// Open takes a .safetensors file, a *.safetensors.index.json, or a folder that holds
// model.safetensors or its index (or exactly one file of either kind). Every tensor that the index
// names must be in the file that it names. All files are mapped. Const functions are safe for
// concurrent use. Errors: kNotFound, kInvalidArgument.
#pragma once

#include <memory>

#include "formats/safetensors/safetensors_file.h"

namespace hearth {

class ShardedCheckpoint {
 public:
  struct Entry {
    const SafetensorsFile* file;
    const SafetensorsTensor* tensor;
  };

  static ShardedCheckpoint Open(const std::filesystem::path& path);

  // Sorted by name.
  const std::vector<Entry>& entries() const { return entries_; }
  // nullptr when no tensor has the name.
  const Entry* Find(std::string_view name) const;
  // The files.
  std::vector<const MappedSource*> Sources() const;
  std::span<const uint8_t> Bytes(const Entry& entry) const {
    return entry.file->Bytes(*entry.tensor);
  }
  // Of the first file.
  const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return files_.front()->header().metadata;
  }

 private:
  ShardedCheckpoint() = default;

  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::vector<Entry> entries_;
};

}  // namespace hearth
