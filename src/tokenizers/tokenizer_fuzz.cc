// A whole tokenizer.json, a zero byte, then text. Whatever loads must encode and decode with
// nothing but Error, by the fast path as by the plain one.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/utf8.h"
#include "tokenizers/tokenizer.h"

namespace {

constexpr size_t kMaxText = 2048;

void Use(const hearth::tokenizers::Tokenizer& tokenizer, std::string_view text) {
  using hearth::tokenizers::Encoding;
  hearth::tokenizers::EncodeInput input(text);
  std::vector<uint32_t> ids = tokenizer.EncodeIds(text);
  for (auto unit :
       {hearth::tokenizers::OffsetUnit::kBytes, hearth::tokenizers::OffsetUnit::kCharacters}) {
    Encoding encoding = tokenizer.Encode(input, {.offsets = unit});
    if (encoding.offsets.size() != encoding.ids.size()) __builtin_trap();
  }
  tokenizer.Decode(ids, false);
  tokenizer.Decode(std::array<uint32_t, 3>{0, 7, UINT32_MAX}, true);
  input.second = "b c";
  tokenizer.Encode(input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t end = input.find('\0');
  std::string_view text = end == std::string_view::npos ? "Hello, world" : input.substr(end + 1);
  try {
    auto tokenizer = hearth::tokenizers::Tokenizer::FromJson(input.substr(0, end));
    tokenizer.ToJson();
    Use(tokenizer, hearth::Utf8Lossy(text.substr(0, kMaxText)));
  } catch (const hearth::Error&) {
  }
  return 0;
}
