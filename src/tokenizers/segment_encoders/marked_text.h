// Finds the tokens of a text again whose spaces became U+2581, perhaps with one more mark in front.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace hearth::tokenizers {

inline constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

class MarkedText {
 public:
  // `text` is valid UTF-8. With a prefix the first mark stands for the first character.
  MarkedText(std::string_view text, bool prefix) : text_(text), prefix_(prefix) {}

  size_t at() const { return at_; }
  bool took_prefix() const { return took_prefix_; }

  // Where the next token lies, whose name is `token`; nullopt when the text goes on otherwise.
  std::optional<std::pair<uint32_t, uint32_t>> Take(std::string_view token) {
    size_t begin = at_;
    bool only_prefix = false;
    if (prefix_ && token.starts_with(kMark)) {
      token.remove_prefix(kMark.size());
      prefix_ = false;
      took_prefix_ = true;
      only_prefix = token.empty();
    }
    for (size_t i = 0; i < token.size();) {
      if (at_ == text_.size()) return std::nullopt;
      if (text_[at_] == ' ' && token.substr(i).starts_with(kMark)) {
        i += kMark.size();
      } else if (text_[at_] == token[i]) {  // a mark that stands in the text itself too
        ++i;
      } else {
        return std::nullopt;
      }
      ++at_;
    }
    size_t end = only_prefix ? FirstCharacter() : at_;
    return std::pair(static_cast<uint32_t>(begin), static_cast<uint32_t>(end));
  }

 private:
  size_t FirstCharacter() const {
    size_t size = 1;
    while (size < text_.size() && (static_cast<unsigned char>(text_[size]) & 0xC0) == 0x80) ++size;
    return size;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool prefix_;
  bool took_prefix_ = false;
};

}  // namespace hearth::tokenizers
