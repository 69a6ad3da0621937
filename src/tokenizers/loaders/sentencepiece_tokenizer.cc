#include "tokenizers/loaders/sentencepiece_tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "tokenizers/loaders/merge_rules.h"
#include "tokenizers/loaders/parts.h"
#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

using Algorithm = SentencePieceModel::Algorithm;
using Form = SentencePieceStyle::Form;
using ScoredTexts = std::vector<std::pair<std::string, double>>;

constexpr int kT5ExtraIds = 100;

bool IsAddedToken(PieceType type) {
  return type == PieceType::kUnknown || type == PieceType::kControl ||
         type == PieceType::kUserDefined;
}

std::vector<parts::AddedToken> AddedTokensOf(const SentencePieceModel& model) {
  std::vector<parts::AddedToken> tokens;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    if (IsAddedToken(piece.type)) {
      tokens.push_back({id, piece.text, piece.type != PieceType::kUserDefined});
    }
  }
  return tokens;
}

Json Precompiled(const SentencePieceModel& model) {
  return Json::Obj({{"type", "Precompiled"},
                    {"precompiled_charsmap", Base64Encode(model.precompiled_charsmap)}});
}

bool HasUserSymbols(const SentencePieceModel& model) {
  return std::any_of(model.pieces.begin(), model.pieces.end(), [](const SentencePiece& piece) {
    return piece.type == PieceType::kUserDefined;
  });
}

// Text around a user's symbol is normalised in stretches: trimming those would eat the spaces
// beside the symbol, so only the space in front of the whole text is seen to (by
// PlainPreTokenizer), and a space at the very end stays.
bool TrimsStretches(const SentencePieceModel& model) {
  return !(model.remove_extra_whitespaces && model.escape_whitespaces && HasUserSymbols(model));
}

// SentencePiece's own normalisation as a chain of the reference's.
Json PlainNormalizer(const SentencePieceModel& model) {
  Json::Array steps;
  bool trims = TrimsStretches(model);
  if (!model.precompiled_charsmap.empty()) steps.push_back(Precompiled(model));
  if (model.remove_extra_whitespaces) {
    // At the end the visible space goes too: SentencePiece trims after its replacement.
    if (trims) steps.push_back(parts::ReplaceRegex("\\A +|[ \xE2\x96\x81]+\\z", ""));
    steps.push_back(parts::ReplaceRegex(" {2,}", " "));
  }
  if (model.add_dummy_prefix && trims && !model.treat_whitespace_as_suffix) {
    steps.push_back(Json::Obj({{"type", "Prepend"}, {"prepend", parts::kMetaspace}}));
  }
  if (model.add_dummy_prefix && model.treat_whitespace_as_suffix) {
    steps.push_back(parts::ReplaceRegex("\\z", model.escape_whitespaces ? parts::kMetaspace : " "));
  }
  if (model.escape_whitespaces) steps.push_back(parts::ReplaceText(" ", parts::kMetaspace));
  if (steps.empty()) return Json();
  if (steps.size() == 1) return steps.front();
  return parts::Sequence("normalizers", std::move(steps));
}

Json PlainPreTokenizer(const SentencePieceModel& model) {
  bool words = model.algorithm == Algorithm::kWord;
  bool prefixes = model.add_dummy_prefix && !TrimsStretches(model);
  if (prefixes) return parts::Metaspace("first", words);
  return words ? parts::Metaspace("never") : Json();
}

Json::Object VocabOf(const SentencePieceModel& model) {
  Json::Object vocab;
  vocab.reserve(model.pieces.size());
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    if (piece.type != PieceType::kUnused) vocab.emplace_back(piece.text, id);
  }
  return vocab;
}

Json BpeModel(const SentencePieceModel& model) {
  parts::BpeFields fields;
  std::vector<ScoredPiece> mergeable;
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type == PieceType::kNormal) mergeable.push_back({piece.text, piece.score});
  }
  fields.vocab = VocabOf(model);
  fields.merges = model.merges ? *model.merges : RulesFromScores(mergeable);
  fields.unk_token = model.unk_piece;
  fields.fuse_unk = true;
  fields.byte_fallback = model.byte_fallback;
  return parts::Bpe(std::move(fields));
}

ScoredTexts TextsOf(const SentencePieceModel& model, size_t first = 0) {
  ScoredTexts texts;
  for (size_t id = first; id < model.pieces.size(); ++id) {
    texts.emplace_back(model.pieces[id].text, model.pieces[id].score);
  }
  // Padding at the end of a vocabulary is no part of it.
  for (size_t id = model.pieces.size(); id > first; --id) {
    if (model.pieces[id - 1].type != PieceType::kUnused) break;
    texts.pop_back();
  }
  return texts;
}

std::optional<parts::SpecialToken> SpecialTokenAt(const SentencePieceModel& model, int id,
                                                  bool wanted) {
  const SentencePiece* piece = wanted ? model.PieceAt(id) : nullptr;
  if (piece == nullptr) return std::nullopt;
  return parts::SpecialToken{piece->text, static_cast<uint64_t>(id)};
}

Json PostProcessor(const SentencePieceModel& model, const SentencePieceStyle& style,
                   bool default_bos, bool default_eos) {
  return BosEosTemplate(SpecialTokenAt(model, model.bos_id, style.add_bos.value_or(default_bos)),
                        SpecialTokenAt(model, model.eos_id, style.add_eos.value_or(default_eos)));
}

std::optional<uint64_t> UnknownId(const SentencePieceModel& model) {
  if (model.PieceAt(model.unk_id) == nullptr) return std::nullopt;
  return static_cast<uint64_t>(model.unk_id);
}

// Every character is a piece: BPE without rules.
Json CharacterModel(const SentencePieceModel& model) {
  parts::BpeFields fields;
  fields.vocab = VocabOf(model);
  fields.unk_token = model.unk_piece;
  fields.fuse_unk = true;
  fields.byte_fallback = model.byte_fallback;
  return parts::Bpe(std::move(fields));
}

// Words as they are and the bytes of unknown ones: BPE without rules that takes a word of the
// vocabulary whole. A piece of one character would also be found inside of unknown words.
Json WordOrBytesModel(const SentencePieceModel& model) {
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type == PieceType::kNormal && Utf8Length(piece.text) == piece.text.size()) {
      throw Error(Code::kUnimplemented,
                  "SentencePiece models of words and bytes with a word of one character");
    }
  }
  parts::BpeFields fields;
  fields.vocab = VocabOf(model);
  fields.unk_token = model.unk_piece;
  fields.byte_fallback = true;
  fields.ignore_merges = true;
  return parts::Bpe(std::move(fields));
}

Json WordModel(const SentencePieceModel& model) {
  if (model.byte_fallback) return WordOrBytesModel(model);
  return Json::Obj(
      {{"type", "WordLevel"}, {"vocab", Json(VocabOf(model))}, {"unk_token", model.unk_piece}});
}

Json PlainModel(const SentencePieceModel& model) {
  switch (model.algorithm) {
    case Algorithm::kUnigram:
      return parts::Unigram(TextsOf(model), UnknownId(model), model.byte_fallback);
    case Algorithm::kBpe:
      return BpeModel(model);
    case Algorithm::kWord:
      return WordModel(model);
    case Algorithm::kChar:
      return CharacterModel(model);
  }
  throw Error(Code::kInvalidArgument, "the SentencePiece model is of no known type");
}

Json MakePlain(const SentencePieceModel& model, const SentencePieceStyle& style) {
  // The space would end every stretch between symbols, not the text alone.
  if (model.treat_whitespace_as_suffix && model.add_dummy_prefix && HasUserSymbols(model)) {
    throw Error(Code::kUnimplemented,
                "SentencePiece models with spaces at the end of words and a user's symbols");
  }
  bool bpe = model.algorithm == Algorithm::kBpe;
  parts::Document document;
  document.added_tokens = parts::AddedTokens(AddedTokensOf(model));
  document.normalizer = PlainNormalizer(model);
  document.pre_tokenizer = PlainPreTokenizer(model);
  document.decoder = parts::SentencePieceDecoder(model.add_dummy_prefix);
  document.post_processor = PostProcessor(model, style, bpe, false);
  document.model = PlainModel(model);
  return parts::Assemble(std::move(document));
}

// The reference's class: unlike SentencePiece it puts no space before a text that starts with one.
Json MakeLlama(const SentencePieceModel& model, const SentencePieceStyle& style) {
  std::string_view scheme = style.legacy ? "always" : "first";
  parts::Document document;
  document.added_tokens = parts::AddedTokens(AddedTokensOf(model));
  document.pre_tokenizer = parts::Metaspace(model.add_dummy_prefix ? scheme : "never", false);
  document.decoder = parts::SentencePieceDecoder(model.add_dummy_prefix);
  document.post_processor = PostProcessor(model, style, true, false);
  document.model = BpeModel(model);
  return parts::Assemble(std::move(document));
}

Json MakeGemma(const SentencePieceModel& model, const SentencePieceStyle& style) {
  parts::Document document;
  document.added_tokens = parts::AddedTokens(AddedTokensOf(model));
  document.normalizer = parts::ReplaceText(" ", parts::kMetaspace);
  document.pre_tokenizer = Json::Obj({{"type", "Split"},
                                      {"pattern", Json::Obj({{"String", " "}})},
                                      {"behavior", "MergedWithPrevious"},
                                      {"invert", false}});
  document.decoder = parts::SentencePieceDecoder(false);
  document.post_processor = PostProcessor(model, style, true, false);
  document.model = BpeModel(model);
  return parts::Assemble(std::move(document));
}

// Words apart, each with its space in front: what T5 and XLM-RoBERTa share.
parts::Document WordsWithSpaces(const SentencePieceModel& model) {
  parts::Document document;
  if (!model.precompiled_charsmap.empty()) document.normalizer = Precompiled(model);
  document.pre_tokenizer = parts::Sequence(
      "pretokenizers", {parts::Type("WhitespaceSplit"), parts::Metaspace("always")});
  document.decoder = parts::Metaspace("always");
  return document;
}

Json MakeT5(const SentencePieceModel& model, const SentencePieceStyle& style) {
  parts::Document document = WordsWithSpaces(model);
  ScoredTexts texts = TextsOf(model);
  std::vector<parts::AddedToken> added = AddedTokensOf(model);
  // The sentinels stand behind the vocabulary, the last one first.
  bool has_sentinels = !texts.empty() && texts.back().first.starts_with("<extra_id_");
  for (int i = has_sentinels ? -1 : kT5ExtraIds - 1; i >= 0; --i) {
    std::string text = "<extra_id_" + std::to_string(i) + ">";
    added.push_back({texts.size(), text, true});
    texts.emplace_back(text, 0.0);
  }
  document.added_tokens = parts::AddedTokens(added);
  document.post_processor = PostProcessor(model, style, false, true);
  document.model = parts::Unigram(texts, UnknownId(model), false);
  return parts::Assemble(std::move(document));
}

// The ids of fairseq: four special tokens, then the pieces from the fourth on, then the mask.
Json MakeXlmRoberta(const SentencePieceModel& model) {
  parts::Document document = WordsWithSpaces(model);
  ScoredTexts texts = {{"<s>", 0.0}, {"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}};
  for (auto& text : TextsOf(model, 3)) texts.push_back(std::move(text));
  texts.emplace_back("<mask>", 0.0);
  document.added_tokens = parts::AddedTokens({{0, "<s>", true},
                                              {1, "<pad>", true},
                                              {2, "</s>", true},
                                              {3, "<unk>", true},
                                              {texts.size() - 1, "<mask>", true}});
  document.post_processor =
      BosEosTemplate(parts::SpecialToken{"<s>", 0}, parts::SpecialToken{"</s>", 2});
  document.model = parts::Unigram(texts, 3, false);
  return parts::Assemble(std::move(document));
}

}  // namespace

Json MakeTokenizerJson(const SentencePieceModel& model, const SentencePieceStyle& style) {
  bool unigram = model.algorithm == Algorithm::kUnigram;
  bool bpe = model.algorithm == Algorithm::kBpe;
  if (style.form == Form::kLlama && bpe) return MakeLlama(model, style);
  if (style.form == Form::kGemma && bpe) return MakeGemma(model, style);
  if (style.form == Form::kT5 && unigram) return MakeT5(model, style);
  if (style.form == Form::kXlmRoberta && unigram) return MakeXlmRoberta(model);
  return MakePlain(model, style);
}

}  // namespace hearth::tokenizers
