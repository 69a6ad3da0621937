// Which tensor of one set of weights corresponds to which of another: by name, across the names of
// GGUF and checkpoints by the tables of formats/convert, and by the digest of the bytes for what
// was renamed. Pure; linear in the tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/json.h"
#include "formats/convert/architecture.h"
#include "formats/convert/transform.h"
#include "hub/inspector/weights/tensor_hash.h"
#include "hub/inspector/weights/weight_sets.h"

namespace hearth::inspector {

// One side of a comparison.
struct WeightSide {
  const WeightSet* set = nullptr;
  const WeightHeaders* headers = nullptr;
  const Json* config = nullptr;  // config.json of its repository; may be null
  // By tensor name, as far as the files were scanned.
  std::map<std::string, TensorHash> hashes = {};
};

struct TensorPair {
  size_t from = 0;  // places in the headers of the two sides
  size_t to = 0;
  // What the conversion to GGUF does with the values; the GGUF side is `to` unless said.
  convert::Transform transform = convert::Transform::kNone;
  bool gguf_is_from = false;
  bool renamed = false;  // found by the digest
};

struct TensorPairs {
  std::vector<TensorPair> pairs;
  std::vector<size_t> removed;  // of `from` without a partner
  std::vector<size_t> added;    // of `to`
  convert::RowParameters rows;  // for transforms
};
TensorPairs PairTensors(const WeightSide& from, const WeightSide& to);

// The layer in a name ("model.layers.12.mlp.up_proj.weight" -> 12, "mlp.up_proj") for tables of
// layers by modules; no layer: -1.
struct TensorPlace {
  int64_t layer = -1;
  std::string module;
};
TensorPlace PlaceOf(std::string_view name);

}  // namespace hearth::inspector
