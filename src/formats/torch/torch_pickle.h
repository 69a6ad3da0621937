// The restricted pickle machine for PyTorch checkpoints: the opcodes and the globals of
// torch.load(weights_only=True), built into plain values. No name is imported and no code runs: a
// global is a word of a closed list, and calling one makes the value that the list says. Pure apart
// from the source's reads. Errors: kInvalidArgument (malformed), kForbidden (a global or opcode
// that is not on the list; detail "global"), kTooLarge.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/source/source.h"

namespace hearth {

struct TorchValue;
// Owned by the TorchPickle; containers may hold themselves, so nothing below owns anything.
using TorchValuePtr = TorchValue*;

struct TorchValue {
  enum class Kind {
    kNone,
    kBool,
    kInt,
    kBigInt,
    kFloat,
    kString,
    kBytes,
    kTuple,
    kList,
    kDict,
    kSet,
    kGlobal,   // text = "torch.float32"
    kStorage,  // integer = index of the storage
    kTensor,   // integer = index of the tensor
    kOpaque,   // made by a call that has no plain value: text says which
    kMark,
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;  // also bool
  double real = 0;
  std::string text;                  // string, bytes, global, opaque
  std::vector<TorchValuePtr> items;  // tuple, list, set; arguments of opaque
  std::vector<std::pair<TorchValuePtr, TorchValuePtr>> map;  // dict, in insertion order
};

// One storage as a persistent id names it.
struct TorchStorageId {
  std::string key;
  std::string type;  // "FloatStorage", "UntypedStorage", ...
  std::string location;
  uint64_t elements = 0;
  // A view of another storage (legacy files): elements from its start.
  bool is_view = false;
  std::string view_key;
  uint64_t view_offset = 0;
  uint64_t view_elements = 0;
};

// A tensor as its rebuild call says; nothing is checked against the storage yet.
struct TorchTensorCall {
  int64_t storage = -1;  // index; -1: no data in the file (meta)
  int64_t offset = 0;    // elements
  std::vector<int64_t> shape;
  std::vector<int64_t> stride;
  bool requires_grad = false;
  std::string dtype;  // "torch.float32" where the call names one, else the storage's
  std::string
      refuse;  // why the values cannot be read as plain numbers: "conjugate view", "quantized", ...
};

struct TorchPickle {
  std::deque<TorchValue> values;
  TorchValuePtr root = nullptr;
  std::vector<TorchStorageId> storages;
  std::vector<TorchTensorCall> tensors;
  uint64_t end = 0;  // first byte after STOP
};

struct TorchPickleLimits {
  uint64_t max_ops = 50'000'000;
  uint64_t max_values = 5'000'000;
  uint64_t max_text_bytes = 1ull << 30;  // all strings together
  size_t max_depth = 200;                // of marks
};

// Reads one pickle from `begin`.
TorchPickle ReadTorchPickle(ByteSource& source, uint64_t begin,
                            const TorchPickleLimits& limits = {});

// True for a global that ReadTorchPickle accepts.
bool IsTorchWeightsGlobal(std::string_view module, std::string_view name);

}  // namespace hearth
