#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "storage/xet/xorb.h"

namespace {

using hearth::storage::XetHash;
using hearth::storage::XorbIndex;
using hearth::storage::XorbValidator;

// The records accepted from `bytes`; -1 when a fault other than the name was found.
int64_t Accepted(std::string_view bytes, size_t step) {
  XorbValidator validator;
  try {
    for (size_t at = 0; at < bytes.size(); at += step) validator.Feed(bytes.substr(at, step));
  } catch (const hearth::Error&) {
    return -1;
  }
  try {
    validator.Finish(XetHash());
  } catch (const hearth::Error&) {
  }
  return static_cast<int64_t>(validator.record_bytes());
}

}  // namespace

// However a body is split over calls, the verdict and the place of the footer are the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (Accepted(bytes, size) != Accepted(bytes, 1 + data[0])) abort();
  return 0;
}
