// Whatever the text: bounded answers, lines that exist, and never the secret itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/scan/secret_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::vector<hearth::SecretFinding> findings = hearth::ScanSecrets(text, 20);
  if (findings.size() > 20) std::abort();
  for (const hearth::SecretFinding& finding : findings) {
    if (finding.line == 0 || finding.line > lines || finding.length > size) std::abort();
    if (finding.digest.size() != 8) std::abort();
  }
  return 0;
}
