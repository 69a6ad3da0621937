#include "tokenizers/loaders/parts.h"

#include <array>

#include "base/bytes.h"
#include "tokenizers/models/model_parts.h"

namespace hearth::tokenizers::parts {
namespace {

std::string Utf8Of(uint32_t code_point) {  // below U+0800
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | (code_point >> 6)), static_cast<char>(0x80 | (code_point & 63))};
}

// Bytes that print keep their code point; the others take U+0100 and up, in order.
std::array<std::string, 256> MakeByteLetters() {
  std::array<std::string, 256> letters;
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    bool prints = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    letters[byte] = Utf8Of(prints ? byte : next++);
  }
  return letters;
}

// "$A:1" -> {"Sequence": {"id": "A", "type_id": 1}}
Json TemplateItem(const std::string& item) {
  size_t colon = item.size() >= 2 ? item.rfind(':') : std::string::npos;
  std::string name = item;
  uint64_t type_id = 0;
  if (colon != std::string::npos && colon > 0) {
    if (auto number = ParseUint(std::string_view(item).substr(colon + 1))) {
      type_id = *number;
      name = item.substr(0, colon);
    }
  }
  bool sequence = name == "$A" || name == "$B";
  Json inner = Json::Obj({{"id", sequence ? name.substr(1) : name}, {"type_id", type_id}});
  return Json::Obj({{sequence ? "Sequence" : "SpecialToken", std::move(inner)}});
}

Json TemplateItems(const std::vector<std::string>& items) {
  Json::Array list;
  for (const std::string& item : items) list.push_back(TemplateItem(item));
  return Json(std::move(list));
}

}  // namespace

Json Assemble(Document document) {
  return Json::Obj({{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", std::move(document.added_tokens)},
                    {"normalizer", std::move(document.normalizer)},
                    {"pre_tokenizer", std::move(document.pre_tokenizer)},
                    {"post_processor", std::move(document.post_processor)},
                    {"decoder", std::move(document.decoder)},
                    {"model", std::move(document.model)}});
}

Json Sequence(std::string_view list, Json::Array items) {
  return Json::Obj({{"type", "Sequence"}, {std::string(list), Json(std::move(items))}});
}

Json ByteLevel(bool add_prefix_space, bool use_regex, bool trim_offsets) {
  return Json::Obj({{"type", "ByteLevel"},
                    {"add_prefix_space", add_prefix_space},
                    {"trim_offsets", trim_offsets},
                    {"use_regex", use_regex}});
}

Json SplitRegex(std::string_view pattern) {
  return Json::Obj({{"type", "Split"},
                    {"pattern", Json::Obj({{"Regex", pattern}})},
                    {"behavior", "Isolated"},
                    {"invert", false}});
}

Json ReplaceText(std::string_view from, std::string_view to) {
  return Json::Obj(
      {{"type", "Replace"}, {"pattern", Json::Obj({{"String", from}})}, {"content", to}});
}

Json ReplaceRegex(std::string_view pattern, std::string_view to) {
  return Json::Obj(
      {{"type", "Replace"}, {"pattern", Json::Obj({{"Regex", pattern}})}, {"content", to}});
}

Json Metaspace(std::string_view prepend_scheme, bool split) {
  return Json::Obj({{"type", "Metaspace"},
                    {"replacement", kMetaspace},
                    {"prepend_scheme", prepend_scheme},
                    {"split", split}});
}

Json Type(std::string_view type) { return Json::Obj({{"type", type}}); }

Json AddedTokens(const std::vector<AddedToken>& tokens) {
  Json::Array list;
  for (const AddedToken& token : tokens) {
    list.push_back(Json::Obj({{"id", token.id},
                              {"content", token.content},
                              {"single_word", false},
                              {"lstrip", token.lstrip},
                              {"rstrip", false},
                              {"normalized", token.normalized},
                              {"special", token.special}}));
  }
  return Json(std::move(list));
}

Json Template(const std::vector<std::string>& single, const std::vector<std::string>& pair,
              const std::vector<SpecialToken>& special) {
  Json tokens = Json::Obj();
  for (const auto& [text, id] : special) {
    tokens.Set(text,
               Json::Obj({{"id", text}, {"ids", Json::Arr({id})}, {"tokens", Json::Arr({text})}}));
  }
  return Json::Obj({{"type", "TemplateProcessing"},
                    {"single", TemplateItems(single)},
                    {"pair", TemplateItems(pair)},
                    {"special_tokens", std::move(tokens)}});
}

Json Bpe(BpeFields fields) {
  Json::Array merges;
  merges.reserve(fields.merges.size());
  for (auto& [left, right] : fields.merges) {
    merges.push_back(Json::Arr({std::move(left), std::move(right)}));
  }
  return Json::Obj({{"type", "BPE"},
                    {"dropout", nullptr},
                    {"unk_token", fields.unk_token},
                    {"continuing_subword_prefix", nullptr},
                    {"end_of_word_suffix", nullptr},
                    {"fuse_unk", fields.fuse_unk},
                    {"byte_fallback", fields.byte_fallback},
                    {"ignore_merges", fields.ignore_merges},
                    {"vocab", Json(std::move(fields.vocab))},
                    {"merges", Json(std::move(merges))}});
}

Json Unigram(const std::vector<std::pair<std::string, double>>& pieces,
             std::optional<uint64_t> unk_id, bool byte_fallback) {
  Json::Array vocab;
  vocab.reserve(pieces.size());
  for (const auto& [piece, score] : pieces) vocab.push_back(Json::Arr({piece, score}));
  return Json::Obj({{"type", "Unigram"},
                    {"unk_id", unk_id},
                    {"vocab", Json(std::move(vocab))},
                    {kBinaryScores, true},
                    {"byte_fallback", byte_fallback}});
}

Json SentencePieceDecoder(bool strip_first_space) {
  Json::Array decoders = {ReplaceText(kMetaspace, " "), Type("ByteFallback"), Type("Fuse")};
  if (strip_first_space) {
    decoders.push_back(Json::Obj({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}));
  }
  return Sequence("decoders", std::move(decoders));
}

std::string SpellBytes(std::string_view bytes) {
  static const std::array<std::string, 256> kLetters = MakeByteLetters();
  std::string text;
  for (unsigned char byte : bytes) text += kLetters[byte];
  return text;
}

}  // namespace hearth::tokenizers::parts
