// Text operations that filters and methods share: case, stripping, replacing, padding.

#include <locale.h>
#include <wctype.h>

#include "text/internal/template_builtins.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

// glibc's own UTF-8 locale: simple case mappings for all of Unicode, whatever LANG says. When it is
// missing, towupper_l maps ASCII only.
locale_t CaseLocale() {
  static const locale_t locale = [] {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8 != nullptr ? utf8 : newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return locale;
}

char32_t Upper(char32_t c) { return towupper_l(static_cast<wint_t>(c), CaseLocale()); }
char32_t Lower(char32_t c) { return towlower_l(static_cast<wint_t>(c), CaseLocale()); }
bool IsLetter(char32_t c) { return iswalpha_l(static_cast<wint_t>(c), CaseLocale()) != 0; }

template <typename Map>
std::string MapText(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    if (point.valid) {
      AppendUtf8(map(point.value), &out);
    } else {
      out += text.substr(0, point.length);
    }
    text.remove_prefix(point.length);
  }
  return out;
}

constexpr std::string_view kAsciiSpace = " \t\n\r\v\f\x1C\x1D\x1E\x1F";

bool IsSpace(char32_t c) {
  if (c < 0x80) return kAsciiSpace.find(static_cast<char>(c)) != std::string_view::npos;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Start of the last code point of a non-empty text.
size_t LastOffset(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
    --at;
  return at;
}

}  // namespace

std::string UpperText(std::string_view text) { return MapText(text, Upper); }
std::string LowerText(std::string_view text) { return MapText(text, Lower); }

std::string TitleText(std::string_view text) {
  bool in_word = false;
  return MapText(text, [&](char32_t c) {
    char32_t mapped = in_word ? Lower(c) : Upper(c);
    in_word = IsLetter(c);
    return mapped;
  });
}

std::string SwapCaseText(std::string_view text) {
  return MapText(text, [](char32_t c) { return Lower(c) == c ? Upper(c) : Lower(c); });
}

std::string CapitalizeText(std::string_view text) {
  bool first = true;
  return MapText(text,
                 [&](char32_t c) { return std::exchange(first, false) ? Upper(c) : Lower(c); });
}

bool IsUpperText(std::string_view text) {
  return text == UpperText(text) && text != LowerText(text);
}
bool IsLowerText(std::string_view text) {
  return text == LowerText(text) && text != UpperText(text);
}

std::string_view StripText(std::string_view text, const std::string* set, Strip side) {
  auto strippable = [&](std::string_view piece) {
    if (set != nullptr) return set->find(piece) != std::string::npos;
    return IsSpace(DecodeUtf8(piece).value);
  };
  while (side != Strip::kRight && !text.empty()) {
    size_t length = DecodeUtf8(text).length;
    if (!strippable(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (side != Strip::kLeft && !text.empty()) {
    size_t at = LastOffset(text);
    if (!strippable(text.substr(at))) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

std::string ReplaceText(Heap& heap, std::string_view text, std::string_view from,
                        std::string_view to, int64_t count) {
  heap.Step(text.size() / 256);
  std::string out;
  size_t at = 0;
  while (count != 0 && at <= text.size()) {
    // An empty pattern matches before every character and at the end, as in Python.
    size_t found = from.empty() ? at : text.find(from, at);
    if (found == std::string_view::npos) break;
    out += text.substr(at, found - at);
    out += to;
    heap.CheckSize(out.size());
    if (count > 0) --count;
    at = found + from.size();
    if (!from.empty()) continue;
    if (at >= text.size()) return out;
    size_t length = DecodeUtf8(text.substr(at)).length;
    out += text.substr(at, length);
    at += length;
  }
  if (at < text.size()) out += text.substr(at);
  return out;
}

std::string PadText(Heap& heap, std::string_view text, size_t width, char fill, int align) {
  heap.CheckSize(width);
  size_t length = CountCodePoints(text);
  if (length >= width) return std::string(text);
  size_t total = width - length;
  // Python's str.center puts the odd blank to the left for odd widths.
  size_t left = align < 0 ? 0 : align > 0 ? total : total / 2 + (total & width & 1);
  return std::string(left, fill) + std::string(text) + std::string(total - left, fill);
}

int64_t IntArgument(Interp& interp, const Args& args, size_t index, std::string_view name,
                    int64_t fallback) {
  const Value* value = args.Get(index, name);
  if (value == nullptr || value->is_none() || value->is_undefined()) return fallback;
  if (!value->is_integral()) {
    interp.Fail("'" + std::string(name) + "' must be an integer, not " + TypeName(*value));
  }
  return value->AsInt();
}

bool FlagArgument(const Args& args, size_t index, std::string_view name, bool fallback) {
  const Value* value = args.Get(index, name);
  return value != nullptr ? Truthy(*value) : fallback;
}

std::string TextArgument(Interp& interp, const Args& args, size_t index, std::string_view name,
                         std::string_view fallback) {
  const Value* value = args.Get(index, name);
  return value != nullptr ? ToText(interp, *value) : std::string(fallback);
}

const Value& RequiredArgument(Interp& interp, const Args& args, size_t index,
                              std::string_view name) {
  const Value* value = args.Get(index, name);
  if (value == nullptr) interp.Fail("the argument '" + std::string(name) + "' is missing");
  return *value;
}

}  // namespace hearth::tmpl
