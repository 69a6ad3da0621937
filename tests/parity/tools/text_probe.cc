// Answers questions about src/text for the parity tests: one JSON array per line in, one JSON value
// per line out;
// {"error": code, "message": text} when the library refuses.
//   ["find_all", pattern, text]   -> [begin, end, begin, end, ...] in bytes
//   ["normalize", form, text]     -> [code point, change, code point, change, ...]
//   ["normal_text", form, text]   -> text
//   ["lower", text]               -> text
//   ["graphemes", text]           -> [bytes of each cluster, ...]
//   ["scripts", text]             -> [script of each character, ...]
//   ["property", name]            -> [first, last, first, last, ...] of the code points that have
//   it
#include <functional>
#include <iostream>
#include <map>

#include "base/error.h"
#include "codec/json.h"
#include "text/regex.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth {
namespace {

using Arguments = Json::Array;

std::string_view Text(const Arguments& arguments, size_t index) {
  if (index >= arguments.size() || arguments[index].AsString() == nullptr) {
    throw Error(Code::kInvalidArgument, "argument " + std::to_string(index) + " must be a string");
  }
  return *arguments[index].AsString();
}

NormalizationForm Form(std::string_view name) {
  if (name == "NFC") return NormalizationForm::kNfc;
  if (name == "NFD") return NormalizationForm::kNfd;
  if (name == "NFKC") return NormalizationForm::kNfkc;
  return NormalizationForm::kNfkd;
}

Json FindAll(const Arguments& arguments) {
  Json found = Json::Arr();
  Regex::Compile(Text(arguments, 1)).ForEachMatch(Text(arguments, 2), [&](RegexMatch match) {
    found.Push(match.begin);
    found.Push(match.end);
  });
  return found;
}

Json NormalizeStream(const Arguments& arguments) {
  std::vector<NormalizedChar> chars;
  Normalize(Form(Text(arguments, 1)), Text(arguments, 2), &chars);
  Json list = Json::Arr();
  for (const NormalizedChar& item : chars) {
    list.Push(static_cast<uint32_t>(item.c));
    list.Push(item.change);
  }
  return list;
}

Json Graphemes(const Arguments& arguments) {
  Json list = Json::Arr();
  for (std::string_view text = Text(arguments, 1); !text.empty();) {
    size_t length = NextGraphemeLength(text);
    list.Push(length);
    text.remove_prefix(length);
  }
  return list;
}

Json Scripts(const Arguments& arguments) {
  Json list = Json::Arr();
  for (std::string_view text = Text(arguments, 1); !text.empty();) {
    CodePoint point = DecodeUtf8(text);
    list.Push(static_cast<int>(ScriptOf(point.value)));
    text.remove_prefix(point.length);
  }
  return list;
}

const std::map<std::string_view, std::function<bool(char32_t)>>& Predicates() {
  static const std::map<std::string_view, std::function<bool(char32_t)>> predicates = {
      {"whitespace", IsWhitespace},    {"numeric", IsNumeric},
      {"punctuation", IsPunctuation},  {"crate_word", IsCrateWord},
      {"bert_control", IsBertControl}, {"nonspacing", IsNonspacingMark},
      {"combining", IsCombiningMark},  {"chinese", IsChineseCharacter},
      {"nmt_control", IsNmtControl},   {"nmt_space", IsNmtSpace},
  };
  return predicates;
}

Json PropertyRanges(const Arguments& arguments) {
  auto found = Predicates().find(Text(arguments, 1));
  if (found == Predicates().end()) throw Error(Code::kNotFound, "no such property");
  Json list = Json::Arr();
  bool inside = false;
  for (char32_t c = 0; c <= 0x110000; ++c) {
    bool now = c <= 0x10FFFF && found->second(c);
    if (now != inside) list.Push(static_cast<uint32_t>(now ? c : c - 1));
    inside = now;
  }
  return list;
}

Json Answer(const Json& question) {
  const Arguments* arguments = question.AsArray();
  if (arguments == nullptr) throw Error(Code::kInvalidArgument, "a question is an array");
  std::string_view verb = Text(*arguments, 0);
  if (verb == "find_all") return FindAll(*arguments);
  if (verb == "normalize") return NormalizeStream(*arguments);
  if (verb == "normal_text") return Normalize(Form(Text(*arguments, 1)), Text(*arguments, 2));
  if (verb == "lower") return Lowercase(Text(*arguments, 1));
  if (verb == "graphemes") return Graphemes(*arguments);
  if (verb == "scripts") return Scripts(*arguments);
  if (verb == "property") return PropertyRanges(*arguments);
  throw Error(Code::kInvalidArgument, "unknown question");
}

}  // namespace
}  // namespace hearth

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    hearth::Json answer;
    try {
      answer = hearth::Answer(hearth::Json::Parse(line));
    } catch (const hearth::Error& error) {
      answer = hearth::Json::Obj(
          {{"error", hearth::CodeName(error.code())}, {"message", error.message()}});
    }
    std::cout << answer.Dump() << '\n' << std::flush;
  }
}
