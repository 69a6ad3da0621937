// The first byte chooses the layout, the rest is the text: fast and plain path must agree. From
// 0xC0 on it also says that the text is repeated, to words of several windows of the model; with
// 0xFF the rest is a charsmap, which must be read or refused without harm.
#include <cstdint>
#include <cstdlib>

#include "codec/base64.h"
#include "text/utf8.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/segment_encoders/unigram_charsmap.h"
#include "tokenizers/tokenizer.h"

namespace {

constexpr uint8_t kRepeats = 0xC0;
constexpr size_t kLongWord = 20000;

using hearth::Json;
using hearth::tokenizers::kUnigramMark;
using hearth::tokenizers::StageOf;
using hearth::tokenizers::Tokenizer;

Json Normalizer(int steps) {
  Json map = StageOf("Precompiled");
  map.Set("precompiled_charsmap", hearth::tokenizers::SmallCharsmap());
  Json list = Json::Arr({map});
  if ((steps & 1) != 0) {
    Json strip = StageOf("Strip");
    strip.Set("strip_left", false).Set("strip_right", true);
    list.Push(strip);
  }
  if ((steps & 2) != 0) {
    Json replace = StageOf("Replace");
    replace.Set("pattern", Json::Obj({{"Regex", " {2,}"}})).Set("content", Json(kUnigramMark));
    list.Push(replace);
  }
  Json sequence = StageOf("Sequence");
  sequence.Set("normalizers", std::move(list));
  return sequence;
}

const std::vector<Tokenizer>& Tokenizers() {
  static const auto* all = [] {
    auto* fresh = new std::vector<Tokenizer>;
    for (const char* scheme : {"always", "first", "never"}) {
      Json metaspace = StageOf("Metaspace");
      metaspace.Set("replacement", Json(kUnigramMark)).Set("prepend_scheme", scheme);
      for (int steps = 0; steps < 4; ++steps) {
        fresh->push_back(
            Tokenizer::Build(hearth::tokenizers::SmallUnigram(Normalizer(steps), metaspace)));
      }
      if (std::string_view(scheme) == "first") continue;
      Json sequence = StageOf("Sequence");
      sequence.Set("pretokenizers", Json::Arr({StageOf("WhitespaceSplit"), metaspace}));
      fresh->push_back(Tokenizer::Build(hearth::tokenizers::SmallUnigram(Normalizer(0), sequence)));
    }
    return fresh;
  }();
  return *all;
}

void ReadCharsmap(std::string_view bytes) {
  auto map = hearth::tokenizers::Charsmap::Parse(hearth::Base64Encode(bytes));
  if (map == nullptr) return;
  std::string out;
  map->Normalize("a\xCC\x81 \xEF\xBC\xA1 the \r\n", &out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0xFF) {
    ReadCharsmap(rest);
    return 0;
  }
  const Tokenizer& tokenizer = Tokenizers()[data[0] % Tokenizers().size()];
  std::string text = hearth::Utf8Lossy(rest);
  if (data[0] >= kRepeats && !text.empty()) {
    for (std::string once = text; text.size() < kLongWord;) text += once;
  }
  if (!tokenizer.has_fast_path() || !PathsAgree(tokenizer, text)) {
    std::abort();
  }
  return 0;
}
