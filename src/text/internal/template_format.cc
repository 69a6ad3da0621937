// "%s" and "{}" formatting, and JSON as Python writes it.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text/internal/template_builtins.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

constexpr size_t kMaxWidth = 10'000;
constexpr int kMaxPrecision = 100;

// A parsed conversion of either syntax.
struct Spec {
  char fill = ' ';
  char align = '\0';  // < > ^ =
  char sign = '\0';   // + or space
  bool alternate = false;
  bool grouping = false;
  size_t width = 0;
  int precision = -1;
  char type = '\0';
};

size_t ReadNumber(Heap& heap, std::string_view text, size_t* at) {
  size_t value = 0;
  while (*at < text.size() && text[*at] >= '0' && text[*at] <= '9') {
    value = value * 10 + static_cast<size_t>(text[*at] - '0');
    if (value > kMaxWidth) heap.Fail("a width or precision that is too large");
    ++*at;
  }
  return value;
}

int ReadPrecision(Heap& heap, std::string_view text, size_t* at) {
  return static_cast<int>(std::min<size_t>(ReadNumber(heap, text, at), kMaxPrecision));
}

std::string Group(std::string digits) {
  size_t end = digits.find_first_of(".e");
  if (end == std::string::npos) end = digits.size();
  for (size_t at = end; at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string FormatDouble(double value, char type, int precision) {
  // %f of 1e308 with 100 digits takes about 410 characters.
  char buffer[512];
  const char format[] = {'%', '.', '*', type, '\0'};
  std::snprintf(buffer, sizeof buffer, format, precision, value);
  return buffer;
}

std::string FormatInteger(uint64_t magnitude, char type) {
  char buffer[72];
  if (type == 'b') {
    std::string out;
    do {
      out.insert(out.begin(), static_cast<char>('0' + (magnitude & 1)));
      magnitude >>= 1;
    } while (magnitude > 0);
    return out;
  }
  const char* format = type == 'x' ? "%llx" : type == 'X' ? "%llX" : type == 'o' ? "%llo" : "%llu";
  std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned long long>(magnitude));
  return buffer;
}

// The digits of a number without its sign.
std::string Digits(Heap& heap, const Value& value, const Spec& spec) {
  bool floating =
      spec.type != '\0' && std::string_view("eEfFgG%").find(spec.type) != std::string::npos;
  if (value.is_integral() && !floating) {
    int64_t number = value.AsInt();
    uint64_t magnitude =
        number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    if (spec.type == 'c') heap.Fail("the conversion c is not supported");
    return FormatInteger(magnitude, spec.type);
  }
  double number = std::fabs(value.AsDouble());
  if (spec.type == 'd' || spec.type == 'i' || spec.type == 'u') {
    return FormatInteger(static_cast<uint64_t>(std::min(number, 9.2e18)), 'd');
  }
  if (spec.type == '%')
    return FormatDouble(number * 100, 'f', spec.precision < 0 ? 6 : spec.precision) + "%";
  if (!floating && spec.precision < 0) return FloatRepr(number);
  return FormatDouble(number, floating ? spec.type : 'g', spec.precision < 0 ? 6 : spec.precision);
}

std::string Align(Heap& heap, std::string text, const Spec& spec, bool is_number,
                  size_t sign_length) {
  char align = spec.align != '\0' ? spec.align : is_number ? '>' : '<';
  size_t length = CountCodePoints(text);
  if (length >= spec.width) return text;
  if (align == '=') {
    return text.substr(0, sign_length) + std::string(spec.width - length, spec.fill) +
           text.substr(sign_length);
  }
  if (align == '^') {
    size_t left = (spec.width - length) / 2;
    return std::string(left, spec.fill) + text + std::string(spec.width - length - left, spec.fill);
  }
  return PadText(heap, text, spec.width, std::string_view(&spec.fill, 1), align == '>' ? 1 : -1);
}

std::string FormatValue(Heap& heap, const Value& value, const Spec& spec) {
  bool text_type = spec.type == 's' || spec.type == 'r' || spec.type == 'a';
  bool wants_number = spec.type != '\0' && !text_type;
  if (wants_number && !value.is_number()) {
    heap.Fail(std::string("a number is needed for '") + spec.type + "', not " + TypeName(value));
  }
  bool plain_bool = value.kind == Kind::kBool && spec.type == '\0';
  if (!value.is_number() || text_type || plain_bool) {
    std::string text;
    if (spec.type == 'r' || spec.type == 'a') {
      AppendRepr(heap, value, &text);
    } else {
      text = ToText(heap, value);
    }
    if (spec.precision >= 0) text = TruncateUtf8(text, static_cast<size_t>(spec.precision));
    return Align(heap, std::move(text), spec, false, 0);
  }
  bool negative = value.kind == Kind::kFloat ? std::signbit(value.number) : value.AsInt() < 0;
  std::string sign = negative ? "-" : spec.sign != '\0' ? std::string(1, spec.sign) : "";
  if (spec.alternate && (spec.type == 'x' || spec.type == 'o' || spec.type == 'b')) {
    (sign += '0') += spec.type;
  }
  std::string digits = Digits(heap, value, spec);
  if (spec.grouping) digits = Group(std::move(digits));
  size_t sign_length = sign.size();
  return Align(heap, sign + digits, spec, true, sign_length);
}

// [[fill]align][sign][#][0][width][,][.precision][type]
Spec ParseBraceSpec(Heap& heap, std::string_view text) {
  Spec spec;
  size_t at = 0;
  auto is_align = [&](size_t i) {
    return i < text.size() && std::string_view("<>^=").find(text[i]) != std::string_view::npos;
  };
  if (is_align(1)) {
    spec.fill = text[0];
    spec.align = text[1];
    at = 2;
  } else if (is_align(0)) {
    spec.align = text[0];
    at = 1;
  }
  auto take = [&](char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  };
  if (take('+')) spec.sign = '+';
  if (take(' ')) spec.sign = ' ';
  take('-');
  spec.alternate = take('#');
  if (take('0') && spec.align == '\0') {
    spec.fill = '0';
    spec.align = '=';
  }
  spec.width = ReadNumber(heap, text, &at);
  spec.grouping = take(',');
  if (take('.')) spec.precision = ReadPrecision(heap, text, &at);
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size() ||
      (spec.type != '\0' &&
       std::string_view("sdxXobeEfFgG%").find(spec.type) == std::string_view::npos)) {
    heap.Fail("unknown format '" + std::string(text.substr(0, 40)) + "'");
  }
  return spec;
}

}  // namespace

std::string PercentFormat(Interp& interp, std::string_view format, const Value& values) {
  bool is_tuple = values.kind == Kind::kList && values.list->is_tuple;
  size_t next = 0;
  auto argument = [&]() -> Value {
    if (!is_tuple) {
      if (next++ > 0) interp.Fail("not enough arguments for the format");
      return values;
    }
    if (next >= values.list->items.size()) interp.Fail("not enough arguments for the format");
    return values.list->items[next++];
  };
  std::string out;
  for (size_t at = 0; at < format.size();) {
    size_t percent = format.find('%', at);
    out += format.substr(at, percent == std::string_view::npos ? percent : percent - at);
    interp.CheckSize(out.size());
    if (percent == std::string_view::npos) break;
    at = percent + 1;
    if (at < format.size() && format[at] == '%') {
      out += '%';
      ++at;
      continue;
    }
    Value value;
    bool named = at < format.size() && format[at] == '(';
    if (named) {
      size_t close = format.find(')', at);
      if (close == std::string_view::npos || values.kind != Kind::kDict) {
        interp.Fail("a named conversion needs a dict");
      }
      value = interp.Subscript(values,
                               interp.String(std::string(format.substr(at + 1, close - at - 1))));
      at = close + 1;
    }
    Spec spec;
    spec.align = '>';
    for (;
         at < format.size() && std::string_view("-+ 0#").find(format[at]) != std::string_view::npos;
         ++at) {
      if (format[at] == '-') spec.align = '<';
      if (format[at] == '+' || (format[at] == ' ' && spec.sign == '\0')) spec.sign = format[at];
      if (format[at] == '#') spec.alternate = true;
      if (format[at] == '0') spec.fill = '0';
    }
    spec.width = ReadNumber(interp, format, &at);
    if (at < format.size() && format[at] == '.') {
      ++at;
      spec.precision = ReadPrecision(interp, format, &at);
    }
    if (at >= format.size()) interp.Fail("incomplete format");
    spec.type = format[at++];
    if (std::string_view("sradiuxXoeEfFgG").find(spec.type) == std::string_view::npos) {
      interp.Fail(std::string("unsupported format character '") + spec.type + "'");
    }
    bool is_text = std::string_view("sra").find(spec.type) != std::string_view::npos;
    if (spec.align == '<' || is_text) spec.fill = ' ';
    if (spec.fill == '0') spec.align = '=';
    out += FormatValue(interp, named ? value : argument(), spec);
  }
  if (is_tuple && next < values.list->items.size()) {
    interp.Fail("not all arguments are used by the format");
  }
  return out;
}

std::string BraceFormat(Interp& interp, std::string_view format, const Args& args) {
  std::string out;
  size_t automatic = 0;
  for (size_t at = 0; at < format.size(); ++at) {
    char c = format[at];
    bool doubled = at + 1 < format.size() && format[at + 1] == c;
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (doubled) {
      out += c;
      ++at;
      continue;
    }
    size_t close = format.find('}', at);
    if (c == '}' || close == std::string_view::npos) interp.Fail("a single brace in the format");
    std::string_view field = format.substr(at + 1, close - at - 1);
    at = close;
    size_t colon = field.find(':');
    std::string_view name = field.substr(0, colon);
    Spec spec;
    if (colon != std::string_view::npos) spec = ParseBraceSpec(interp, field.substr(colon + 1));
    size_t digits = 0;
    Value value;
    if (name.empty()) {
      value = RequiredArgument(interp, args, automatic++, "");
    } else if (name[0] >= '0' && name[0] <= '9') {
      value = RequiredArgument(interp, args, ReadNumber(interp, name, &digits), "");
      if (digits != name.size()) interp.Fail("attributes in a format are not supported");
    } else {
      value = RequiredArgument(interp, args, SIZE_MAX, name);
    }
    out += FormatValue(interp, value, spec);
    interp.CheckSize(out.size());
  }
  return out;
}

namespace {

class JsonWriter {
 public:
  JsonWriter(Interp& interp, const JsonStyle& style) : interp_(interp), style_(style) {}
  std::string Take() { return std::move(out_); }

  void Write(const Value& value, size_t depth) {
    interp_.Step();
    interp_.CheckSize(out_.size());
    if (depth > interp_.max_recursion()) interp_.TooLarge("a value is nested too deeply");
    switch (value.kind) {
      case Kind::kNone:
        out_ += "null";
        return;
      case Kind::kBool:
        out_ += value.boolean ? "true" : "false";
        return;
      case Kind::kInt:
        out_ += std::to_string(value.integer);
        return;
      case Kind::kFloat:
        Number(value.number);
        return;
      case Kind::kString:
        String(value.str());
        return;
      case Kind::kList:
        if (value.list->is_lazy) {
          interp_.Fail("what a lazy filter gives is not JSON serializable: use `| list | tojson`");
        }
        if (!value.list->range.empty()) interp_.Fail("range is not JSON serializable");
        List(*value.list, depth);
        return;
      case Kind::kDict:
        Dict(*value.dict, depth);
        return;
      default:
        interp_.Fail(std::string(TypeName(value)) + " is not JSON serializable");
    }
  }

 private:
  void Number(double value) {
    if (std::isnan(value)) {
      out_ += "NaN";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "Infinity" : "-Infinity";
    } else {
      out_ += FloatRepr(value);
    }
  }

  void Escape(char32_t value) {
    char text[16];
    if (value < 0x10000) {
      std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(value));
    } else {
      value -= 0x10000;
      std::snprintf(text, sizeof text, "\\u%04x\\u%04x",
                    static_cast<unsigned>(0xD800 + (value >> 10)),
                    static_cast<unsigned>(0xDC00 + (value & 0x3FF)));
    }
    out_ += text;
  }

  void String(std::string_view text) {
    out_ += '"';
    while (!text.empty()) {
      CodePoint point = DecodeUtf8(text);
      char32_t c = point.value;
      switch (c) {
        case '"':
          out_ += "\\\"";
          break;
        case '\\':
          out_ += "\\\\";
          break;
        case '\n':
          out_ += "\\n";
          break;
        case '\r':
          out_ += "\\r";
          break;
        case '\t':
          out_ += "\\t";
          break;
        case '\b':
          out_ += "\\b";
          break;
        case '\f':
          out_ += "\\f";
          break;
        default: {
          bool html = c == '<' || c == '>' || c == '&' || c == '\'';
          if (c < 0x20 || (style_.html_safe && html) || (style_.ensure_ascii && c >= 0x7F)) {
            Escape(c);
          } else {
            AppendUtf8(c, &out_);
          }
        }
      }
      text.remove_prefix(point.length);
    }
    out_ += '"';
  }

  void NewLine(size_t depth) {
    if (style_.indent < 0) return;
    out_ += '\n';
    out_.append(depth * static_cast<size_t>(style_.indent), ' ');
  }

  void List(const ListObj& list, size_t depth) {
    out_ += '[';
    bool first = true;
    for (const Value& item : list.items) {
      if (!std::exchange(first, false)) out_ += style_.item_separator;
      NewLine(depth + 1);
      Write(item, depth + 1);
    }
    if (!first) NewLine(depth);
    out_ += ']';
  }

  void Dict(const DictObj& dict, size_t depth) {
    std::vector<std::pair<std::string, const Value*>> members;
    for (const auto& [key, value] : dict.items) {
      members.emplace_back(KeyText(key), &value);
    }
    if (style_.sort_keys) {
      std::stable_sort(members.begin(), members.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : members) {
      if (!std::exchange(first, false)) out_ += style_.item_separator;
      NewLine(depth + 1);
      String(key);
      out_ += style_.key_separator;
      Write(*value, depth + 1);
    }
    if (!first) NewLine(depth);
    out_ += '}';
  }

  std::string KeyText(const Value& key) {
    if (key.is_none()) return "null";
    if (key.kind == Kind::kBool) return key.boolean ? "true" : "false";
    return ToText(interp_, key);
  }

  Interp& interp_;
  const JsonStyle& style_;
  std::string out_;
};

}  // namespace

std::string DumpJson(Interp& interp, const Value& value, const JsonStyle& style) {
  JsonWriter writer(interp, style);
  writer.Write(value, 0);
  return writer.Take();
}

}  // namespace hearth::tmpl
