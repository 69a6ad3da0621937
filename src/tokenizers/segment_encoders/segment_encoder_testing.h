// Small vocabularies of the word-wise families, for the tests and the fuzz targets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

inline constexpr std::string_view kUnigramMark = "\xE2\x96\x81";  // U+2581

// {"type": type}, for Set to fill.
inline Json StageOf(std::string_view type) { return Json::Obj({{"type", Json(type)}}); }

// A Metaspace that marks every word and cuts before each mark, which the fast paths know.
inline Json MarkedWords() {
  Json stage = StageOf("Metaspace");
  return stage.Set("replacement", Json(kUnigramMark))
      .Set("prepend_scheme", "always")
      .Set("split", true);
}

// A tokenizer.json with one added token "<x>", which is no part of the model.
Json TokenizerOf(Json normalizer, Json pre_tokenizer, Json model);

// BERT with a vocabulary of a few words, pieces and characters of several scripts.
Json SmallWordPiece(bool clean_text, bool handle_chinese_chars, Json strip_accents, bool lowercase);

// SentencePiece-style BPE with merges over marks, letters, signs and ideographs, one of them across
// a mark; `byte_fallback` or a fused unknown token.
Json SmallSentencePieceBpe(Json normalizer, Json pre_tokenizer, bool byte_fallback);

// Unigram with equal scores here and there, so that ties are met.
Json SmallUnigram(Json normalizer, Json pre_tokenizer);

// A charsmap in base64 that maps, among others, A-Z to a-z, no-break space and line ends to space,
// U+200B to nothing, U+00B4 to space and U+0301, and e + U+0301 to U+00E9.
std::string SmallCharsmap();

// Whether a text gives the same stage by stage, as ids alone and by way of the fast path with
// offsets.
bool PathsAgree(const Tokenizer& tokenizer, std::string_view text);

}  // namespace hearth::tokenizers
