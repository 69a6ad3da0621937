// What the metadata of a GGUF file says of its model, spelled as config.json spells it.
//
// Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's converters. A
// file that our own converter wrote carries config.json itself. Pure. Errors: kInvalidArgument,
// kUnimplemented (an architecture without tables, heads that differ from layer to layer).
#pragma once

#include "formats/convert/architecture.h"
#include "formats/gguf/gguf_file.h"
#include "runtime/model_config.h"

namespace hearth::runtime {

struct GgufModel {
  ModelConfig config;
  const convert::Architecture* tables;
};

GgufModel ReadGgufModel(const GgufFile& file);

}  // namespace hearth::runtime
