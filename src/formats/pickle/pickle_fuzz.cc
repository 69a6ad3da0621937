#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/pickle/pickle_walk.h"
#include "formats/torch/torch_pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hearth::MemorySource source(bytes);
  // Walking never throws, whatever the bytes.
  hearth::PickleWalker walker(source,
                              {.max_ops = 100'000, .max_values = 50'000, .max_stack = 100'000});
  uint64_t at = 0;
  for (int i = 0; i < 4 && at < bytes.size(); ++i) {
    hearth::PickleReport report = walker.Walk(at, bytes.size());
    if (!report.complete) break;
    at = report.end;
  }
  try {
    hearth::ReadTorchPickle(source, 0, {.max_ops = 100'000, .max_values = 50'000});
  } catch (const hearth::Error&) {
  }
  return 0;
}
