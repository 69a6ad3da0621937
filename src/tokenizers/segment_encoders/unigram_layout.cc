#include "tokenizers/segment_encoders/unigram_layout.h"

namespace hearth::tokenizers {
namespace {

bool HasString(const Json& object, std::string_view key, std::string_view wanted) {
  const Json* value = object.Find(key);
  return value != nullptr && value->AsString() != nullptr && *value->AsString() == wanted;
}

bool HasFlag(const Json& object, std::string_view key, bool wanted) {
  const Json* value = object.Find(key);
  return value != nullptr && value->is_bool() && *value->AsBool() == wanted;
}

bool ReadReplace(const Json& step, UnigramLayout* layout) {
  const Json* pattern = step.Find("pattern");
  if (pattern == nullptr || pattern->size() != 1 || !HasString(*pattern, "Regex", " {2,}")) {
    return false;
  }
  layout->collapse_spaces = true;
  // Metaspace makes the one out of the other.
  return HasString(step, "content", " ") || HasString(step, "content", "\xE2\x96\x81");
}

// The steps are known in this order only: map, strip, collapse.
bool ReadStep(const Json& step, UnigramLayout* layout) {
  if (HasString(step, "type", "Precompiled")) {
    const Json* map = step.Find("precompiled_charsmap");
    if (layout->charsmap != nullptr || layout->strip_right || layout->collapse_spaces ||
        map == nullptr || map->AsString() == nullptr || map->AsString()->empty()) {
      return false;
    }
    layout->charsmap = Charsmap::Parse(*map->AsString());
    return layout->charsmap != nullptr;
  }
  if (HasString(step, "type", "Strip")) {
    if (layout->strip_right || layout->collapse_spaces) return false;
    layout->strip_right = true;
    return HasFlag(step, "strip_left", false) && HasFlag(step, "strip_right", true);
  }
  return HasString(step, "type", "Replace") && !layout->collapse_spaces &&
         ReadReplace(step, layout);
}

bool ReadNormalizer(const Json* normalizer, UnigramLayout* layout) {
  if (normalizer == nullptr || normalizer->is_null()) return true;
  if (!HasString(*normalizer, "type", "Sequence")) return ReadStep(*normalizer, layout);
  const Json* steps = normalizer->Find("normalizers");
  if (steps == nullptr || steps->AsArray() == nullptr) return false;
  for (const Json& step : *steps->AsArray()) {
    if (!ReadStep(step, layout)) return false;
  }
  return true;
}

bool ReadMetaspace(const Json& stage, UnigramLayout* layout) {
  if (!HasString(stage, "type", "Metaspace")) return false;
  MetaspaceOptions options = MetaspaceOptions::Parse(stage);
  layout->split_marks = options.split;
  layout->prefix = options.prepend_scheme;
  return options.mark == 0x2581;
}

bool ReadPreTokenizer(const Json* stage, UnigramLayout* layout) {
  if (stage == nullptr) return false;
  if (!HasString(*stage, "type", "Sequence")) return ReadMetaspace(*stage, layout);
  const Json* steps = stage->Find("pretokenizers");
  if (steps == nullptr || steps->AsArray() == nullptr || steps->size() == 0) return false;
  const Json::Array& list = *steps->AsArray();
  layout->split_whitespace = HasString(list[0], "type", "WhitespaceSplit");
  return list.size() == (layout->split_whitespace ? 2u : 1u) && ReadMetaspace(list.back(), layout);
}

}  // namespace

std::optional<UnigramLayout> ReadUnigramLayout(const Json& tokenizer_json) {
  UnigramLayout layout;
  if (!ReadNormalizer(tokenizer_json.Find("normalizer"), &layout) ||
      !ReadPreTokenizer(tokenizer_json.Find("pre_tokenizer"), &layout)) {
    return std::nullopt;
  }
  if (layout.charsmap == nullptr) layout.charsmap = Charsmap::Parse("");
  // Scores add up over a whole piece, so a text that is one piece cannot be taken word by word; and
  // which word is at the start of the text depends on white space that is gone by then.
  bool whole_text = !layout.split_whitespace && !layout.split_marks;
  bool first_word = layout.split_whitespace && layout.prefix == PrependScheme::kFirst;
  // A mark in place of several spaces would hold words together.
  bool held_words = layout.split_whitespace && layout.collapse_spaces;
  if (whole_text || first_word || held_words) return std::nullopt;
  return layout;
}

}  // namespace hearth::tokenizers
