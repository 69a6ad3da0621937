// What can be encoded: a text, a list of words, or a pair of these.
//
// Views: the caller's bytes must outlive the call that they are given to. Text is UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

class EncodeSequence {
 public:
  EncodeSequence(std::string_view text) : text_(text) {}
  EncodeSequence(const char* text) : text_(text) {}
  EncodeSequence(const std::string& text) : text_(text) {}

  // Text that was cut into words before: each word is encoded for itself, word ids count these
  // words, and offsets are relative to the word.
  static EncodeSequence Words(std::vector<std::string_view> words) {
    EncodeSequence sequence{std::string_view()};
    sequence.words_ = std::move(words);
    sequence.is_words_ = true;
    return sequence;
  }

  bool is_words() const { return is_words_; }
  std::string_view text() const { return text_; }
  const std::vector<std::string_view>& words() const { return words_; }

 private:
  std::string_view text_;
  std::vector<std::string_view> words_;
  bool is_words_ = false;
};

struct EncodeInput {
  EncodeInput(EncodeSequence only) : first(std::move(only)) {}
  EncodeInput(std::string_view text) : first(text) {}
  EncodeInput(const char* text) : first(text) {}
  EncodeInput(const std::string& text) : first(text) {}
  EncodeInput(EncodeSequence one, EncodeSequence two)
      : first(std::move(one)), second(std::move(two)) {}

  EncodeSequence first;
  std::optional<EncodeSequence> second;
};

}  // namespace hearth::tokenizers
