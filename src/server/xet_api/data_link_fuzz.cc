#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/data_link.h"

namespace {

using hearth::server::ByteSpan;

// What was understood must mean the same when it is written and read again, and no span may be
// empty: an empty one would be covered by anything.
void CheckSpans(std::string_view text) {
  std::vector<ByteSpan> spans = hearth::server::ParseSpans(text);
  for (const ByteSpan& span : spans) {
    if (span.start >= span.end) abort();
  }
  if (hearth::server::ParseSpans(hearth::server::WriteSpans(spans)) != spans) abort();
  if (!hearth::server::AllCovered(spans, spans)) abort();
}

void CheckFileRange(const std::string& header, uint64_t size) {
  hearth::server::FileRange range = hearth::server::ParseFileRange(&header, size);
  if (range.end > size || range.start > range.end) abort();
  if (size > 0 && range.start == range.end) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  try {
    CheckSpans(text);
  } catch (const hearth::Error&) {
  }
  for (uint64_t file_bytes : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, UINT64_MAX}) {
    try {
      CheckFileRange(text, file_bytes);
    } catch (const hearth::Error&) {
    }
  }
  return 0;
}
