// BertNormalizer: control characters out, white space to ' ', spaces around Chinese characters,
// accents off, lower case; each by a switch.
#include "base/error.h"
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

bool IsKeptSpace(char32_t c) { return c == '\t' || c == '\n' || c == '\r'; }

bool IsPrintableAscii(std::string_view text) {
  bool printable = true;
  for (char c : text) printable &= c >= ' ' && c <= '~';
  return printable;
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const Json& json)
      : clean_text_(internal::RequireBool(json, "clean_text")),
        handle_chinese_chars_(internal::RequireBool(json, "handle_chinese_chars")),
        strip_accents_(json.BoolField("strip_accents")),
        lowercase_(internal::RequireBool(json, "lowercase")) {}

  void Normalize(NormalizedString* text) const override {
    if (clean_text_) Clean(text);
    if (handle_chinese_chars_) SpaceChinese(text);
    if (strip_accents_.value_or(lowercase_)) {
      internal::ApplyForm(NormalizationForm::kNfd, text);
      if (!internal::IsAscii(text->text()) || !internal::CanSkipRewrite(*text)) {
        internal::Filter(text, [](char32_t c) { return !IsNonspacingMark(c); });
      }
    }
    if (lowercase_) internal::ApplyLowercase(text);
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "BertNormalizer"},
                      {"clean_text", clean_text_},
                      {"handle_chinese_chars", handle_chinese_chars_},
                      {"strip_accents", strip_accents_},
                      {"lowercase", lowercase_}});
  }

 private:
  static void Clean(NormalizedString* text) {
    if (internal::CanSkipRewrite(*text) && IsPrintableAscii(text->text())) return;
    internal::Filter(text, [](char32_t c) {
      return c != 0 && c != 0xFFFD && (IsKeptSpace(c) || !IsBertControl(c));
    });
    internal::MapCharacters(
        text, [](char32_t c) -> char32_t { return IsKeptSpace(c) || IsWhitespace(c) ? ' ' : c; });
  }

  static void SpaceChinese(NormalizedString* target) {
    std::string_view text = target->text();
    if (internal::CanSkipRewrite(*target)) {
      if (internal::IsAscii(text)) return;
      bool found = false;
      internal::ForEachCharacter(text, [&](char32_t c) { found |= IsChineseCharacter(c); });
      if (!found) return;
    }
    Rewriter rewriter(target);
    internal::ForEachCharacter(text, [&](char32_t c) {
      if (!IsChineseCharacter(c)) return rewriter.Put(c, Rewriter::kReplace);
      rewriter.Put(' ', Rewriter::kReplace);
      rewriter.Put(c, Rewriter::kInsert);
      rewriter.Put(' ', Rewriter::kInsert);
    });
    rewriter.Finish();
  }

  bool clean_text_;
  bool handle_chinese_chars_;
  std::optional<bool> strip_accents_;  // nullopt: as lowercase_
  bool lowercase_;
};

}  // namespace

std::unique_ptr<Normalizer> ParseBertNormalizer(const Json& json) {
  return std::make_unique<BertNormalizer>(json);
}

}  // namespace hearth::tokenizers
