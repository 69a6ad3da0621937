#include "text/regex.h"

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/unicode.h"

// The first byte says how long the pattern is; the rest is the text, which also goes through the
// Unicode functions.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string_view pattern = input.substr(0, data[0]);
  std::string_view text = input.substr(pattern.size());
  hearth::RegexLimits limits;
  limits.max_steps = 20'000;
  limits.max_stack_bytes = 1u << 20;
  try {
    size_t end = 0;
    hearth::Regex::Compile(pattern, limits).ForEachMatch(text, [&](hearth::RegexMatch match) {
      if (match.end > text.size() || match.begin > match.end) __builtin_trap();
      end = match.end;
    });
  } catch (const hearth::Error&) {
  }
  for (auto form : {hearth::NormalizationForm::kNfc, hearth::NormalizationForm::kNfd,
                    hearth::NormalizationForm::kNfkc, hearth::NormalizationForm::kNfkd}) {
    std::vector<hearth::NormalizedChar> chars;
    hearth::Normalize(form, text, &chars);
    std::string once = hearth::Normalize(form, text);
    if (hearth::Normalize(form, once) != once) __builtin_trap();
  }
  hearth::Lowercase(text);
  while (!text.empty()) {
    size_t length = hearth::NextGraphemeLength(text);
    if (length == 0 || length > text.size()) __builtin_trap();
    text.remove_prefix(length);
  }
  return 0;
}
