// Token ids and strings of every kind through each decoder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tokenizers/decoder.h"

namespace {

constexpr std::string_view kDecoders[] = {
    R"({"type":"BPEDecoder","suffix":"</w>"})",
    R"({"type":"ByteFallback"})",
    R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})",
    R"({"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true})",
    R"({"type":"Fuse"})",
    R"({"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true})",
    R"({"type":"Replace","pattern":{"Regex":"(a|b)*c?"},"content":" "})",
    R"({"type":"Strip","content":" ","start":2,"stop":2})",
    R"({"type":"WordPiece","prefix":"##","cleanup":true})",
};

}  // namespace

// The first byte chooses decoders, a line break ends a token.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> tokens;
  while (!input.empty()) {
    size_t end = input.find('\n');
    tokens.emplace_back(input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  }
  try {
    for (size_t i = 0; i < 2; ++i) {
      std::string_view json = kDecoders[(data[0] >> (4 * i) & 15) % std::size(kDecoders)];
      hearth::tokenizers::ParseDecoder(hearth::Json::Parse(json))->Decode(&tokens);
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
