// Methods of strings, with Python's meaning.

#include <algorithm>

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

Value Text(Interp& interp, const Value& self, std::string_view text) {
  return interp.String(std::string(text), self.safe);
}

// An argument that must be a string.
std::string_view Needed(Interp& interp, const Args& args, size_t index, std::string_view name) {
  const Value& value = RequiredArgument(interp, args, index, name);
  if (!value.is_string()) {
    interp.Fail("'" + std::string(name) + "' must be a string, not " + TypeName(value));
  }
  return value.str();
}

Value Upper(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, UpperText(self.str()));
}
Value Lower(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, LowerText(self.str()));
}
Value Fold(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, FoldText(self.str()));
}
Value Title(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, TitleText(self.str()));
}
Value SwapCase(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, SwapCaseText(self.str()));
}
Value Capitalize(Interp& interp, const Value& self, Args&) {
  return Text(interp, self, CapitalizeText(self.str()));
}

// Blanks up to the next column that is a multiple of the size; lines begin at column 0.
Value ExpandTabs(Interp& interp, const Value& self, Args& args) {
  int64_t size = IntArgument(interp, args, 0, "tabsize", 8);
  std::string out;
  int64_t column = 0;
  for (char c : self.str()) {
    if (c == '\t') {
      int64_t blanks = size > 0 ? size - column % size : 0;
      interp.CheckSize(out.size() + static_cast<uint64_t>(blanks));
      out.append(static_cast<size_t>(blanks), ' ');
      column += blanks;
      continue;
    }
    out += c;
    bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    column = c == '\n' || c == '\r' ? 0 : column + (continues ? 0 : 1);
  }
  return Text(interp, self, out);
}

Value StripBy(Interp& interp, const Value& self, const Args& args, Strip side) {
  const Value* chars = args.Get(0, "chars");
  if (chars == nullptr || chars->is_none())
    return Text(interp, self, StripText(self.str(), nullptr, side));
  std::string set(Needed(interp, args, 0, "chars"));
  return Text(interp, self, StripText(self.str(), &set, side));
}
Value StripBoth(Interp& interp, const Value& self, Args& args) {
  return StripBy(interp, self, args, Strip::kBoth);
}
Value StripLeft(Interp& interp, const Value& self, Args& args) {
  return StripBy(interp, self, args, Strip::kLeft);
}
Value StripRight(Interp& interp, const Value& self, Args& args) {
  return StripBy(interp, self, args, Strip::kRight);
}

// What the arguments start and end, in characters, leave of a text, as for Python's slices; nothing
// when start lies behind end.
struct Part {
  std::string_view text;
  int64_t start = 0;  // characters before it
};
std::optional<Part> PartOf(Interp& interp, const Value& self, const Args& args) {
  auto length = static_cast<int64_t>(CountCodePoints(self.str()));
  int64_t start = IntArgument(interp, args, 1, "start", 0);
  int64_t end = std::min(IntArgument(interp, args, 2, "end", length), length);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (end < 0) end = std::max<int64_t>(end + length, 0);
  if (start > end) return std::nullopt;
  std::string_view text = TruncateUtf8(self.str(), static_cast<size_t>(end));
  return Part{text.substr(Utf8Offset(text, static_cast<size_t>(start))), start};
}

bool HasAffix(Interp& interp, const Value& self, const Args& args, bool at_end) {
  const Value& wanted = RequiredArgument(interp, args, 0, "prefix");
  std::vector<Value> options = wanted.kind == Kind::kList && wanted.list->is_tuple
                                   ? wanted.list->items
                                   : std::vector<Value>{wanted};
  std::optional<Part> part = PartOf(interp, self, args);
  for (const Value& option : options) {
    if (!option.is_string()) {
      interp.Fail(std::string("a string or a tuple of strings is needed, not ") + TypeName(option));
    }
    if (!part) continue;
    if (at_end ? part->text.ends_with(option.str()) : part->text.starts_with(option.str()))
      return true;
  }
  return false;
}
Value StartsWith(Interp& interp, const Value& self, Args& args) {
  return Value::Bool(HasAffix(interp, self, args, false));
}
Value EndsWith(Interp& interp, const Value& self, Args& args) {
  return Value::Bool(HasAffix(interp, self, args, true));
}
Value RemovePrefix(Interp& interp, const Value& self, Args& args) {
  std::string_view text = self.str(), prefix = Needed(interp, args, 0, "prefix");
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return Text(interp, self, text);
}
Value RemoveSuffix(Interp& interp, const Value& self, Args& args) {
  std::string_view text = self.str(), suffix = Needed(interp, args, 0, "suffix");
  if (!suffix.empty() && text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return Text(interp, self, text);
}

Value Replace(Interp& interp, const Value& self, Args& args) {
  std::string_view from = Needed(interp, args, 0, "old"), to = Needed(interp, args, 1, "new");
  int64_t count = IntArgument(interp, args, 2, "count", -1);
  if (!self.safe) return interp.String(ReplaceText(interp, self.str(), from, to, count));
  // In safe text only escaped replacements stay safe.
  std::string escaped = interp.EscapedText(RequiredArgument(interp, args, 1, "new"));
  return interp.String(ReplaceText(interp, self.str(), from, escaped, count), /*safe=*/true);
}

// Bytes before the first white space, or up to behind the last.
size_t WordLength(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    CodePoint point = DecodeUtf8(text.substr(at));
    if (IsSpace(point.value)) break;
    at += point.length;
  }
  return at;
}
size_t LastWordStart(std::string_view text) {
  while (!text.empty()) {
    size_t last = LastOffset(text);
    if (IsSpace(DecodeUtf8(text.substr(last)).value)) break;
    text = text.substr(0, last);
  }
  return text.size();
}

// Pieces between white space; at most `limit` cuts from the left or the right (negative: no limit).
std::vector<std::string_view> SplitBlanks(std::string_view text, int64_t limit, bool from_right) {
  std::vector<std::string_view> pieces;
  Strip side = from_right ? Strip::kRight : Strip::kLeft;
  for (text = StripText(text, nullptr, side); !text.empty();
       text = StripText(text, nullptr, side)) {
    size_t cut = from_right ? LastWordStart(text) : WordLength(text);
    if (limit == 0) cut = from_right ? 0 : text.size();
    pieces.push_back(from_right ? text.substr(cut) : text.substr(0, cut));
    text = from_right ? text.substr(0, cut) : text.substr(cut);
    if (limit > 0) --limit;
  }
  if (from_right) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

std::vector<std::string_view> SplitAt(std::string_view text, std::string_view separator,
                                      int64_t limit, bool from_right) {
  std::vector<std::string_view> pieces;
  while (limit != 0) {
    size_t cut = from_right ? text.rfind(separator) : text.find(separator);
    if (cut == std::string_view::npos) break;
    if (from_right) {
      pieces.push_back(text.substr(cut + separator.size()));
      text = text.substr(0, cut);
    } else {
      pieces.push_back(text.substr(0, cut));
      text = text.substr(cut + separator.size());
    }
    if (limit > 0) --limit;
  }
  pieces.push_back(text);
  if (from_right) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Value SplitBy(Interp& interp, const Value& self, const Args& args, bool from_right) {
  const Value* separator = args.Get(0, "sep");
  int64_t limit = IntArgument(interp, args, 1, "maxsplit", -1);
  std::vector<std::string_view> pieces;
  interp.Step(self.str().size() / 64);
  if (separator == nullptr || separator->is_none()) {
    pieces = SplitBlanks(self.str(), limit, from_right);
  } else {
    std::string_view by = Needed(interp, args, 0, "sep");
    if (by.empty()) interp.Fail("split: empty separator");
    pieces = SplitAt(self.str(), by, limit, from_right);
  }
  std::vector<Value> values;
  for (std::string_view piece : pieces) values.push_back(Text(interp, self, piece));
  return interp.List(std::move(values));
}
Value Split(Interp& interp, const Value& self, Args& args) {
  return SplitBy(interp, self, args, false);
}
Value RSplit(Interp& interp, const Value& self, Args& args) {
  return SplitBy(interp, self, args, true);
}

Value SplitLines(Interp& interp, const Value& self, Args& args) {
  bool keep = FlagArgument(args, 0, "keepends", false);
  std::vector<Value> lines;
  for (std::string_view rest = self.str(); !rest.empty();) {
    Line line = FirstLine(rest);
    lines.push_back(Text(interp, self, keep ? rest.substr(0, line.length) : line.text));
    rest.remove_prefix(line.length);
  }
  return interp.List(std::move(lines));
}

Value PartitionBy(Interp& interp, const Value& self, const Args& args, bool from_right) {
  std::string_view by = Needed(interp, args, 0, "sep"), text = self.str();
  if (by.empty()) interp.Fail("partition: empty separator");
  size_t at = from_right ? text.rfind(by) : text.find(by);
  std::string_view parts[3] = {text, "", ""};
  if (at != std::string_view::npos) {
    parts[0] = text.substr(0, at);
    parts[1] = by;
    parts[2] = text.substr(at + by.size());
  } else if (from_right) {
    std::swap(parts[0], parts[2]);
  }
  std::vector<Value> values;
  for (std::string_view part : parts) values.push_back(Text(interp, self, part));
  return interp.List(std::move(values), /*is_tuple=*/true);
}
Value Partition(Interp& interp, const Value& self, Args& args) {
  return PartitionBy(interp, self, args, false);
}
Value RPartition(Interp& interp, const Value& self, Args& args) {
  return PartitionBy(interp, self, args, true);
}

int64_t FindIn(Interp& interp, const Value& self, const Args& args, bool last) {
  std::string_view wanted = Needed(interp, args, 0, "sub");
  std::optional<Part> part = PartOf(interp, self, args);
  if (!part) return -1;
  size_t at = last ? part->text.rfind(wanted) : part->text.find(wanted);
  if (at == std::string_view::npos) return -1;
  return part->start + static_cast<int64_t>(CountCodePoints(part->text.substr(0, at)));
}
Value Found(Interp& interp, int64_t at) {
  if (at < 0) interp.Fail("substring not found");
  return Value::Int(at);
}
Value Find(Interp& interp, const Value& self, Args& args) {
  return Value::Int(FindIn(interp, self, args, false));
}
Value RFind(Interp& interp, const Value& self, Args& args) {
  return Value::Int(FindIn(interp, self, args, true));
}
Value Index(Interp& interp, const Value& self, Args& args) {
  return Found(interp, FindIn(interp, self, args, false));
}
Value RIndex(Interp& interp, const Value& self, Args& args) {
  return Found(interp, FindIn(interp, self, args, true));
}
Value Count(Interp& interp, const Value& self, Args& args) {
  std::string_view by = Needed(interp, args, 0, "sub");
  std::optional<Part> part = PartOf(interp, self, args);
  if (!part) return Value::Int(0);
  if (by.empty()) return Value::Int(static_cast<int64_t>(CountCodePoints(part->text)) + 1);
  int64_t count = 0;
  for (size_t at = part->text.find(by); at != std::string_view::npos;
       at = part->text.find(by, at + by.size())) {
    ++count;
  }
  return Value::Int(count);
}

Value Join(Interp& interp, const Value& self, Args& args) {
  std::string out;
  bool first = true;
  for (const Value& item : Items(interp, RequiredArgument(interp, args, 0, "iterable"))) {
    if (!item.is_string()) interp.Fail(std::string("join needs strings, not ") + TypeName(item));
    if (!std::exchange(first, false)) out += self.str();
    out += self.safe ? interp.EscapedText(item) : std::string(item.str());
    interp.CheckSize(out.size());
  }
  return interp.String(std::move(out), self.safe);
}

Value Format(Interp& interp, const Value& self, Args& args) {
  if (!self.safe) return interp.String(BraceFormat(interp, self.str(), args));
  // In safe text only escaped arguments stay safe.
  Args escaped = args;
  auto escape = [&](Value& value) {
    if (value.is_string()) value = interp.String(interp.EscapedText(value));
  };
  for (Value& value : escaped.positional) escape(value);
  for (auto& [key, value] : escaped.keywords) escape(value);
  return interp.String(BraceFormat(interp, self.str(), escaped), /*safe=*/true);
}

Value Pad(Interp& interp, const Value& self, const Args& args, int align) {
  int64_t width = IntArgument(interp, args, 0, "width", 0);
  std::string fill = TextArgument(interp, args, 1, "fillchar", " ");
  if (CountCodePoints(fill) != 1) interp.Fail("the fill character must be one character");
  auto columns = static_cast<size_t>(std::max<int64_t>(width, 0));
  return Text(interp, self, PadText(interp, self.str(), columns, fill, align));
}
Value LeftJustify(Interp& interp, const Value& self, Args& args) {
  return Pad(interp, self, args, -1);
}
Value RightJustify(Interp& interp, const Value& self, Args& args) {
  return Pad(interp, self, args, 1);
}
Value Center(Interp& interp, const Value& self, Args& args) { return Pad(interp, self, args, 0); }
Value ZeroFill(Interp& interp, const Value& self, Args& args) {
  auto width = static_cast<size_t>(std::max<int64_t>(IntArgument(interp, args, 0, "width", 0), 0));
  std::string_view text = self.str();
  size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  if (width <= sign) return self;
  return Text(
      interp, self,
      std::string(text.substr(0, sign)) + PadText(interp, text.substr(sign), width - sign, "0", 1));
}

Value FormatMap(Interp& interp, const Value& self, Args& args) {
  const Value& mapping = RequiredArgument(interp, args, 0, "mapping");
  if (mapping.kind != Kind::kDict) interp.Fail("format_map needs a dict");
  Args fields;
  for (const auto& [key, value] : mapping.dict->items) {
    if (key.is_string()) fields.keywords.emplace_back(key.str(), value);
  }
  return Format(interp, self, fields);
}

template <bool (*is)(char32_t)>
Value All(Interp&, const Value& self, Args&) {
  return Value::Bool(AllCharacters(self.str(), is));
}
template <bool (*is)(std::string_view)>
Value Whole(Interp&, const Value& self, Args&) {
  return Value::Bool(is(self.str()));
}
bool IsAsciiText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}
bool IsPrintableText(std::string_view text) {
  return text.empty() || AllCharacters(text, IsPrintable);
}

constexpr NamedEntry<Builtin> kStringMethods[] = {
    {"capitalize", Capitalize},
    {"casefold", Fold},
    {"center", Center},
    {"count", Count},
    {"endswith", EndsWith},
    {"expandtabs", ExpandTabs},
    {"find", Find},
    {"format", Format},
    {"format_map", FormatMap},
    {"index", Index},
    {"isalnum", All<IsAlnum>},
    {"isalpha", All<IsAlpha>},
    {"isascii", Whole<IsAsciiText>},
    {"isdecimal", All<IsDecimal>},
    {"isdigit", All<IsDigit>},
    {"isidentifier", Whole<IsIdentifierText>},
    {"islower", Whole<IsLowerText>},
    {"isnumeric", All<IsNumeric>},
    {"isprintable", Whole<IsPrintableText>},
    {"isspace", All<IsSpace>},
    {"istitle", Whole<IsTitleText>},
    {"isupper", Whole<IsUpperText>},
    {"join", Join},
    {"ljust", LeftJustify},
    {"lower", Lower},
    {"lstrip", StripLeft},
    {"partition", Partition},
    {"removeprefix", RemovePrefix},
    {"removesuffix", RemoveSuffix},
    {"replace", Replace},
    {"rfind", RFind},
    {"rindex", RIndex},
    {"rjust", RightJustify},
    {"rpartition", RPartition},
    {"rsplit", RSplit},
    {"rstrip", StripRight},
    {"split", Split},
    {"splitlines", SplitLines},
    {"startswith", StartsWith},
    {"strip", StripBoth},
    {"swapcase", SwapCase},
    {"title", Title},
    {"upper", Upper},
    {"zfill", ZeroFill},
};

}  // namespace

Builtin FindStringMethod(std::string_view name) { return FindEntry(kStringMethods, name); }

}  // namespace hearth::tmpl
