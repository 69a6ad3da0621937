// A hostile tokenizer.json, and a text for it behind the first line break: what loads must encode,
// decode and be written without harm.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tokenizers/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using hearth::tokenizers::Tokenizer;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t line = input.find('\n');
  std::string_view text = line == std::string_view::npos ? "Hello é 日本 <s>" : input.substr(line);
  try {
    Tokenizer tokenizer = Tokenizer::FromJson(input.substr(0, line));
    tokenizer.ToJson();
    try {
      tokenizer.Decode(tokenizer.EncodeIds(text));
    } catch (const hearth::Error&) {
    }
    tokenizer.Encode({text.substr(0, text.size() / 2), "and a second text"});
  } catch (const hearth::Error&) {
  }
  return 0;
}
