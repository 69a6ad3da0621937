// The filter pprint: what Python's pprint.pformat makes of a value. A value whose repr fits the
// rest of its line stands there; else a dict, list or tuple has one item a line, and a string is
// cut behind white space into literals one below the other. Keys are in order.

#include <algorithm>

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

constexpr size_t kLineWidth = 80;  // Python's default, in characters

bool IsPlainDict(const Value& value) {
  return value.kind == Kind::kDict && !value.dict->is_namespace;
}

// Ranges and the pairs of groupby are types of their own in Python, which it does not look into.
bool IsPlainList(const Value& value) {
  return value.kind == Kind::kList && value.list->range.empty() && !value.list->is_group;
}

class PrettyPrinter {
 public:
  explicit PrettyPrinter(Heap& heap) : heap_(heap) {}

  std::string Print(const Value& value) {
    Format(value, {});
    return std::move(out_);
  }

 private:
  using Entry = std::pair<Value, Value>;

  // Where a value is written: characters before it in its line, those that the line needs behind
  // it, and how many values it is inside of.
  struct Place {
    size_t indent = 0;
    size_t allowance = 0;
    size_t level = 0;
    // Characters that fit, not below zero.
    size_t Room() const { return kLineWidth - std::min(kLineWidth, indent + allowance); }
  };

  void Format(const Value& value, Place place) {
    if (place.level > heap_.max_recursion()) heap_.TooLarge("a value is nested too deeply");
    std::string repr = Repr(value, place.level);
    if (CountCodePoints(repr) > place.Room()) {
      ++place.level;
      if (IsPlainDict(value)) return FormatDict(*value.dict, place);
      if (IsPlainList(value)) return FormatList(*value.list, place);
      if (value.is_string() && !value.safe && !value.str().empty()) {
        return FormatString(value.str(), place);
      }
    }
    Write(repr);
  }

  void FormatDict(const DictObj& dict, Place place) {
    Write("{");
    ++place.indent;
    size_t left = dict.items.size();
    for (const auto& [key, value] : Sorted(dict)) {
      std::string repr = Repr(key, place.level);
      Write(repr);
      Write(": ");
      bool last = --left == 0;
      Format(value, {place.indent + CountCodePoints(repr) + 2, last ? place.allowance + 1 : 1,
                     place.level});
      if (!last) NewLine(",", place.indent);
    }
    Write("}");
  }

  void FormatList(const ListObj& list, Place place) {
    std::string_view end = !list.is_tuple ? "]" : list.items.size() == 1 ? ",)" : ")";
    Write(list.is_tuple ? "(" : "[");
    ++place.indent;
    size_t left = list.items.size();
    for (const Value& item : list.items) {
      bool last = --left == 0;
      Format(item, {place.indent, last ? place.allowance + end.size() : 1, place.level});
      if (!last) NewLine(",", place.indent);
    }
    Write(end);
  }

  // A string that is the whole value stands in brackets.
  void FormatString(std::string_view text, Place place) {
    bool whole = place.level == 1;
    if (whole) {
      ++place.indent;
      ++place.allowance;
    }
    std::vector<std::string> chunks = Chunks(text, place);
    if (chunks.size() == 1) return Write(chunks[0]);
    if (whole) Write("(");
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) NewLine("", place.indent);
      Write(chunks[i]);
    }
    if (whole) Write(")");
  }

  // One literal a line of the text; of a line that is too long, one for as many words as fit.
  std::vector<std::string> Chunks(std::string_view text, const Place& place) {
    size_t width = Place{place.indent, 0, 0}.Room();
    std::vector<std::string> chunks;
    while (!text.empty()) {
      std::string_view line = text.substr(0, FirstLine(text).length);
      text.remove_prefix(line.size());
      bool last = text.empty();
      std::string repr = StringRepr(line);
      if (CountCodePoints(repr) <= (last ? place.Room() : width)) {
        chunks.push_back(std::move(repr));
      } else {
        CutWords(line, width, last ? place.Room() : width, &chunks);
      }
    }
    return chunks;
  }

  // The last word has `last_width` characters.
  void CutWords(std::string_view line, size_t width, size_t last_width,
                std::vector<std::string>* chunks) {
    std::string_view current = line.substr(0, 0);
    while (!line.empty()) {
      size_t length = WordLength(line);
      std::string_view candidate(current.data(), current.size() + length);
      line.remove_prefix(length);
      if (CountCodePoints(StringRepr(candidate)) > (line.empty() ? last_width : width)) {
        if (!current.empty()) chunks->push_back(StringRepr(current));
        current = candidate.substr(current.size());
      } else {
        current = candidate;
      }
    }
    if (!current.empty()) chunks->push_back(StringRepr(current));
  }

  // With the white space behind the word.
  static size_t WordLength(std::string_view text) {
    bool blank = false;
    for (size_t at = 0; at < text.size();) {
      CodePoint point = DecodeUtf8(text.substr(at));
      bool space = IsSpace(point.value);
      if (blank && !space) return at;
      blank = space;
      at += point.length;
    }
    return text.size();
  }

  // The repr, but with the keys of dicts in order.
  std::string Repr(const Value& value, size_t level) {
    std::string out;
    AppendSorted(value, level, &out);
    heap_.Step(out.size() / 64);
    return out;
  }

  void AppendSorted(const Value& value, size_t depth, std::string* out) {
    heap_.Step();
    if (depth > heap_.max_recursion()) heap_.TooLarge("a value is nested too deeply");
    const char* separator = "";
    if (IsPlainDict(value)) {
      *out += '{';
      for (const auto& [key, item] : Sorted(*value.dict)) {
        *out += separator;
        separator = ", ";
        AppendRepr(heap_, key, out, depth + 1);
        *out += ": ";
        AppendSorted(item, depth + 1, out);
      }
      *out += '}';
    } else if (IsPlainList(value)) {
      const ListObj& list = *value.list;
      *out += list.is_tuple ? '(' : '[';
      for (const Value& item : list.items) {
        *out += separator;
        separator = ", ";
        AppendSorted(item, depth + 1, out);
      }
      if (list.is_tuple && list.items.size() == 1) *out += ',';
      *out += list.is_tuple ? ')' : ']';
    } else {
      AppendRepr(heap_, value, out, depth);
    }
    heap_.CheckSize(out->size());
  }

  std::string StringRepr(std::string_view text) {
    std::string out;
    AppendStringRepr(text, &out);
    heap_.Step(1 + out.size() / 64);
    return out;
  }

  // Keys that have no order among each other are in that of their types' names in Python.
  static int TypeRank(const Value& key) {
    return key.is_none() ? 0 : key.is_number() ? 1 : key.is_string() ? 2 : 3;
  }

  std::vector<Entry> Sorted(const DictObj& dict) {
    std::vector<Entry> items = dict.items;
    heap_.Step(items.size());
    std::stable_sort(items.begin(), items.end(), [&](const Entry& a, const Entry& b) {
      int rank = TypeRank(a.first), other = TypeRank(b.first);
      if (rank != other || rank == 0) return rank < other;
      return Compare(heap_, a.first, b.first) < 0;
    });
    return items;
  }

  void Write(std::string_view text) {
    heap_.CheckSize(out_.size() + text.size());
    out_ += text;
  }

  void NewLine(std::string_view before, size_t indent) {
    heap_.CheckSize(out_.size() + indent + 2);
    out_ += before;
    out_ += '\n';
    out_.append(indent, ' ');
  }

  Heap& heap_;
  std::string out_;
};

}  // namespace

std::string PrettyText(Heap& heap, const Value& value) { return PrettyPrinter(heap).Print(value); }

}  // namespace hearth::tmpl
