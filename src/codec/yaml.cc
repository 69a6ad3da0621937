#include "codec/yaml.h"

#include <simdjson.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <unordered_map>

#include "base/error.h"
#include "codec/internal/yaml_scalar.h"

namespace hearth {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void Fail(const std::string& why, int line, int column) {
  throw Error(Code::kInvalidArgument, "invalid YAML: " + why + " (line " + std::to_string(line) +
                                          ", column " + std::to_string(column) + ")");
}

[[noreturn]] void Fail(const std::string& why, const YAML::Mark& mark) {
  Fail(why, mark.line + 1, mark.column + 1);
}

// What a value costs in memory; an alias pays it again.
struct Weight {
  uint64_t nodes = 0;
  uint64_t bytes = 0;
};

void Weigh(const Json& value, Weight* weight) {
  ++weight->nodes;
  if (const auto* text = value.AsString()) {
    weight->bytes += text->size();
  } else if (const auto* items = value.AsArray()) {
    for (const Json& item : *items) Weigh(item, weight);
  } else if (const auto* members = value.AsObject()) {
    for (const auto& [key, member] : *members) {
      weight->bytes += key.size();
      Weigh(member, weight);
    }
  }
}

// Keeps the first position and the last value of each key, as a Python dict does.
Json::Object WithoutDuplicates(Json::Object members) {
  std::unordered_map<std::string_view, size_t> index;
  Json::Object out;
  out.reserve(members.size());  // the views point into `out`: it must not move
  for (auto& [key, value] : members) {
    auto found = index.find(key);
    if (found != index.end()) {
      out[found->second].second = std::move(value);
    } else {
      out.emplace_back(std::move(key), std::move(value));
      index.emplace(out.back().first, out.size() - 1);
    }
  }
  return out;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  Json Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Fail("a second document, where one is expected", mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    AddScalar(mark, anchor, Json(), "null", /*plain=*/true);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail("an alias inside the value it names", mark);
    Charge(found->second.weight, mark);
    if (ExpectsKey()) {
      const std::string* key = found->second.value.AsString();
      if (key == nullptr) Fail("a key that is not a scalar", mark);
      SetKey(*key, /*is_merge=*/false);
      return;
    }
    Add(found->second.value, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    bool plain = tag == "?";
    AddScalar(mark, anchor, plain ? yaml::Resolve(text) : Tagged(mark, tag, text), text, plain);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, /*is_map=*/false);
  }
  void OnSequenceEnd() override {
    Frame frame = Close();
    Finish(Json(std::move(frame.items)), frame);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, /*is_map=*/true);
  }
  void OnMapEnd() override {
    Frame frame = Close();
    if (!frame.merged.empty()) {
      frame.merged.insert(frame.merged.end(), std::make_move_iterator(frame.members.begin()),
                          std::make_move_iterator(frame.members.end()));
      frame.members = std::move(frame.merged);
    }
    Finish(Json(WithoutDuplicates(std::move(frame.members))), frame);
  }

 private:
  struct Frame {
    bool is_map = false;
    bool has_key = false;       // the next value belongs to `key`
    bool key_is_merge = false;  // `key` is a plain <<
    std::string key;
    Json::Array items;
    Json::Object members;
    Json::Object merged;  // from merge keys, before the map's own members
    YAML::anchor_t anchor = 0;
    YAML::Mark mark;
  };
  struct Anchored {
    Json value;
    Weight weight;
  };

  bool ExpectsKey() const {
    return !frames_.empty() && frames_.back().is_map && !frames_.back().has_key;
  }

  void SetKey(const std::string& key, bool is_merge) {
    frames_.back().key = key;
    frames_.back().key_is_merge = is_merge;
    frames_.back().has_key = true;
  }

  void Charge(const Weight& weight, const YAML::Mark& mark) {
    used_.nodes += weight.nodes;
    used_.bytes += weight.bytes;
    // Written text can cost at most its own size twice (value and anchor); more is alias expansion.
    if (used_.nodes > limits_.max_nodes || used_.bytes > 4 * uint64_t{limits_.max_bytes}) {
      Fail("too many values, or aliases that expand to too much", mark);
    }
  }

  void AddScalar(const YAML::Mark& mark, YAML::anchor_t anchor, Json value, const std::string& text,
                 bool plain) {
    Charge({1, text.size()}, mark);
    if (ExpectsKey()) {
      Remember(anchor, Json(text), mark);
      SetKey(text, plain && text == "<<");
      return;
    }
    Remember(anchor, value, mark);
    Add(std::move(value), mark);
  }

  Json Tagged(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (tag == "!" || tag.empty()) return Json(text);
    std::string_view name(tag);
    if (name.starts_with(kTagPrefix)) {
      name.remove_prefix(kTagPrefix.size());
      if (name == "str" || name == "binary" || name == "timestamp") return Json(text);
      if (name == "null") return Json();
      if (name == "bool") {
        if (auto value = yaml::ParseBool(text)) return Json(*value);
      } else if (name == "int") {
        if (auto value = yaml::ParseInteger(text)) return *value;
      } else if (name == "float") {
        if (auto value = yaml::ParseFloat(text)) return Json(*value);
        if (auto value = yaml::ParseInteger(text)) return Json(value->AsDouble().value_or(0));
      }
    }
    Fail("the tag " + tag.substr(0, 100) + " does not fit here", mark);
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_map) {
    if (frames_.size() >= limits_.max_depth) Fail("nested too deeply", mark);
    if (ExpectsKey()) Fail("a key that is not a scalar", mark);
    std::string_view name(tag);
    bool known = name == "?" || name == "!" || name.empty();
    if (name.starts_with(kTagPrefix)) {
      name.remove_prefix(kTagPrefix.size());
      known = is_map ? name == "map" || name == "set" || name == "omap"
                     : name == "seq" || name == "omap" || name == "pairs";
    }
    if (!known) Fail("the tag " + tag.substr(0, 100) + " does not fit here", mark);
    Charge({1, 0}, mark);
    Frame frame;
    frame.is_map = is_map;
    frame.anchor = anchor;
    frame.mark = mark;
    frames_.push_back(std::move(frame));
  }

  Frame Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  void Finish(Json value, const Frame& frame) {
    Remember(frame.anchor, value, frame.mark);
    Add(std::move(value), frame.mark);
  }

  void Remember(YAML::anchor_t anchor, const Json& value, const YAML::Mark& mark) {
    if (anchor == YAML::NullAnchor) return;
    Anchored entry;
    Weigh(value, &entry.weight);
    Charge(entry.weight, mark);
    entry.value = value;
    anchors_[anchor] = std::move(entry);
  }

  void Add(Json value, const YAML::Mark& mark) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    if (!frame.is_map) {
      frame.items.push_back(std::move(value));
      return;
    }
    frame.has_key = false;
    if (frame.key_is_merge) {
      Merge(&frame, value, mark);
    } else {
      frame.members.emplace_back(std::move(frame.key), std::move(value));
    }
  }

  // A merge value is a map or a list of maps; of a list, earlier maps win.
  void Merge(Frame* frame, const Json& value, const YAML::Mark& mark) {
    auto append = [&](const Json& source) {
      const Json::Object* members = source.AsObject();
      if (members == nullptr) Fail("<< needs a map or a list of maps", mark);
      frame->merged.insert(frame->merged.end(), members->begin(), members->end());
    };
    if (const Json::Array* maps = value.AsArray()) {
      for (auto map = maps->rbegin(); map != maps->rend(); ++map) append(*map);
    } else {
      append(value);
    }
  }

  YamlLimits limits_;
  Weight used_;
  int documents_ = 0;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  Json root_;
};

// yaml-cpp takes a control character for the end of its input and passes bad UTF-8 on: both are
// refused here, as PyYAML refuses them.
void CheckCharacters(std::string_view text) {
  int line = 1;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    if (!simdjson::validate_utf8(row.data(), row.size())) Fail("it is not UTF-8", line, 1);
    for (size_t i = 0; i < row.size(); ++i) {
      auto c = static_cast<unsigned char>(row[i]);
      if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7F) {
        Fail("a control character", line, static_cast<int>(i) + 1);
      }
    }
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
    ++line;
  }
}

// The next line without its end; `text` is moved past it.
std::string_view TakeLine(std::string_view* text) {
  size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool IsMarker(std::string_view line) {
  while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line == "---";
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

Json ParseYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(Code::kTooLarge,
                "the YAML has more than " + std::to_string(limits.max_bytes) + " bytes");
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CheckCharacters(text);
  TreeBuilder builder(limits);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    Fail(error.msg, error.mark);
  }
  return builder.Take();
}

FrontMatter SplitFrontMatter(std::string_view markdown) {
  if (markdown.starts_with(kByteOrderMark)) markdown.remove_prefix(kByteOrderMark.size());
  FrontMatter result;
  std::string_view rest = markdown;
  std::string_view line = TakeLine(&rest);
  // The Python client's pattern tolerates blank lines before the first marker.
  while (IsBlank(line) && !rest.empty()) line = TakeLine(&rest);
  if (IsMarker(line)) {
    const char* start = rest.data();
    while (!rest.empty()) {
      const char* line_start = rest.data();
      if (!IsMarker(TakeLine(&rest))) continue;
      result.yaml.assign(start, line_start);
      result.body = rest;
      result.present = true;
      return result;
    }
  }
  result.body = markdown;
  return result;
}

}  // namespace hearth
