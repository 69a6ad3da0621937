// Filters that give text or a number.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/html.h"
#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

// The piped value as text, and a result that keeps its "safe" mark.
std::string Input(Interp& interp, const Value& self) { return ToText(interp, self); }
Value Same(Interp& interp, const Value& self, std::string text) {
  return interp.String(std::move(text), self.is_string() && self.safe);
}

Value Upper(Interp& interp, const Value& self, Args&) {
  return Same(interp, self, UpperText(Input(interp, self)));
}
Value Lower(Interp& interp, const Value& self, Args&) {
  return Same(interp, self, LowerText(Input(interp, self)));
}
Value Capitalize(Interp& interp, const Value& self, Args&) {
  return Same(interp, self, CapitalizeText(Input(interp, self)));
}

// A capital (not a title case letter) at the start of every word; words end at blanks, hyphens and
// opening brackets.
Value Title(Interp& interp, const Value& self, Args&) {
  std::string text = Input(interp, self);
  std::string out;
  auto add = [&](std::string_view word) {
    if (word.empty()) return;
    size_t first = DecodeUtf8(word).length;
    out += UpperText(word.substr(0, first)) + LowerText(word.substr(first));
  };
  size_t start = 0;
  for (size_t i = 0; i < text.size();) {
    CodePoint point = DecodeUtf8(std::string_view(text).substr(i));
    bool bracket =
        point.value < 0x80 && std::string_view("-({[<").find(text[i]) != std::string::npos;
    if (bracket || IsSpace(point.value)) {
      add(std::string_view(text).substr(start, i - start));
      out += text.substr(i, point.length);
      start = i + point.length;
    }
    i += point.length;
  }
  add(std::string_view(text).substr(start));
  return Same(interp, self, std::move(out));
}

Value Trim(Interp& interp, const Value& self, Args& args) {
  std::string text = Input(interp, self);
  const Value* chars = args.Get(0, "chars");
  std::string set;
  bool has_set = chars != nullptr && !chars->is_none();
  if (has_set) set = ToText(interp, *chars);
  return Same(interp, self, std::string(StripText(text, has_set ? &set : nullptr, Strip::kBoth)));
}

Value Replace(Interp& interp, const Value& self, Args& args) {
  const Value& from = RequiredArgument(interp, args, 0, "old");
  const Value& to = RequiredArgument(interp, args, 1, "new");
  int64_t count = IntArgument(interp, args, 2, "count", -1);
  auto is_safe = [](const Value& value) { return value.is_string() && value.safe; };
  bool safe = interp.autoescape() && (is_safe(self) || is_safe(from) || is_safe(to));
  auto text = [&](const Value& value) {
    return safe ? interp.EscapedText(value) : ToText(interp, value);
  };
  return interp.String(ReplaceText(interp, text(self), text(from), text(to), count), safe);
}

Value PrettyPrint(Interp& interp, const Value& self, Args&) {
  return interp.String(PrettyText(interp, self));
}

Value Escape(Interp& interp, const Value& self, Args&) {
  return interp.String(interp.EscapedText(self), /*safe=*/true);
}
Value ForceEscape(Interp& interp, const Value& self, Args&) {
  return interp.String(EscapeHtml(ToText(interp, self)), /*safe=*/true);
}
Value Safe(Interp& interp, const Value& self, Args&) {
  return interp.String(ToText(interp, self), /*safe=*/true);
}
Value String(Interp& interp, const Value& self, Args&) {
  return self.is_string() ? self : interp.String(ToText(interp, self));
}

// The references that escaping makes, and numbers. Python also knows the names of HTML 5.
std::string UnescapeHtml(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNames[] = {
      {"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
  std::string out;
  while (!text.empty()) {
    size_t at = text.find('&');
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
    char32_t character = '&';
    size_t length = 0;
    for (const auto& [name, meant] : kNames) {
      if (!text.starts_with(name)) continue;
      character = static_cast<unsigned char>(meant);
      length = name.size();
    }
    if (text.starts_with('#')) {
      bool hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
      const char* begin = text.data() + (hex ? 2 : 1);
      const char* end = text.data() + text.size();
      uint32_t value = 0;
      auto parsed = std::from_chars(begin, end, value, hex ? 16 : 10);
      bool ends = parsed.ec == std::errc() && parsed.ptr < end && *parsed.ptr == ';';
      if (ends && value > 0 && value < 0x110000 && (value < 0xD800 || value > 0xDFFF)) {
        character = value;
        length = static_cast<size_t>(parsed.ptr + 1 - text.data());
      }
    }
    AppendUtf8(character, &out);
    text.remove_prefix(length);
  }
  return out;
}

// Comments and tags that end go; what begins one and never ends it stays.
Value StripTags(Interp& interp, const Value& self, Args&) {
  std::string text = Input(interp, self), plain;
  std::string_view rest = text;
  while (true) {
    size_t start = rest.find('<');
    if (start == std::string_view::npos) break;
    bool comment = rest.substr(start).starts_with("<!--");
    size_t end = comment ? rest.find("-->", start + 4) : rest.find('>', start);
    if (end == std::string_view::npos) break;
    plain += rest.substr(0, start);
    rest.remove_prefix(end + (comment ? 3 : 1));
  }
  plain += rest;
  std::string out;
  bool blank = false;
  for (rest = plain; !rest.empty();) {
    CodePoint point = DecodeUtf8(rest);
    bool is_blank = IsSpace(point.value);
    if (!is_blank) {
      if (blank && !out.empty()) out += ' ';
      out += rest.substr(0, point.length);
    }
    blank = is_blank;
    rest.remove_prefix(point.length);
  }
  return interp.String(UnescapeHtml(out));
}

// As in a query string: a blank is "+".
std::string QueryPart(Interp& interp, const Value& value) {
  std::string out = UrlEncode(ToText(interp, value), " ");
  std::replace(out.begin(), out.end(), ' ', '+');
  return out;
}

Value UrlEncodeFilter(Interp& interp, const Value& self, Args&) {
  if (self.kind != Kind::kDict && self.kind != Kind::kList) {
    return interp.String(UrlEncode(ToText(interp, self), "/"));
  }
  std::string out;
  auto add = [&](const Value& key, const Value& value) {
    if (!out.empty()) out += '&';
    out += QueryPart(interp, key) + "=" + QueryPart(interp, value);
  };
  if (self.kind == Kind::kDict) {
    for (const auto& [key, value] : self.dict->items) add(key, value);
  } else {
    for (const Value& item : self.list->items) {
      std::vector<Value> pair = Items(interp, item);
      if (pair.size() != 2) interp.Fail("urlencode needs pairs");
      add(pair[0], pair[1]);
    }
  }
  return interp.String(std::move(out));
}

Value ToJsonFilter(Interp& interp, const Value& self, Args& args) {
  JsonStyle style;
  // In pages JSON stands inside HTML; in chat templates models see it as it is.
  style.html_safe = interp.autoescape();
  style.ensure_ascii = FlagArgument(args, 99, "ensure_ascii", false);
  style.sort_keys = FlagArgument(args, 99, "sort_keys", false);
  style.indent =
      static_cast<int>(std::min<int64_t>(IntArgument(interp, args, 0, "indent", -1), 64));
  if (style.indent >= 0) style.item_separator = ",";
  if (const Value* separators = args.Get(99, "separators"); separators && !separators->is_none()) {
    std::vector<Value> pair = Items(interp, *separators);
    if (pair.size() != 2) interp.Fail("'separators' needs two strings");
    style.item_separator = ToText(interp, pair[0]);
    style.key_separator = ToText(interp, pair[1]);
  }
  return interp.String(DumpJson(interp, self, style), interp.autoescape());
}

Value Indent(Interp& interp, const Value& self, Args& args) {
  const Value* width = args.Get(0, "width");
  std::string pad;
  if (width != nullptr && width->is_string()) {
    pad = width->str();
  } else {
    int64_t count = IntArgument(interp, args, 0, "width", 4);
    interp.CheckSize(static_cast<uint64_t>(std::max<int64_t>(count, 0)));
    pad.assign(static_cast<size_t>(std::max<int64_t>(count, 0)), ' ');
  }
  bool first = FlagArgument(args, 1, "first", false);
  bool blank = FlagArgument(args, 2, "blank", false);
  // One line more than there are ends, so that an end behind the last line stays.
  std::string text = Input(interp, self) + "\n", out;
  bool is_first = true;
  for (std::string_view rest = text; !rest.empty();) {
    Line line = FirstLine(rest);
    rest.remove_prefix(line.length);
    if (!is_first) out += '\n';
    if (is_first ? first : (blank || !line.text.empty())) out += pad;
    is_first = false;
    out += line.text;
    interp.CheckSize(out.size());
  }
  return Same(interp, self, std::move(out));
}

Value Truncate(Interp& interp, const Value& self, Args& args) {
  int64_t length = IntArgument(interp, args, 0, "length", 255);
  bool kill_words = FlagArgument(args, 1, "killwords", false);
  std::string end = TextArgument(interp, args, 2, "end", "...");
  int64_t leeway = IntArgument(interp, args, 3, "leeway", 5);
  auto end_length = static_cast<int64_t>(CountCodePoints(end));
  if (length < end_length || leeway < 0) interp.Fail("truncate: the length is too small");
  std::string text = Input(interp, self);
  if (static_cast<int64_t>(CountCodePoints(text)) <= length + leeway)
    return Same(interp, self, text);
  std::string cut(TruncateUtf8(text, static_cast<size_t>(length - end_length)));
  size_t blank = cut.rfind(' ');
  if (!kill_words && blank != std::string::npos) cut.resize(blank);
  return Same(interp, self, cut + end);
}

Value Center(Interp& interp, const Value& self, Args& args) {
  auto width = static_cast<size_t>(std::max<int64_t>(IntArgument(interp, args, 0, "width", 80), 0));
  return Same(interp, self, PadText(interp, Input(interp, self), width, " ", 0));
}

Value WordCount(Interp& interp, const Value& self, Args&) {
  int64_t words = 0;
  bool in_word = false;
  AllCharacters(Input(interp, self), [&](char32_t c) {
    bool is_word = c == '_' || IsAlnum(c);
    if (is_word && !in_word) ++words;
    in_word = is_word;
    return true;
  });
  return Value::Int(words);
}

Value WordWrap(Interp& interp, const Value& self, Args& args) {
  WrapStyle style;
  int64_t width = IntArgument(interp, args, 0, "width", 79);
  if (width < 1) interp.Fail("wordwrap: the width must be at least 1");
  style.width = static_cast<size_t>(width);
  style.break_long_words = FlagArgument(args, 1, "break_long_words", true);
  const Value* separator = args.Get(2, "wrapstring");
  if (separator != nullptr && !separator->is_none()) style.separator = ToText(interp, *separator);
  style.break_on_hyphens = FlagArgument(args, 3, "break_on_hyphens", true);
  return Same(interp, self, WrapText(interp, Input(interp, self), style));
}

Value FormatFilter(Interp& interp, const Value& self, Args& args) {
  Value values;
  if (!args.keywords.empty()) {
    DictObj* dict = interp.NewDict();
    for (const auto& [key, value] : args.keywords) dict->Set(interp, key, value);
    values = Value::Of(dict);
  } else {
    values = interp.List(args.positional, /*is_tuple=*/true);
  }
  return Same(interp, self, PercentFormat(interp, Input(interp, self), values));
}

Value FileSizeFormat(Interp& interp, const Value& self, Args& args) {
  bool binary = FlagArgument(args, 0, "binary", false);
  double bytes = NumberArgument(interp, self);
  double base = binary ? 1024 : 1000;
  if (bytes == 1) return interp.String("1 Byte");
  if (bytes <= -0x1p63) interp.Fail("integer overflow");
  if (bytes < base) return interp.String(std::to_string(static_cast<int64_t>(bytes)) + " Bytes");
  static constexpr const char* kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  static constexpr const char* kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  size_t i = 0;
  double next = base * base;
  for (; i + 1 < std::size(kDecimal) && !(bytes < next); ++i) next *= base;
  char text[512];
  std::snprintf(text, sizeof text, "%.1f %s", base * bytes / next,
                (binary ? kBinary : kDecimal)[i]);
  return interp.String(text);
}

// Halves go to the even neighbour.
Value RoundInteger(int64_t value, int64_t precision) {
  if (precision >= 0) return Value::Int(value);
  if (precision < -18) return Value::Int(0);
  int64_t unit = 1;
  for (; precision < 0; ++precision) unit *= 10;
  int64_t quotient = value / unit, rest = std::abs(value % unit);
  bool away = rest > unit - rest || (rest == unit - rest && quotient % 2 != 0);
  return Value::Int((quotient + (away ? (value < 0 ? -1 : 1) : 0)) * unit);
}

Value Round(Interp& interp, const Value& self, Args& args) {
  int64_t precision = IntArgument(interp, args, 0, "precision", 0);
  std::string method = TextArgument(interp, args, 1, "method", "common");
  if (!self.is_number()) interp.Fail("round needs a number");
  // Python's round leaves integers as they are.
  if (self.is_integral() && method == "common") return RoundInteger(self.AsInt(), precision);
  double value = self.AsDouble();
  if (std::llabs(precision) > 300) interp.Fail("round: the precision is too large");
  if (method == "common") {
    if (precision < 0) {
      double scale = std::pow(10, static_cast<double>(-precision));
      return Value::Float(std::nearbyint(value / scale) * scale);
    }
    // Correct rounding of the decimal form, halves to even, as Python's round does.
    char text[800];
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(precision), value);
    return Value::Float(std::strtod(text, nullptr));
  }
  double scale = std::pow(10, static_cast<double>(precision));
  if (method == "ceil") return Value::Float(std::ceil(value * scale) / scale);
  if (method == "floor") return Value::Float(std::floor(value * scale) / scale);
  interp.Fail("round: unknown method '" + method + "'");
}

Value Abs(Interp& interp, const Value& self, Args&) {
  if (self.kind == Kind::kFloat) return Value::Float(std::fabs(self.number));
  if (!self.is_integral()) interp.Fail("abs needs a number");
  return self.AsInt() < 0 ? interp.Binary("-", Value::Int(0), self) : Value::Int(self.AsInt());
}

Value XmlAttr(Interp& interp, const Value& self, Args& args) {
  if (self.kind != Kind::kDict) interp.Fail("xmlattr needs a dict");
  std::string out;
  for (const auto& [key, value] : self.dict->items) {
    if (value.is_none() || value.is_undefined()) continue;
    std::string name = ToText(interp, key);
    if (name.empty() || name.find_first_of(" \t\n\r\f/>=\"'<") != std::string::npos) {
      interp.Fail("xmlattr: a bad attribute name");
    }
    out += (out.empty() ? "" : " ") + EscapeHtml(name) + "=\"" + interp.EscapedText(value) + "\"";
  }
  if (!out.empty() && FlagArgument(args, 0, "autospace", true)) out.insert(out.begin(), ' ');
  return interp.String(std::move(out), interp.autoescape());
}

constexpr NamedEntry<Builtin> kFilters[] = {
    {"abs", Abs},
    {"capitalize", Capitalize},
    {"center", Center},
    {"e", Escape},
    {"escape", Escape},
    {"filesizeformat", FileSizeFormat},
    {"float", FloatFilter},
    {"forceescape", ForceEscape},
    {"format", FormatFilter},
    {"indent", Indent},
    {"int", IntFilter},
    {"lower", Lower},
    {"pprint", PrettyPrint},
    {"replace", Replace},
    {"round", Round},
    {"safe", Safe},
    {"string", String},
    {"striptags", StripTags},
    {"title", Title},
    {"tojson", ToJsonFilter},
    {"trim", Trim},
    {"truncate", Truncate},
    {"upper", Upper},
    {"urlencode", UrlEncodeFilter},
    {"wordcount", WordCount},
    {"wordwrap", WordWrap},
    {"xmlattr", XmlAttr},
};

}  // namespace

Builtin FindTextFilter(std::string_view name) { return FindEntry(kFilters, name); }

}  // namespace hearth::tmpl
