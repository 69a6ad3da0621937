// One streaming decoder a compression, all with the same shape. Not thread-safe; one object a
// stream.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "formats/archive/archive_decode.h"

namespace hearth {

class StreamDecoder {
 public:
  enum class State { kMore, kDone, kBroken };
  virtual ~StreamDecoder() = default;
  // Takes bytes off the front of *in and appends to nothing: fills out[0..*n), sets *n to what it
  // made. kDone after the last byte of the stream; kMore with *n == 0 and an empty *in means that
  // input is wanted.
  virtual State Decode(std::string_view* in, char* out, size_t* n) = 0;
};

// Null for kStored.
std::unique_ptr<StreamDecoder> MakeDecoder(Packing packing);

}  // namespace hearth
