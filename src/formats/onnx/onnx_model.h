// What an ONNX file says about itself: versions, operators, inputs, outputs, initialisers,
// functions, training.
//
// A reader of the protobuf wire format over ranges: tensor data is passed over, not read, so a
// model of gigabytes costs what its graph costs. Counts, depth and text are limited. External data
// is checked to lie beside the model: a path that leads elsewhere is refused (strict) or listed
// (lenient). Format: onnx/onnx.proto, IR version 13. Pure apart from the source's reads. Errors:
// kInvalidArgument with the position, kTooLarge, kForbidden for external data that leaves the
// folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/source/source.h"

namespace hearth {

struct OnnxTensor {
  std::string name;
  std::string dtype;  // "float32", "int64", "string", ...; "type_N" when unknown
  std::vector<int64_t> shape;
  uint64_t elements = 0;
  uint64_t data_offset =
      0;  // of raw data in the source; 0 when the values stand in typed fields or elsewhere
  uint64_t data_bytes = 0;  // raw, or of the typed fields as stored
  bool external = false;
  std::string location;  // of external data, relative to the model
  uint64_t external_offset = 0;
  uint64_t external_bytes = 0;  // 0: to the end of that file
  std::string graph;            // of a subgraph or function; empty for the main graph
};

struct OnnxValue {
  std::string name;
  std::string dtype;  // empty when the file does not say; "sequence", "map", "optional" for those
  std::vector<std::string> shape;  // "3", "batch", "?"
};

struct OnnxFunction {
  std::string domain;
  std::string name;
  uint64_t nodes = 0;
};

struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer;
  std::string producer_version;
  std::string domain;
  int64_t model_version = 0;
  std::string doc;
  std::string graph_name;
  std::vector<std::pair<std::string, int64_t>> opsets;  // domain ("" = ai.onnx) and version
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<OnnxValue> inputs;  // without those that are initialisers
  std::vector<OnnxValue> outputs;
  std::vector<std::pair<std::string, uint64_t>> operators;  // "domain::Op" or "Op", most used first
  std::vector<std::string> domains;      // of operators that are not ONNX's own or Microsoft's
  std::vector<OnnxTensor> initializers;  // of all graphs
  std::vector<OnnxFunction> functions;
  uint64_t training_graphs = 0;
  uint64_t parameters = 0;           // elements of all initialisers
  std::vector<std::string> escapes;  // external paths that leave the folder (lenient)
};

struct OnnxLimits {
  uint64_t max_nodes = 5'000'000;
  uint64_t max_tensors = 1'000'000;
  uint64_t max_values = 100'000;      // inputs, outputs, functions, opsets, metadata
  uint64_t max_text_bytes = 1 << 20;  // one string
  int max_depth = 32;                 // of graphs in graphs
  bool refuse_escapes = true;
};

OnnxModel ReadOnnx(ByteSource& source, const OnnxLimits& limits = {});

// True when the bytes start like a ModelProto: a version and one of the next fields.
bool LooksLikeOnnx(std::string_view first);

}  // namespace hearth
