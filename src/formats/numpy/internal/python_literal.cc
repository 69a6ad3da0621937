#include "formats/numpy/internal/python_literal.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxItems = 100'000;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  PythonLiteral Run() {
    PythonLiteral value = Value(0);
    Blanks();
    if (at_ != text_.size()) Fail("something follows the literal");
    return value;
  }

 private:
  [[noreturn]] void Fail(const char* why) {
    throw Error(Code::kInvalidArgument,
                std::string("invalid header: ") + why + " at character " + std::to_string(at_));
  }
  void Blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool Take(std::string_view word) {
    Blanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  PythonLiteral Value(int depth) {
    if (depth > kMaxDepth) Fail("it nests too deep");
    if (++count_ > kMaxItems) Fail("it has too many values");
    PythonLiteral value;
    if (Take("None")) return value;
    if (Take("True") || Take("False")) {
      value.kind = PythonLiteral::Kind::kBool;
      value.number = text_[at_ - 2] == 'u';
      return value;
    }
    if (Take("{")) return Items(PythonLiteral::Kind::kDict, '}', depth);
    if (Take("[")) return Items(PythonLiteral::Kind::kList, ']', depth);
    if (Take("(")) return Items(PythonLiteral::Kind::kTuple, ')', depth);
    Blanks();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return Text();
    return Number();
  }

  PythonLiteral Items(PythonLiteral::Kind kind, char close, int depth) {
    PythonLiteral value;
    value.kind = kind;
    std::string_view end(&close, 1);
    bool comma = false;
    while (!Take(end)) {
      if (!value.items.empty() && !comma) Fail("a comma is missing");
      value.items.push_back(Value(depth + 1));
      if (kind == PythonLiteral::Kind::kDict) {
        if (!Take(":")) Fail("a colon is missing");
        value.items.push_back(Value(depth + 1));
      }
      comma = Take(",");
    }
    // One value in parentheses is the value.
    if (kind == PythonLiteral::Kind::kTuple && value.items.size() == 1 && !comma) {
      PythonLiteral inner = std::move(value.items[0]);
      return inner;
    }
    return value;
  }

  PythonLiteral Text() {
    PythonLiteral value;
    value.kind = PythonLiteral::Kind::kText;
    char quote = text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        if (at_ + 1 >= text_.size()) break;
        char next = text_[at_ + 1];
        if (next != '\\' && next != '\'' && next != '"') Fail("an escape that names do not need");
        ++at_;
      }
      value.text.push_back(text_[at_++]);
    }
    if (at_ >= text_.size()) Fail("a string does not end");
    ++at_;
    return value;
  }

  PythonLiteral Number() {
    size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    std::optional<int64_t> number = ParseInt(text_.substr(begin, at_ - begin));
    if (!number) Fail("this is no literal");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
    PythonLiteral value;
    value.kind = PythonLiteral::Kind::kInt;
    value.number = *number;
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t count_ = 0;
};

}  // namespace

const PythonLiteral* PythonLiteral::Find(std::string_view key) const {
  if (kind != Kind::kDict) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == Kind::kText && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

PythonLiteral ParsePythonLiteral(std::string_view text) { return Parser(text).Run(); }

}  // namespace hearth
