// The segment encoder of a tokenizer, and cutting a text at its added tokens.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "codec/json.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

// The encoder is made when it is asked for: a command that encodes one line with offsets, or only
// decodes, never pays for its tables.
struct Tokenizer::FastPath {
  std::once_flag once;
  std::atomic<bool> made = false;
  std::atomic<size_t> plain_bytes = 0;  // that were encoded with offsets before
  Json tokenizer_json;
  // Of a compiled form; called with what MakeSegmentEncoder is.
  std::function<std::unique_ptr<SegmentEncoder>(const Json&, const Model&)> make_kept;
  std::unique_ptr<SegmentEncoder> encoder;
};

// Where no normalizer changes what added tokens match: calls take(begin, end, id) for each and
// visit(segment) for what lies between, which may be empty.
template <typename Visit, typename Take>
void Tokenizer::ForEachSegment(std::string_view text, Visit&& visit, Take&& take) const {
  auto cut = [&](std::string_view part, bool normalized, auto&& next) {
    auto begin = static_cast<size_t>(part.data() - text.data());
    size_t taken = 0;
    added_.ForEachMatch(part, normalized, [&](const AddedVocabulary::Match& match) {
      if (taken < match.begin) next(part.substr(taken, match.begin - taken));
      take(begin + match.begin, begin + match.end, match.id);
      taken = match.end;
    });
    next(part.substr(taken));
  };
  cut(text, false, [&](std::string_view part) {
    if (part.empty() || !added_.has_normalized()) return visit(part);
    cut(part, true, visit);
  });
}

}  // namespace hearth::tokenizers
