// vocab.txt: one token a line, its id the line's number. tokenizer_config.json says about case and
// accents.
#include "tokenizers/loaders/bert_vocab.h"

#include "base/bytes.h"
#include "base/error.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

constexpr uint64_t kMaxCharsPerWord = 100;

Json VocabOfLines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Json::Object vocab;
  for (std::string_view line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    vocab.emplace_back(std::string(line), vocab.size());
  }
  return Json(std::move(vocab));
}

Json BertNormalizer(const BertOptions& options) {
  return Json::Obj({{"type", "BertNormalizer"},
                    {"clean_text", true},
                    {"handle_chinese_chars", options.handle_chinese_chars},
                    {"strip_accents", options.strip_accents},
                    {"lowercase", options.lowercase}});
}

}  // namespace

Json MakeBertTokenizerJson(const Json::Object& vocab, const BertOptions& options) {
  Vocab index = ParseVocab(Json(vocab));
  std::vector<parts::AddedToken> added;
  for (const std::string* token : {&options.pad_token, &options.unk_token, &options.cls_token,
                                   &options.sep_token, &options.mask_token}) {
    if (auto id = index.FindId(*token)) added.push_back({*id, *token, true});
  }
  parts::Document document;
  Json::Object all = vocab;
  MergeAddedTokens(options.added_tokens, &added, &all);
  document.added_tokens = parts::AddedTokens(added);
  document.normalizer = BertNormalizer(options);
  document.pre_tokenizer = parts::Type("BertPreTokenizer");
  auto cls = index.FindId(options.cls_token);
  auto sep = index.FindId(options.sep_token);
  if (cls && sep) {
    const std::string &c = options.cls_token, &s = options.sep_token;
    document.post_processor =
        parts::Template({c, "$A", s}, {c, "$A", s, "$B:1", s + ":1"}, {{c, *cls}, {s, *sep}});
  }
  document.decoder = Json::Obj({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}});
  document.model = Json::Obj({{"type", "WordPiece"},
                              {"unk_token", options.unk_token},
                              {"continuing_subword_prefix", "##"},
                              {"max_input_chars_per_word", kMaxCharsPerWord},
                              {"vocab", Json(std::move(all))}});
  return parts::Assemble(std::move(document));
}

std::optional<Json> LoadBertVocab(const TokenizerFiles& files) {
  auto text = files.Read("vocab.txt");
  if (!text) return std::nullopt;
  Json config = files.Config();
  BertOptions options;
  options.lowercase = config.BoolField("do_lower_case").value_or(true);
  options.strip_accents = config.BoolField("strip_accents");
  options.handle_chinese_chars = config.BoolField("tokenize_chinese_chars").value_or(true);
  options.unk_token = ConfiguredToken(config, "unk_token", options.unk_token);
  options.cls_token = ConfiguredToken(config, "cls_token", options.cls_token);
  options.sep_token = ConfiguredToken(config, "sep_token", options.sep_token);
  options.pad_token = ConfiguredToken(config, "pad_token", options.pad_token);
  options.mask_token = ConfiguredToken(config, "mask_token", options.mask_token);
  options.added_tokens = ConfiguredAddedTokens(config);
  return MakeBertTokenizerJson(*VocabOfLines(*text).AsObject(), options);
}

}  // namespace hearth::tokenizers
