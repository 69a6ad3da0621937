// Decoding tokens one by one as a model makes them.
//
// A token alone may not be text: bytes of one character can lie in two tokens, and some decoders
// drop a space at the start only. So a stream decodes the last few tokens together and gives what
// is new. It borrows the tokenizer; one stream belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hearth::tokenizers {

class Tokenizer;

class DecodeStream {
 public:
  explicit DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(&tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that this token (these tokens) completes; nullopt while the end is an incomplete
  // character, or when there is no new text. Throws Error{kInvalidArgument} when the new token
  // changes text that was given out already.
  std::optional<std::string> Step(uint32_t id) { return Step(std::span<const uint32_t>(&id, 1)); }
  std::optional<std::string> Step(std::span<const uint32_t> ids);

 private:
  const Tokenizer* tokenizer_;
  bool skip_special_tokens_;
  std::vector<uint32_t> ids_;
  std::string prefix_;  // text of the first prefix_size_ ids, given out already
  size_t prefix_size_ = 0;
};

}  // namespace hearth::tokenizers
