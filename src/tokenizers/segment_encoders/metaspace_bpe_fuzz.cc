// The first byte chooses the stages, the rest is the text: fast and plain path must agree.
#include <cstdint>
#include <cstdlib>

#include "text/utf8.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace {

using hearth::Json;
using hearth::tokenizers::kUnigramMark;
using hearth::tokenizers::StageOf;
using hearth::tokenizers::Tokenizer;

Json Normalizer(int which) {
  Json prepend = StageOf("Prepend");
  prepend.Set("prepend", Json(kUnigramMark));
  Json replace = StageOf("Replace");
  replace.Set("pattern", Json::Obj({{"String", " "}})).Set("content", Json(kUnigramMark));
  if (which == 0) return replace;
  Json sequence = StageOf("Sequence");
  sequence.Set("normalizers", Json::Arr({prepend, replace}));
  return sequence;
}

const std::vector<Tokenizer>& Tokenizers() {
  static const auto* all = [] {
    auto* fresh = new std::vector<Tokenizer>;
    for (bool byte_fallback : {false, true}) {
      for (int which : {0, 1}) {
        fresh->push_back(Tokenizer::Build(
            hearth::tokenizers::SmallSentencePieceBpe(Normalizer(which), Json(), byte_fallback)));
      }
      for (const char* scheme : {"always", "first", "never"}) {
        for (bool split : {false, true}) {
          Json stage = StageOf("Metaspace");
          stage.Set("replacement", Json(kUnigramMark))
              .Set("prepend_scheme", scheme)
              .Set("split", split);
          fresh->push_back(Tokenizer::Build(
              hearth::tokenizers::SmallSentencePieceBpe(Json(), stage, byte_fallback)));
        }
      }
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
