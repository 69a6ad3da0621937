// Case as Python's str methods map it: the full mappings of Unicode's SpecialCasing, title case,
// and the small sigma that ends a word.

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <iterator>

#include "text/internal/template_builtins.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

struct CaseMapping {
  char32_t character;
  char32_t mapped[3];  // ended by 0
};

struct CaseRange {
  char32_t first;
  char32_t last;
};

#include "text/internal/case_tables.inc"

constexpr char32_t kSigma = 0x3A3, kFinalSigma = 0x3C2, kSmallSigma = 0x3C3;

// glibc's own UTF-8 locale: simple case mappings for all of Unicode, whatever LANG says. When it is
// missing, towupper_l maps ASCII only.
locale_t CaseLocale() {
  static const locale_t locale = [] {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8 != nullptr ? utf8 : newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return locale;
}

template <size_t N>
const CaseMapping* FindMapping(const CaseMapping (&table)[N], char32_t c) {
  auto at = std::lower_bound(
      std::begin(table), std::end(table), c,
      [](const CaseMapping& mapping, char32_t wanted) { return mapping.character < wanted; });
  return at != std::end(table) && at->character == c ? at : nullptr;
}

template <size_t N>
bool IsIn(const CaseRange (&ranges)[N], char32_t c) {
  auto behind = std::upper_bound(
      std::begin(ranges), std::end(ranges), c,
      [](char32_t wanted, const CaseRange& range) { return wanted < range.first; });
  return behind != std::begin(ranges) && c <= std::prev(behind)->last;
}

// A text as characters. Bytes that are no UTF-8 stay as they are: they are kept beside.
class CaseText {
 public:
  explicit CaseText(std::string_view text) : text_(text) {
    for (size_t at = 0; at < text.size();) {
      CodePoint point = DecodeUtf8(text.substr(at));
      characters_.push_back({point.value, at, point.length, point.valid});
      at += point.length;
    }
    out_.reserve(text.size());
  }

  size_t size() const { return characters_.size(); }
  char32_t operator[](size_t i) const { return characters_[i].value; }
  std::string Take() { return std::move(out_); }

  void Upper(size_t i) { Map(i, kLongUpper, towupper_l); }
  void Title(size_t i) {
    if (!Put(i, FindMapping(kTitle, characters_[i].value))) Upper(i);
  }
  void Lower(size_t i) {
    if (characters_[i].value == kSigma) {
      return AppendUtf8(EndsWord(i) ? kFinalSigma : kSmallSigma, &out_);
    }
    Map(i, kLongLower, towlower_l);
  }
  void Fold(size_t i) {
    if (!Put(i, FindMapping(kFold, characters_[i].value))) Map(i, kLongLower, towlower_l);
  }
  // Title case ("ǅ"), which has both an upper and a lower case, stays.
  void Swap(size_t i) {
    const Character& character = characters_[i];
    char32_t c = character.value;
    bool has_lower = towlower_l(c, CaseLocale()) != c || FindMapping(kLongLower, c) != nullptr;
    bool has_upper = towupper_l(c, CaseLocale()) != c || FindMapping(kLongUpper, c) != nullptr;
    if (has_lower && has_upper) {
      out_ += text_.substr(character.at, character.length);
    } else {
      has_lower ? Lower(i) : Upper(i);
    }
  }

 private:
  struct Character {
    char32_t value;
    size_t at;
    size_t length;
    bool valid;
  };

  bool Put(size_t i, const CaseMapping* mapping) {
    if (mapping == nullptr || !characters_[i].valid) return false;
    for (char32_t c : mapping->mapped) {
      if (c != 0) AppendUtf8(c, &out_);
    }
    return true;
  }

  template <size_t N>
  void Map(size_t i, const CaseMapping (&table)[N], wint_t (*simple)(wint_t, locale_t)) {
    const Character& character = characters_[i];
    if (!character.valid) {
      out_ += text_.substr(character.at, character.length);
    } else if (!Put(i, FindMapping(table, character.value))) {
      AppendUtf8(simple(character.value, CaseLocale()), &out_);
    }
  }

  // Unicode's Final_Sigma: something cased before, nothing cased behind, what is case-ignorable
  // passed over.
  bool EndsWord(size_t i) const {
    size_t before = i;
    while (before > 0 && IsIn(kCaseIgnorable, characters_[before - 1].value)) --before;
    if (before == 0 || !IsIn(kCased, characters_[before - 1].value)) return false;
    size_t behind = i + 1;
    while (behind < size() && IsIn(kCaseIgnorable, characters_[behind].value)) ++behind;
    return behind == size() || !IsIn(kCased, characters_[behind].value);
  }

  std::string_view text_;
  std::vector<Character> characters_;
  std::string out_;
};

}  // namespace

std::string UpperText(std::string_view text) {
  CaseText mapped(text);
  for (size_t i = 0; i < mapped.size(); ++i) mapped.Upper(i);
  return mapped.Take();
}

std::string LowerText(std::string_view text) {
  CaseText mapped(text);
  for (size_t i = 0; i < mapped.size(); ++i) mapped.Lower(i);
  return mapped.Take();
}

std::string FoldText(std::string_view text) {
  CaseText mapped(text);
  for (size_t i = 0; i < mapped.size(); ++i) mapped.Fold(i);
  return mapped.Take();
}

std::string TitleText(std::string_view text) {
  CaseText mapped(text);
  bool in_word = false;
  for (size_t i = 0; i < mapped.size(); ++i) {
    in_word ? mapped.Lower(i) : mapped.Title(i);
    in_word = IsIn(kCased, mapped[i]);
  }
  return mapped.Take();
}

std::string SwapCaseText(std::string_view text) {
  CaseText mapped(text);
  for (size_t i = 0; i < mapped.size(); ++i) mapped.Swap(i);
  return mapped.Take();
}

std::string CapitalizeText(std::string_view text) {
  CaseText mapped(text);
  for (size_t i = 0; i < mapped.size(); ++i) i == 0 ? mapped.Title(i) : mapped.Lower(i);
  return mapped.Take();
}

}  // namespace hearth::tmpl
