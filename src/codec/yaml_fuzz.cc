#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "codec/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  hearth::FrontMatter card = hearth::SplitFrontMatter(text);
  hearth::Json value;
  try {
    value = hearth::ParseYaml(card.present ? std::string_view(card.yaml) : text);
  } catch (const hearth::Error&) {
    return 0;
  }
  // What was read must survive being written; NaN is unlike itself, so compare the texts.
  std::string written = hearth::DumpYaml(value);
  if (hearth::DumpYaml(hearth::ParseYaml(written)) != written) abort();
  return 0;
}
