// A ByteBpePlan as a section of a compiled tokenizer: a header, then the tables as they lie in
// memory, each at a multiple of 64 bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

class ByteBpePlanFile {
 public:
  static std::string Write(const ByteBpePlan& plan);
  // nullptr unless every number in it is one that an encoder can follow: what it then gives may be
  // wrong, but it stays inside the tables and ends. `bytes` is at a multiple of 64; `owner` keeps
  // it. Reads all of it.
  static std::shared_ptr<const ByteBpePlan> Open(std::string_view bytes,
                                                 std::shared_ptr<const void> owner);
};

}  // namespace hearth::tokenizers
