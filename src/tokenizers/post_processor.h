// The stage that puts special tokens around the encoded text or pair of texts.
//
// One file per post-processor under post_processors/, one line in post_processors.inc.
// Implementations are immutable after construction and safe for concurrent use.
// Format: the "post_processor" object of a tokenizer.json.
#pragma once

#include <memory>
#include <vector>

#include "codec/json.h"
#include "tokenizers/encoding.h"

namespace hearth::tokenizers {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;

  // How many special tokens it adds: what truncation leaves room for.
  virtual size_t added_tokens(bool is_pair) const = 0;
  // Takes one encoding, or the two of a pair, and gives the encodings that make up the result in
  // order. Throws Error{kInvalidArgument} for a template that asks for what is not there.
  virtual std::vector<Encoding> Process(std::vector<Encoding> encodings,
                                        bool add_special_tokens) const = 0;
  // What it does to the offsets of the text, apart from adding tokens. kOther: trimming after
  // tokens were added, which no real file asks for.
  enum class Trimming { kNone, kPlain, kWithPrefixSpace, kOther };
  virtual Trimming trimming() const { return Trimming::kNone; }
  // The object of tokenizer.json, equal to what the reference writes.
  virtual Json ToJson() const = 0;
};

// Throws Error{kInvalidArgument} naming the key at fault.
std::unique_ptr<PostProcessor> ParsePostProcessor(const Json& json);

}  // namespace hearth::tokenizers
