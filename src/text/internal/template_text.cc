// Text operations that filters and methods share: stripping, replacing, padding.

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"
#include "text/utf8.h"

namespace hearth::tmpl {
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

std::string PadText(Heap& heap, std::string_view text, size_t width, std::string_view fill,
                    int align) {
  heap.CheckSize(width);
  size_t length = CountCodePoints(text);
  if (length >= width) return std::string(text);
  size_t total = width - length;
  heap.CheckSize(text.size() + total * fill.size());
  // Python's str.center puts the odd blank to the left for odd widths.
  size_t left = align < 0 ? 0 : align > 0 ? total : total / 2 + (total & width & 1);
  std::string out;
  out.reserve(text.size() + total * fill.size());
  for (size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (size_t i = left; i < total; ++i) out += fill;
  return out;
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
