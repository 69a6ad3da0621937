// Encodes one text of any size piece by piece: what Tokenizer::EncodeIds gives for the whole text,
// without holding the whole text.
//
// Bytes are buffered up to a window; then the part before a safe cut is encoded and forgotten. A
// cut is a place after a line end where encoding the neighbourhood in two parts gives the same
// tokens as encoding it at once (the neighbourhood is 4 KiB, longer than any token's reach in a
// tokenizer that cuts text into words). A tokenizer without such places, one that treats the whole
// text as one piece, needs the whole text in memory.
//
// Borrows the tokenizer. One thread at a time. Errors: kInvalidArgument for bytes that are not
// UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

class Tokenizer;

class StreamEncoder {
 public:
  // `window_bytes`: how much is gathered before a cut is looked for.
  explicit StreamEncoder(const Tokenizer& tokenizer, bool add_special_tokens = true,
                         size_t window_bytes = 1 << 20);

  // Appends the ids that are settled. A character may be split between two calls.
  void Feed(std::string_view bytes, std::vector<uint32_t>* ids);
  // Appends the rest. The encoder is then as new.
  void Finish(std::vector<uint32_t>* ids);

  size_t buffered_bytes() const { return buffer_.size(); }

 private:
  size_t FindCut() const;
  bool IsSafeCut(size_t at) const;
  void Begin(std::vector<uint32_t>* ids);

  const Tokenizer* tokenizer_;
  size_t window_bytes_;
  size_t next_look_;  // buffered bytes at which a cut is looked for again
  bool begun_ = false;
  std::vector<uint32_t> prefix_ids_;  // special tokens around the text
  std::vector<uint32_t> suffix_ids_;
  std::string buffer_;
};

}  // namespace hearth::tokenizers
