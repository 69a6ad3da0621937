// Any source as a safetensors checkpoint: one file or shards with an index, other element types on
// the way.
//
// Tensors pass one after another in pieces. Errors: the readers' and writers'.
#pragma once

#include <filesystem>
#include <optional>

#include "formats/convert/job.h"
#include "formats/convert/tensor_source.h"

namespace hearth::convert {

struct SafetensorsTarget {
  // A folder, in which model.safetensors or shards and their index are made, or one file.
  std::filesystem::path path;
  // What floats become; integers and booleans stay. Absent: all stay.
  std::optional<tensor::Dtype> dtype;
};

// `side_files`: the folder whose configuration and tokenizer go along into a target folder; may be
// empty.
void ConvertToSafetensors(TensorSource& source, const std::filesystem::path& side_files,
                          const SafetensorsTarget& target, const Job& job);

}  // namespace hearth::convert
