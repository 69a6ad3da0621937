// The fast path: raw text between added tokens -> ids, without offsets or strings.
//
// A segment encoder fuses normaliser, pre-tokeniser and model of one recognised combination (say:
// no normaliser, the GPT-2 split, byte-level BPE). MakeSegmentEncoder asks each family of
// segment_encoders.inc in turn; a combination that none recognises runs on the plain path, so a
// family declines (nullptr) whenever it is not certain to give equal ids.
//
// Thread rule: an encoder is immutable and shared; each thread has its own Scratch (caches,
// buffers).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/segment_encoders/encoder_tables.h"
#include "tokenizers/token_span.h"

namespace hearth::tokenizers {

class Model;
class Vocab;

// Where a segment lies in its text: metaspace with prepend_scheme "first" needs to know.
enum class SegmentPosition { kStartOfText, kAfterAddedToken };

class SegmentEncoder {
 public:
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };

  virtual ~SegmentEncoder() = default;
  virtual std::unique_ptr<Scratch> MakeScratch() const = 0;
  // Appends the ids of `text`, which is valid UTF-8 and holds no added token. Linear in its size.
  virtual void Encode(std::string_view text, SegmentPosition position, Scratch& scratch,
                      std::vector<uint32_t>* ids) const = 0;
  // The same with offsets in `text` and words from 0 on, as the plain path gives them; the model's
  // `vocab` says how long tokens are. False when that is not certain (a part of the text was
  // normalised, a token stands for something else than its name): then what was appended is of no
  // use, and the plain path is to be taken. Texts below 4 GiB.
  virtual bool EncodeSpans(std::string_view, SegmentPosition, const Vocab&, Scratch&,
                           std::vector<TokenSpan>*) const {
    return false;
  }
  // What is worth keeping of this encoder: what KeptTables gives back when it is made again.
  virtual EncoderTableList tables() const { return {}; }
};

// `tokenizer_json` is a tokenizer.json, of which the model's vocabulary and merges are not read:
// they are those of `model`, the plain model of the same file, which need not outlive the call.
// nullptr when no family recognises it. `kept`: tables of an encoder of the same file, which are
// taken where they are sound.
std::unique_ptr<SegmentEncoder> MakeSegmentEncoder(const Json& tokenizer_json, const Model& model,
                                                   const KeptTables& kept = {});
// Of a whole tokenizer.json. nullptr also when its model is wrong.
std::unique_ptr<SegmentEncoder> MakeSegmentEncoder(const Json& tokenizer_json);

}  // namespace hearth::tokenizers
