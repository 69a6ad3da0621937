// The closed list of globals of torch.load(weights_only=True) and what calling one of them makes.
// Source of the list: torch/_weights_only_unpickler.py of PyTorch 2.13. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/torch_pickle.h"

namespace hearth {

struct TorchCallResult {
  TorchValue value;
  TorchValue* same = nullptr;  // the call gives back an existing value
  std::string fault;           // not empty: the arguments are wrong; says how
};

// `global` is on the list. New tensors are added to `pickle`.
TorchCallResult CallTorchGlobal(std::string_view global, const std::vector<TorchValue*>& arguments,
                                TorchPickle* pickle);

// (storage, offset, size, stride); returns the fault or nothing.
std::string SetTorchTensor(const std::vector<TorchValue*>& state, TorchTensorCall* tensor);

// ('storage', type, key, location, elements[, view]); returns the fault or nothing.
std::string ParseTorchStorageId(const TorchValue& id, TorchStorageId* storage);

}  // namespace hearth
