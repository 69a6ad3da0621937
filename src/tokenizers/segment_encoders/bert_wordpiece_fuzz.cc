// The first byte chooses the switches, the rest is the text: fast and plain path must agree.
#include <cstdint>
#include <cstdlib>

#include "text/utf8.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace {

using hearth::Json;
using hearth::tokenizers::Tokenizer;

const std::vector<Tokenizer>& Tokenizers() {
  static const auto* all = [] {
    auto* fresh = new std::vector<Tokenizer>;
    for (int i = 0; i < 24; ++i) {
      Json strip = i / 8 == 0 ? Json() : Json(i / 8 == 1);
      fresh->push_back(Tokenizer::Build(hearth::tokenizers::SmallWordPiece(
          (i & 1) != 0, (i & 2) != 0, std::move(strip), (i & 4) != 0)));
    }
    return fresh;
  }();
  return *all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Tokenizer& tokenizer = Tokenizers()[data[0] % Tokenizers().size()];
  std::string text = hearth::Utf8Lossy({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!tokenizer.has_fast_path() || !PathsAgree(tokenizer, text)) {
    std::abort();
  }
  return 0;
}
