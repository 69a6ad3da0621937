// Which files of a repository together are one set of weights: the shards of an index, the parts of
// a split GGUF model, or a file alone. A repository may offer the same weights several times
// (safetensors and .bin, ten quantisations): each is a set of its own. Pure apart from reading
// headers; one view, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/inspector/finding.h"
#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/tensor_file.h"

namespace hearth::inspector {

struct WeightSet {
  std::string name;    // "model.safetensors", "q4/model-Q4_K_M.gguf": index or first file
  std::string format;  // "safetensors", "gguf", "pytorch"
  std::vector<std::string> files;  // sorted
  uint64_t file_bytes = 0;
  bool is_adapter = false;           // names say so: adapter_model.*, *lora*
  std::vector<std::string> missing;  // files that the index or the numbering speaks of
};

// The main one first: safetensors before .bin before GGUF, the root before folders, then by name.
// States of trainers (optimizer.pt and the like), vocabularies and importance matrices are no
// weights. At most 2000 sets.
std::vector<WeightSet> FindWeightSets(const RepoView& view);

// What the headers of a set say, without reading weights.
struct WeightHeaders {
  std::vector<TensorInfo> tensors;  // of all files, in their order
  std::vector<size_t> file_of;      // for each tensor the position in WeightSet::files
  std::vector<std::pair<std::string, std::string>> metadata;  // of the first file
  uint64_t tensor_bytes = 0;                                  // without tied names
  uint64_t parameters = 0;
  std::vector<std::pair<std::string, uint64_t>> by_dtype;        // parameters, most first
  std::vector<std::pair<std::string, uint64_t>> bytes_by_dtype;  // in the same order
  std::vector<std::string> faults;                               // "file: why it was not read"

  const TensorInfo* Find(std::string_view name) const;  // by a scan
  // 8 * bytes / parameters; 0 without parameters.
  double BitsPerWeight() const;
};
WeightHeaders ReadWeightHeaders(const RepoView& view, const WeightSet& set);

// "Q4_K_M" of a GGUF set from its header or name, "BF16" for most parameters elsewhere.
std::string PrecisionName(const WeightSet& set, const WeightHeaders& headers);

}  // namespace hearth::inspector
