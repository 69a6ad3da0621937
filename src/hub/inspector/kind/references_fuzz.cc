#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "hub/inspector/kind/references.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using hearth::inspector::CodeLanguage;
  std::string_view code(reinterpret_cast<const char*>(data), size);
  for (CodeLanguage language :
       {CodeLanguage::kPython, CodeLanguage::kScript, CodeLanguage::kShell}) {
    for (const auto& reference : hearth::inspector::ScanCode(code, language, "app.py")) {
      // Ids are looked up among repositories: nothing else may pass for one.
      if (!hearth::inspector::IsRepoId(reference.id, true)) abort();
    }
  }
  return 0;
}
