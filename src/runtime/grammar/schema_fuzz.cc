// Any JSON as a schema: a grammar or an Error, and a walk over its masks that stays inside it.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/token_constraint.h"

namespace {

using namespace hearth::runtime;

std::shared_ptr<const TokenVocabulary> ByteVocabulary() {
  static const auto kVocabulary = [] {
    std::vector<std::string> tokens(257);
    for (int byte = 0; byte < 256; ++byte) tokens[byte] = std::string(1, static_cast<char>(byte));
    return std::make_shared<const TokenVocabulary>(std::move(tokens), std::vector<uint32_t>{256});
  }();
  return kVocabulary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  uint32_t choice = data[0] * 7u + data[1];
  try {
    auto schema = hearth::Json::Parse({reinterpret_cast<const char*>(data) + 2, size - 2});
    TokenConstraint constraint(ByteVocabulary(), JsonSchemaGrammar(schema, {.max_whitespace = 2}),
                               {.max_cache_bytes = 1u << 20, .max_step_work = 200'000});
    auto state = constraint.Start();
    std::vector<uint64_t> mask;
    for (int step = 0; step < 60; ++step) {
      constraint.FillMask(&state, &mask);
      std::vector<uint32_t> allowed;
      for (uint32_t id = 0; id < 257; ++id) {
        if (mask[id / 64] >> (id % 64) & 1) allowed.push_back(id);
      }
      if (allowed.empty()) abort();  // every byte is a token: no dead ends
      uint32_t token = allowed[(choice = choice * 1103515245u + 12345u) / 65536 % allowed.size()];
      if (!constraint.Accept(&state, token)) abort();
      if (token == 256) break;
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
