#include "tokenizers/segment_encoders/byte_bpe_config.h"

#include <array>
#include <string_view>

namespace hearth::tokenizers {
namespace {

struct Pattern {
  std::string_view regex;
  ByteBpeSplit split;
};

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// The exact texts of the published files. Possessive quantifiers and "\s*[\r\n]" for "\s*[\r\n]+"
// change nothing: no alternative can use what they would give back.
constexpr Pattern kPatterns[] = {
    {kGpt2Pattern, ByteBpeSplit::kGpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     ByteBpeSplit::kCl100k},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     ByteBpeSplit::kCl100k},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     ByteBpeSplit::kQwen2},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     ByteBpeSplit::kQwen2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     ByteBpeSplit::kQwen35},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     ByteBpeSplit::kO200k},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     ByteBpeSplit::kTekken},
};

// DeepSeek's three stages. Newlines stand in the last one as they are, or escaped.
constexpr std::string_view kDeepSeekNumbers = R"(\p{N}{1,3})";
constexpr std::string_view kDeepSeekEast = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
constexpr std::string_view kDeepSeekRest[] = {
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
    "\r\n"
    R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
    "\r\n"
    R"(]*|\s*[)"
    "\r\n"
    R"(]+|\s+(?!\S)|\s+)"};

// Falcon's stages: in the published file, and as its GGUF files are read.
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kFalconSigns = R"([\p{P}\$\+<=>\^~\|`]+)";

bool Is(const Json& json, std::string_view key, std::string_view value) {
  const Json* field = json.Find(key);
  return field != nullptr && field->AsString() != nullptr && *field->AsString() == value;
}

// A flag of tokenizer.json; `absent` where the file leaves it out.
bool Flag(const Json& json, std::string_view key, bool absent) {
  const Json* field = json.Find(key);
  return field == nullptr ? absent : field->AsBool().value_or(absent);
}

bool AbsentOrNull(const Json& json, std::string_view key) {
  const Json* field = json.Find(key);
  return field == nullptr || field->is_null();
}

bool AbsentOrEmpty(const Json& json, std::string_view key) {
  return AbsentOrNull(json, key) || Is(json, key, "");
}

bool ByteLevel(const Json& stage, bool with_regex) {
  return Is(stage, "type", "ByteLevel") && !Flag(stage, "add_prefix_space", true) &&
         Flag(stage, "use_regex", true) == with_regex;
}

bool IsSplit(const Json& stage, std::string_view regex) {
  const Json* pattern = stage.Find("pattern");
  return Is(stage, "type", "Split") && Is(stage, "behavior", "Isolated") &&
         !Flag(stage, "invert", false) && pattern != nullptr && pattern->size() == 1 &&
         Is(*pattern, "Regex", regex);
}

bool IsDeepSeek(const Json::Array& stages) {
  return IsSplit(stages[0], kDeepSeekNumbers) && IsSplit(stages[1], kDeepSeekEast) &&
         (IsSplit(stages[2], kDeepSeekRest[0]) || IsSplit(stages[2], kDeepSeekRest[1]));
}

bool IsFalcon(const Json::Array& stages) {
  return IsSplit(stages[0], kFalconSigns) && IsSplit(stages[1], kGpt2Pattern) &&
         IsSplit(stages[2], kThreeDigits) && ByteLevel(stages[3], false);
}

bool IsPublishedFalcon(const Json::Array& stages) {
  return Is(stages[0], "type", "Punctuation") && Is(stages[0], "behavior", "Contiguous") &&
         ByteLevel(stages[1], true) && Is(stages[2], "type", "Digits") &&
         !Flag(stages[2], "individual_digits", true) && IsSplit(stages[3], kThreeDigits);
}

std::optional<ByteBpeSplit> SplitOf(const Json& stage) {
  if (!Is(stage, "type", "Split")) return std::nullopt;
  // The patterns match all of a text: "removed, inverted" keeps the matches as "isolated" does.
  bool inverted = Flag(stage, "invert", false);
  if (!Is(stage, "behavior", inverted ? "Removed" : "Isolated")) return std::nullopt;
  const Json* pattern = stage.Find("pattern");
  if (pattern == nullptr) return std::nullopt;
  for (const Pattern& known : kPatterns) {
    if (pattern->size() == 1 && Is(*pattern, "Regex", known.regex)) return known.split;
  }
  return std::nullopt;
}

std::optional<ByteBpeSplit> RecogniseSplit(const Json* stage) {
  if (stage == nullptr) return std::nullopt;
  if (ByteLevel(*stage, true)) return ByteBpeSplit::kGpt2;
  const Json* stages = stage->Find("pretokenizers");
  if (!Is(*stage, "type", "Sequence") || stages == nullptr || !stages->is_array()) {
    return std::nullopt;
  }
  const Json::Array& list = *stages->AsArray();
  if (list.size() == 1) return RecogniseSplit(&list[0]);
  if (list.size() == 4 && ByteLevel(list[3], false) && IsDeepSeek(list)) {
    return ByteBpeSplit::kDeepSeek;
  }
  if (list.size() == 4 && IsFalcon(list)) return ByteBpeSplit::kFalcon;
  if (list.size() == 4 && IsPublishedFalcon(list)) return ByteBpeSplit::kFalconDigits;
  if (list.size() != 2) return std::nullopt;
  if (Is(list[0], "type", "Digits") && Flag(list[0], "individual_digits", false) &&
      ByteLevel(list[1], true)) {
    return ByteBpeSplit::kStarCoder;
  }
  if (ByteLevel(list[1], false)) return SplitOf(list[0]);
  return std::nullopt;
}

// Whether the text is normalised to NFC; nullopt: in another way.
std::optional<bool> RecogniseNfc(const Json* stage) {
  if (stage == nullptr || stage->is_null()) return false;
  if (Is(*stage, "type", "NFC")) return true;
  const Json* stages = stage->Find("normalizers");
  if (!Is(*stage, "type", "Sequence") || stages == nullptr || !stages->is_array()) {
    return std::nullopt;
  }
  bool nfc = false;
  for (const Json& part : *stages->AsArray()) {
    std::optional<bool> one = RecogniseNfc(&part);
    if (!one) return std::nullopt;
    nfc = nfc || *one;
  }
  return nfc;
}

}  // namespace

std::optional<ByteBpeConfig> RecogniseByteBpe(const Json& tokenizer_json) {
  const Json* model = tokenizer_json.Find("model");
  if (model == nullptr || !Is(*model, "type", "BPE")) return std::nullopt;
  // Every byte of common text is in the vocabulary (the builder sees to it), so that fuse_unk and
  // byte_fallback never come to bear.
  if (!AbsentOrEmpty(*model, "continuing_subword_prefix") ||
      !AbsentOrEmpty(*model, "end_of_word_suffix")) {
    return std::nullopt;
  }
  const Json* dropout = model->Find("dropout");
  if (dropout != nullptr && !dropout->is_null() && dropout->AsDouble() != 0.0) return std::nullopt;
  std::optional<ByteBpeSplit> split = RecogniseSplit(tokenizer_json.Find("pre_tokenizer"));
  std::optional<bool> nfc = RecogniseNfc(tokenizer_json.Find("normalizer"));
  if (!split || !nfc) return std::nullopt;
  bool drops_unknown = AbsentOrNull(*model, "unk_token") && !Flag(*model, "byte_fallback", false);
  return ByteBpeConfig{*split, Flag(*model, "ignore_merges", false), *nfc, drops_unknown};
}

}  // namespace hearth::tokenizers
