#include "formats/safetensors/safetensors_json.h"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "text/utf8.h"

namespace hearth::internal {
namespace {

constexpr int kMaxDepth = 127;
constexpr size_t kMaxWarnings = 20;
// Longest part of a hostile name that a message repeats.
constexpr size_t kShownName = 200;

// One pass over the text; each Read* stands at the first character of its value.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  RawHeader Run();

 private:
  [[noreturn]] void Fail(const std::string& why) const {
    throw Error(Code::kInvalidArgument,
                "invalid safetensors header at byte " + std::to_string(at_) + ": " + why);
  }

  void Warn(std::string text) {
    if (header_.warnings.size() < kMaxWarnings) header_.warnings.push_back(std::move(text));
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipBlanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool Take(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void Expect(char c) {
    if (!Take(c)) Fail(std::string("expected '") + c + "'");
  }

  // Calls member(key) for each member of an object.
  template <typename Member>
  void ReadObject(Member member) {
    Enter('{', "an object");
    if (!Take('}')) {
      do {
        SkipBlanks();
        std::string key = ReadString();
        Expect(':');
        SkipBlanks();
        member(std::move(key));
      } while (Take(','));
      Expect('}');
    }
    --depth_;
  }

  // Calls item(index) for each item of a list.
  template <typename Item>
  void ReadArray(Item item) {
    Enter('[', "a list");
    size_t count = 0;
    if (!Take(']')) {
      do {
        SkipBlanks();
        item(count++);
      } while (Take(','));
      Expect(']');
    }
    --depth_;
  }

  void Enter(char open, const char* what) {
    if (Peek() != open) Fail(std::string("expected ") + what);
    if (++depth_ > kMaxDepth) Fail("nested too deeply");
    ++at_;
  }

  std::string ReadString();
  void ReadEscape(std::string* out);
  uint32_t ReadFourHex();
  // nullopt: a number that is no natural number below 2^64.
  std::optional<uint64_t> ReadNumber();
  uint64_t ReadSize();
  void ReadWord(std::string_view word);
  void SkipValue();
  tensor::Dtype ReadDtype();
  std::vector<uint64_t> ReadShape();
  void ReadOffsets(RawTensor* tensor);
  RawTensor ReadTensor(std::string name);
  void ReadMetadata();
  void AddTensor(RawTensor tensor);

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  RawHeader header_;
  std::unordered_map<std::string, size_t> index_;
};

uint32_t Parser::ReadFourHex() {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    char c = Peek();
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      Fail("a bad \\u escape");
    }
    value = value << 4 | digit;
  }
  return value;
}

void Parser::ReadEscape(std::string* out) {
  char c = Peek();
  ++at_;
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (size_t known = kFrom.find(c); known != std::string_view::npos && c != '\0') {
    out->push_back(kTo[known]);
    return;
  }
  if (c != 'u') Fail("a bad escape");
  uint32_t code = ReadFourHex();
  if (code >= 0xDC00 && code <= 0xDFFF) Fail("half of a surrogate pair");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") Fail("half of a surrogate pair");
    at_ += 2;
    uint32_t low = ReadFourHex();
    if (low < 0xDC00 || low > 0xDFFF) Fail("half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  AppendUtf8(code, out);
}

std::string Parser::ReadString() {
  if (Peek() != '"') Fail("expected a string");
  ++at_;
  std::string out;
  while (true) {
    size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20) {
      ++at_;
    }
    out.append(text_.substr(start, at_ - start));
    if (at_ >= text_.size()) Fail("a string without end");
    char c = text_[at_++];
    if (c == '"') return out;
    if (c != '\\') Fail("a control character in a string");
    ReadEscape(&out);
  }
}

std::optional<uint64_t> Parser::ReadNumber() {
  size_t start = at_;
  auto digits = [&] {
    size_t first = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    if (at_ == first) Fail("expected a digit");
  };
  bool natural = Peek() != '-';
  if (!natural) ++at_;
  if (Peek() == '0') {
    ++at_;
    if (Peek() >= '0' && Peek() <= '9') Fail("a number with a leading zero");
  } else {
    digits();
  }
  if (Peek() == '.') {
    natural = false;
    ++at_;
    digits();
  }
  if ((Peek() | 0x20) == 'e') {
    natural = false;
    ++at_;
    if (Peek() == '+' || Peek() == '-') ++at_;
    digits();
  }
  std::string number(text_.substr(start, at_ - start));
  if (natural) {
    uint64_t value = 0;
    bool fits = true;
    for (char c : number) {
      fits = fits && !__builtin_mul_overflow(value, uint64_t{10}, &value) &&
             !__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value);
    }
    if (fits) return value;
  }
  if (std::isinf(std::strtod(number.c_str(), nullptr))) Fail("a number out of range");
  return std::nullopt;
}

uint64_t Parser::ReadSize() {
  char c = Peek();
  if (c != '-' && !(c >= '0' && c <= '9')) Fail("expected a natural number");
  std::optional<uint64_t> value = ReadNumber();
  if (!value) Fail("expected a natural number below 2^64");
  return *value;
}

void Parser::ReadWord(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) Fail("expected a value");
  at_ += word.size();
}

void Parser::SkipValue() {
  switch (Peek()) {
    case '{':
      return ReadObject([this](const std::string&) { SkipValue(); });
    case '[':
      return ReadArray([this](size_t) { SkipValue(); });
    case '"':
      ReadString();
      return;
    case 't':
      return ReadWord("true");
    case 'f':
      return ReadWord("false");
    case 'n':
      return ReadWord("null");
    default:
      ReadNumber();
  }
}

tensor::Dtype Parser::ReadDtype() {
  std::string name;
  if (Peek() == '{') {
    int members = 0;
    ReadObject([&](std::string key) {
      if (++members > 1) Fail("a dtype with several names");
      name = std::move(key);
      ReadWord("null");
    });
    Warn("a dtype is written as an object");
  } else {
    name = ReadString();
  }
  std::optional<tensor::Dtype> dtype = tensor::FindDtype(name);
  if (!dtype) Fail("unknown dtype \"" + name.substr(0, kShownName) + "\"");
  return *dtype;
}

std::vector<uint64_t> Parser::ReadShape() {
  std::vector<uint64_t> shape;
  ReadArray([&](size_t) { shape.push_back(ReadSize()); });
  return shape;
}

void Parser::ReadOffsets(RawTensor* tensor) {
  size_t count = 0;
  ReadArray([&](size_t index) {
    if (index > 1) Fail("more than two data_offsets");
    (index == 0 ? tensor->begin : tensor->end) = ReadSize();
    ++count;
  });
  if (count != 2) Fail("needs two data_offsets");
}

RawTensor Parser::ReadTensor(std::string name) {
  RawTensor tensor;
  bool has[3] = {};
  auto once = [&](int field, const char* what) {
    if (has[field]) Fail(std::string("two fields ") + what);
    has[field] = true;
  };
  auto read_field = [&](int field) {
    if (field == 0) tensor.dtype = ReadDtype();
    if (field == 1) tensor.shape = ReadShape();
    if (field == 2) ReadOffsets(&tensor);
  };
  constexpr const char* kFields[] = {"dtype", "shape", "data_offsets"};
  if (Peek() == '[') {
    Warn("tensor \"" + name.substr(0, kShownName) + "\" is written as a list");
    ReadArray([&](size_t index) {
      if (index > 2) Fail("a tensor of more than three parts");
      has[index] = true;
      read_field(static_cast<int>(index));
    });
  } else {
    ReadObject([&](const std::string& key) {
      for (int field = 0; field < 3; ++field) {
        if (key != kFields[field]) continue;
        once(field, kFields[field]);
        return read_field(field);
      }
      SkipValue();
    });
  }
  if (!has[0] || !has[1] || !has[2]) {
    Fail("tensor \"" + name.substr(0, kShownName) + "\" lacks dtype, shape or data_offsets");
  }
  tensor.name = std::move(name);
  return tensor;
}

void Parser::ReadMetadata() {
  if (Peek() == 'n') return ReadWord("null");
  std::unordered_map<std::string, size_t> seen;
  ReadObject([&](std::string key) {
    std::string value = ReadString();
    auto [known, added] = seen.emplace(key, header_.metadata.size());
    if (added) {
      header_.metadata.emplace_back(std::move(key), std::move(value));
    } else {
      Warn("metadata \"" + key.substr(0, kShownName) + "\" appears twice; the last counts");
      header_.metadata[known->second].second = std::move(value);
    }
  });
}

void Parser::AddTensor(RawTensor tensor) {
  auto [known, added] = index_.emplace(tensor.name, header_.tensors.size());
  if (added) {
    header_.tensors.push_back(std::move(tensor));
  } else {
    Warn("tensor \"" + tensor.name.substr(0, kShownName) + "\" appears twice; the last counts");
    header_.tensors[known->second] = std::move(tensor);
  }
}

RawHeader Parser::Run() {
  if (!text_.starts_with('{')) Warn("blanks before the header's '{'");
  SkipBlanks();
  bool has_metadata = false;
  ReadObject([&](std::string key) {
    if (key != "__metadata__") return AddTensor(ReadTensor(std::move(key)));
    if (has_metadata) Fail("__metadata__ appears twice");
    has_metadata = true;
    ReadMetadata();
  });
  size_t end = at_;
  SkipBlanks();
  if (at_ != text_.size()) Fail("something follows the object");
  if (text_.find_first_not_of(' ', end) != std::string_view::npos) {
    Warn("blanks other than spaces after the header");
  }
  return std::move(header_);
}

}  // namespace

RawHeader ParseSafetensorsJson(std::string_view text) { return Parser(text).Run(); }

}  // namespace hearth::internal
