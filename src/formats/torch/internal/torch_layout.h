// What stands between a checkpoint's pickle and its tensors: where storages lie in the file (by
// form), and the names of the tensors in the tree of values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/torch_checkpoint.h"

namespace hearth {

struct TorchFile {
  std::string_view form;
  bool big_endian = false;
  TorchPickle pickle;
  std::vector<TorchStorage> storages;     // one for each pickle.storages
  std::vector<const TorchDtype*> dtypes;  // of the storage's type
  // Packed storages: where the deflated bytes lie.
  std::vector<std::pair<uint64_t, uint64_t>> packed;
};

TorchFile OpenTorchZip(ByteSource& source, const TorchCheckpoint::Limits& limits);
TorchFile OpenTorchLegacy(ByteSource& source, const TorchCheckpoint::Limits& limits);

// "FloatStorage" -> float32; nullptr when unknown.
const TorchDtype* FindTorchStorageDtype(std::string_view type);

struct TorchNames {
  std::vector<std::pair<std::string, int64_t>> tensors;  // name and index, in the order of the tree
  Json values;
};

TorchNames NameTorchTensors(const TorchValue& root, const TorchCheckpoint::Limits& limits);

}  // namespace hearth
