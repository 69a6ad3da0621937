#include "hub/inspector/provenance/value_diff.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxLines = 3000;
constexpr size_t kMaxShownBytes = 4096;
constexpr size_t kContext = 3;

std::string Escaped(std::string_view key) {
  std::string text;
  for (char c : key) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

// Large values are told by their size.
Json Shown(const Json& value) {
  if (!value.is_array() && !value.is_object() && !value.is_string()) return value;
  if (value.Dump().size() <= kMaxShownBytes) return value;
  return Json::Obj({{"items", value.size()}, {"bytes", value.Dump().size()}});
}

class Differ {
 public:
  explicit Differ(size_t limit) : limit_(limit) {}

  void Compare(const Json& before, const Json& after, const std::string& pointer, size_t depth) {
    if (changes.size() >= limit_ || before == after) return;
    if (!before.is_object() || !after.is_object() || depth >= kMaxDepth) {
      changes.push_back({pointer, Shown(before), Shown(after)});
      return;
    }
    for (const auto& [key, value] : *after.AsObject()) {
      if (changes.size() >= limit_) return;
      const Json* old = before.Find(key);
      std::string at = pointer + "/" + Escaped(key);
      if (old != nullptr) {
        Compare(*old, value, at, depth + 1);
      } else {
        changes.push_back({at, Json(), Shown(value), true, false});
      }
    }
    for (const auto& [key, value] : *before.AsObject()) {
      if (changes.size() >= limit_) return;
      if (after.Find(key) == nullptr)
        changes.push_back({pointer + "/" + Escaped(key), Shown(value), Json(), false, true});
    }
  }

  std::vector<ValueChange> changes;

 private:
  size_t limit_;
};

// Longest common subsequence by a table of rows: lengths from (i, j) to the ends.
std::vector<LineChange> EditScript(const std::vector<std::string_view>& a,
                                   const std::vector<std::string_view>& b) {
  size_t width = b.size() + 1;
  std::vector<uint16_t> length((a.size() + 1) * width);
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      length[i * width + j] =
          a[i] == b[j] ? static_cast<uint16_t>(length[(i + 1) * width + j + 1] + 1)
                       : std::max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  std::vector<LineChange> script;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      script.push_back({' ', std::string(a[i])});
      ++i, ++j;
    } else if (i < a.size() &&
               (j == b.size() || length[(i + 1) * width + j] >= length[i * width + j + 1])) {
      script.push_back({'-', std::string(a[i++])});
    } else {
      script.push_back({'+', std::string(b[j++])});
    }
  }
  return script;
}

std::vector<LineChange> AroundChanges(const std::vector<LineChange>& script) {
  std::vector<bool> keep(script.size());
  for (size_t i = 0; i < script.size(); ++i) {
    if (script[i].kind == ' ') continue;
    size_t end = std::min(script.size(), i + kContext + 1);
    for (size_t k = i > kContext ? i - kContext : 0; k < end; ++k) keep[k] = true;
  }
  std::vector<LineChange> shown;
  for (size_t i = 0; i < script.size(); ++i)
    if (keep[i]) shown.push_back(script[i]);
  return shown;
}

}  // namespace

std::vector<ValueChange> DiffValues(const Json& before, const Json& after, size_t limit) {
  Differ differ(limit);
  differ.Compare(before, after, "", 0);
  return std::move(differ.changes);
}

Json ToJson(const std::vector<ValueChange>& changes) {
  Json rows = Json::Arr();
  for (const ValueChange& change : changes) {
    Json row = Json::Obj({{"pointer", change.pointer}});
    if (!change.added) row.Set("before", change.before);
    if (!change.removed) row.Set("after", change.after);
    rows.Push(std::move(row));
  }
  return rows;
}

std::vector<LineChange> DiffLines(std::string_view before, std::string_view after) {
  if (before == after) return {};
  std::vector<std::string_view> a = Split(before, '\n'), b = Split(after, '\n');
  if (a.size() <= kMaxLines && b.size() <= kMaxLines) return AroundChanges(EditScript(a, b));
  std::vector<LineChange> whole;
  for (std::string_view line : a) whole.push_back({'-', std::string(line)});
  for (std::string_view line : b) whole.push_back({'+', std::string(line)});
  return whole;
}

Json ToJson(const std::vector<LineChange>& lines) {
  Json rows = Json::Arr();
  for (const LineChange& line : lines)
    rows.Push(Json::Obj({{"kind", std::string(1, line.kind)}, {"text", line.text}}));
  return rows;
}

}  // namespace hearth::inspector
