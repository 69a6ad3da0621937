// Whatever bytes a client sends as a commit: an Error or a request whose contents load.
#include <cstdint>

#include "base/error.h"
#include "server/hub_api/commit_body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  hearth::net::RequestBody body(text);
  hearth::server::CommitBodyLimits limits;
  limits.max_line_bytes = 4096;
  limits.memory_budget_bytes = 64;
  try {
    hearth::hub::CommitRequest request = hearth::server::ParseCommitLines(body, limits);
    for (const auto& operation : request.operations) {
      const auto* file = std::get_if<hearth::hub::CommitFile>(&operation);
      if (file != nullptr && file->load && file->load().size() != file->size_bytes)
        __builtin_trap();
    }
  } catch (const hearth::Error&) {
  }
  try {
    hearth::server::ParseCommitJson(body, limits);
  } catch (const hearth::Error&) {
  }
  return 0;
}
