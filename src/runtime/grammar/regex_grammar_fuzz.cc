// Any text as a regular expression: a grammar or an Error.
#include <cstdint>

#include "base/error.h"
#include "runtime/grammar/regex_grammar.h"
#include "runtime/grammar/token_constraint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::runtime;
  try {
    static const auto kVocabulary = std::make_shared<const TokenVocabulary>(
        std::vector<std::string>{"a", "b", "1", "\xC3", "\xA9", "ab", ""},
        std::vector<uint32_t>{6});
    TokenConstraint constraint(kVocabulary,
                               RegexGrammar({reinterpret_cast<const char*>(data), size}),
                               {.max_cache_bytes = 1u << 20, .max_step_work = 200'000});
    auto state = constraint.Start();
    std::vector<uint64_t> mask;
    for (int step = 0; step < 20; ++step) {
      constraint.FillMask(&state, &mask);
      for (uint32_t id = 0; id < 7; ++id) {
        if (mask[0] >> id & 1 && constraint.Accept(&state, id)) break;
      }
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
