// A model object, a zero byte, then pieces: parsing and tokenizing throw nothing but Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/utf8.h"
#include "tokenizers/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t end = input.find('\0');
  std::string_view pieces = end == std::string_view::npos ? "abc" : input.substr(end + 1);
  try {
    auto model = hearth::tokenizers::ParseModel(hearth::Json::Parse(input.substr(0, end)));
    model->ToJson();
    std::vector<hearth::tokenizers::Token> tokens;
    model->Tokenize(hearth::Utf8Lossy(pieces), &tokens);
  } catch (const hearth::Error&) {
  }
  return 0;
}
