// LICENSE files and cards of strangers: whatever stands in them, answers are bounded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/inspector/licences/licence.h"
#include "hub/inspector/licences/licence_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::inspector;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const TextMatch& match : MatchLicenceText(text)) {
    if (match.share < 0 || match.share > 1 || FindLicence(match.id) == nullptr) std::abort();
  }
  for (const LicenceMention& mention : FindSpdxLines(text)) {
    if (FindLicence(mention.id) == nullptr || mention.line == 0) std::abort();
  }
  for (const LicenceMention& mention : FindLicenceNames(text)) {
    if (FindLicence(mention.id) == nullptr) std::abort();
  }
  if (std::optional<TextSection> section = FindLicenceSection(text)) {
    if (section->text.size() > text.size()) std::abort();
  }
  IsLicenceFileName(text.substr(0, 300));
  return 0;
}
