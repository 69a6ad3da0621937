#include "tokenizers/pattern.h"

#include "base/error.h"

namespace hearth::tokenizers {

Pattern Pattern::Parse(const Json& json) {
  const Json::Object* members = json.AsObject();
  if (members != nullptr && members->size() == 1) {
    const auto& [kind, value] = members->front();
    const std::string* source = value.AsString();
    if (source != nullptr && kind == "String") {
      return Pattern(*source, false, Regex::Literal(*source));
    }
    if (source != nullptr && kind == "Regex") {
      return Pattern(*source, true, Regex::Compile(*source));
    }
  }
  throw Error(Code::kInvalidArgument,
              "\"pattern\" must be an object with one string, \"String\" or \"Regex\"");
}

void Pattern::FindPieces(std::string_view text, std::vector<Piece>* pieces) const {
  if (is_regex_ || source_.empty() || text.empty()) {
    return tokenizers::FindPieces(regex_, text, pieces);
  }
  FindLiteral(text, pieces);
}

void Pattern::FindLiteral(std::string_view text, std::vector<Piece>* pieces) const {
  auto add = [pieces](size_t begin, size_t end, bool match) {
    pieces->push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), match});
  };
  size_t gap = 0;
  for (size_t at; (at = text.find(source_, gap)) != std::string_view::npos;) {
    if (gap != at) add(gap, at, false);
    gap = at + source_.size();
    add(at, gap, true);
  }
  if (gap != text.size()) add(gap, text.size(), false);
}

Json Pattern::ToJson() const { return Json::Obj({{is_regex_ ? "Regex" : "String", source_}}); }

}  // namespace hearth::tokenizers
