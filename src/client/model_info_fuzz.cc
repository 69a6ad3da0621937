// A hub's answer about a model, and the choice among the files that it names.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/internal/model_info.h"
#include "client/model_files.h"
#include "client/model_id.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::client;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    ParseModelId(text);
  } catch (const hearth::Error&) {
  }
  try {
    std::vector<std::string> paths;
    for (const RemoteFile& file : ReadModelInfo(text).files) {
      if (!IsPlainPath(file.path)) __builtin_trap();
      paths.push_back(file.path);
    }
    SelectModelFiles(paths, ModelParts::kAll, "");
  } catch (const hearth::Error&) {
  }
  return 0;
}
