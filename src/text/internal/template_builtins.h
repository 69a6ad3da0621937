// The tables of filters, tests, methods and functions. Each table is sorted data in one file;
// adding an entry is one function and one line. Lookups are pure and thread-safe; nullptr = no such
// name.
#pragma once

#include <string>
#include <string_view>

#include "text/internal/template_interp.h"

namespace hearth::tmpl {

// `self` is the piped value of a filter, the object of a method, undefined for a function.
using Builtin = Value (*)(Interp& interp, const Value& self, Args& args);
using TestFunction = bool (*)(Interp& interp, const Value& value, Args& args);

Builtin FindTextFilter(std::string_view name);
Builtin FindSequenceFilter(std::string_view name);
inline Builtin FindFilter(std::string_view name) {
  Builtin filter = FindTextFilter(name);
  return filter != nullptr ? filter : FindSequenceFilter(name);
}
TestFunction FindTest(std::string_view name);
// Methods by the type of the object.
Builtin FindMethod(const Value& object, std::string_view name);
Builtin FindStringMethod(std::string_view name);
Builtin FindFunction(std::string_view name);
// Fails for a name that chat templates may not store: those that begin with an underscore.
void CheckNamespaceName(Interp& interp, std::string_view name);

template <typename F>
struct NamedEntry {
  std::string_view name;
  F function;
};

template <typename F, size_t N>
F FindEntry(const NamedEntry<F> (&table)[N], std::string_view name) {
  for (const auto& entry : table) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

// --- Argument helpers ---
inline Value Argument(const Args& args, size_t index, std::string_view name, Value fallback) {
  const Value* value = args.Get(index, name);
  return value != nullptr ? *value : fallback;
}
int64_t IntArgument(Interp& interp, const Args& args, size_t index, std::string_view name,
                    int64_t fallback);
bool FlagArgument(const Args& args, size_t index, std::string_view name, bool fallback);
std::string TextArgument(Interp& interp, const Args& args, size_t index, std::string_view name,
                         std::string_view fallback);
const Value& RequiredArgument(Interp& interp, const Args& args, size_t index,
                              std::string_view name);

// --- Text helpers shared by filters and methods ---
std::string UpperText(std::string_view text);
std::string LowerText(std::string_view text);
std::string FoldText(std::string_view text);
std::string TitleText(std::string_view text);
std::string SwapCaseText(std::string_view text);
std::string CapitalizeText(std::string_view text);
enum class Strip { kLeft, kRight, kBoth };
// Characters of `set`; white space when null.
std::string_view StripText(std::string_view text, const std::string* set, Strip side);
std::string ReplaceText(Heap& heap, std::string_view text, std::string_view from,
                        std::string_view to, int64_t count);
// `fill` is one character.
std::string PadText(Heap& heap, std::string_view text, size_t width, std::string_view fill,
                    int align);
struct WrapStyle {
  size_t width = 79;  // characters of a line, at least 1
  bool break_long_words = true;
  bool break_on_hyphens = true;
  std::string separator = "\n";
};
std::string WrapText(Heap& heap, std::string_view text, const WrapStyle& style);

// Python's int() and float() of a value, with their fallback as the argument "default".
Value IntFilter(Interp& interp, const Value& self, Args& args);
Value FloatFilter(Interp& interp, const Value& self, Args& args);
// Python's float() of a value, or an error.
double NumberArgument(Interp& interp, const Value& value);

// printf-like ("%s of %d") and str.format ("{} of {n}").
std::string PercentFormat(Interp& interp, std::string_view format, const Value& values);
std::string BraceFormat(Interp& interp, std::string_view format, const Args& args);

// JSON as Python's json.dumps writes it.
struct JsonStyle {
  int indent = -1;  // -1: one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool html_safe = false;  // < > & ' as \u escapes
};
std::string DumpJson(Interp& interp, const Value& value, const JsonStyle& style);

// Lines of at most 80 characters, as Python's pprint.pformat makes them.
std::string PrettyText(Heap& heap, const Value& value);

}  // namespace hearth::tmpl
