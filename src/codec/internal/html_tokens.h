// Splits HTML into tags and text, after the tokenization rules of the HTML standard where they
// matter for safety: quoted attribute values, comments, bogus comments.
// https://html.spec.whatwg.org/#tokenization
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::html {

struct Tag {
  std::string name;  // lower case
  bool closing = false;
  // Names lower case; values as written (character references not decoded). Of duplicates the
  // first.
  std::vector<std::pair<std::string, std::string>> attributes;
};

// Reads from the front; every call moves on by at least one byte.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view html) : rest_(html) {}

  enum class Kind { kText, kTag, kEnd };
  // kText: text() holds characters as written (references not decoded). Comments, doctypes and
  // processing instructions are skipped.
  Kind Next();
  std::string_view text() const { return text_; }
  const Tag& tag() const { return tag_; }
  // Moves past "</name>", for elements whose content is no markup; to the end when there is none.
  void SkipRawText(std::string_view name);

 private:
  void ReadTag();
  void ReadAttributes();
  void SkipComment();

  std::string_view rest_;
  std::string_view text_;
  Tag tag_;
};

// Decodes numeric references and the named ones that can hide a URL scheme or end an attribute.
// Others stay as they are written.
std::string DecodeReferences(std::string_view text);

// Escapes < > " and every & that does not start a well-formed character reference.
void AppendText(std::string_view text, std::string* out);
// Escapes < > " ' & all.
void AppendAttributeValue(std::string_view text, std::string* out);

}  // namespace hearth::html
