// The text of a sequence as its tokens come: whole characters only, and never a part of a stop
// string.
//
// A stop string may begin and end inside tokens. Text that could be the beginning of one is held
// back until it is decided; the text before a stop string is given out, the rest is dropped (or
// kept up to its end, on request).
//
// Thread rule: one stream per sequence, one thread at a time. Borrows the tokenizer.
// Errors: those of DecodeStream; kInvalidArgument for too many or too long stop strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/decode_stream.h"
#include "tokenizers/tokenizer.h"

namespace hearth::runtime {

// The part about stop strings alone, for text from any source.
class StopStringFilter {
 public:
  static constexpr size_t kMaxStrings = 256;
  static constexpr size_t kMaxBytes = 4096;  // each

  // Empty strings are ignored.
  explicit StopStringFilter(std::vector<std::string> stops, bool keep_stop_string = false);

  // What may be given out now.
  std::string Push(std::string_view text);
  // What was held back; there is no more text.
  std::string Finish();
  bool stopped() const { return stopped_ != nullptr; }
  // The string that was found, the one that ends first (the longest of those); empty for none.
  std::string_view stop_string() const { return stopped_ ? *stopped_ : std::string_view(); }

 private:
  std::vector<std::string> stops_;
  bool keep_stop_string_;
  std::string held_;
  const std::string* stopped_ = nullptr;
};

class TextStream {
 public:
  struct Options {
    std::vector<std::string> stop_strings;
    bool keep_stop_string = false;
    bool skip_special_tokens = true;
  };

  TextStream(const tokenizers::Tokenizer& tokenizer, Options options);

  // The text that this token makes final; may be empty. Nothing after a stop.
  std::string Push(uint32_t token);
  // The rest: what was held back, and U+FFFD for a character that never became whole.
  std::string Finish();

  bool stopped() const { return filter_.stopped(); }
  std::string_view stop_string() const { return filter_.stop_string(); }

 private:
  const tokenizers::Tokenizer* tokenizer_;
  tokenizers::DecodeStream decoder_;
  StopStringFilter filter_;
  bool skip_special_tokens_;
  // For Finish, which decodes once more.
  std::vector<uint32_t> all_;
  std::string decoded_;
};

}  // namespace hearth::runtime
