// A program for tests that compare models, loaders and trainers with a reference in another
// language: one JSON request per line on standard input, one JSON answer per line.
//
//   {"load": {model object}}        -> {"model": {...}, "size": n}
//   {"tokenize": ["piece", ...]}    -> {"tokens": [[[id, "value", begin, end], ...], ...]}
//   {"files": "path"}           -> {"tokenizer": {tokenizer.json of that folder or file}}
//     with "texts": ["text", ...], "special": bool -> {"ids": [[id, ...], ...]}
//   {"train": "bpe", "words": [["word", count], ...], option: value, ...} -> {"model": {...},
//   "seconds": n}
//   {"ids": ["token", ...], "tokens": [id, ...]} -> {"ids": [id or null], "tokens": ["..." or
//   null]}
// A failure answers {"error": "message"} and the program goes on.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "base/error.h"
#include "codec/json.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/model.h"
#include "tokenizers/trainers/trainer.h"

namespace hearth::tokenizers {
namespace {

std::vector<std::string> Texts(const Json& request, std::string_view key) {
  std::vector<std::string> texts;
  if (request.Find(key) == nullptr) return texts;
  for (const Json& item : request.RequireArray(key)) texts.push_back(*item.AsString());
  return texts;
}

TrainerOptions ReadTrainerOptions(const Json& request) {
  auto size = [&](std::string_view key) -> std::optional<size_t> {
    auto value = request.IntField(key);
    return value ? std::optional<size_t>(static_cast<size_t>(*value)) : std::nullopt;
  };
  TrainerOptions options;
  options.vocab_size = size("vocab_size");
  options.min_frequency = size("min_frequency").value_or(0);
  options.special_tokens = Texts(request, "special_tokens");
  options.limit_alphabet = size("limit_alphabet");
  options.initial_alphabet = Texts(request, "initial_alphabet");
  options.continuing_subword_prefix = request.StringField("continuing_subword_prefix");
  options.end_of_word_suffix = request.StringField("end_of_word_suffix");
  options.max_token_length = size("max_token_length");
  options.unk_token = request.StringField("unk_token");
  options.max_piece_length = size("max_piece_length").value_or(options.max_piece_length);
  options.n_sub_iterations = size("n_sub_iterations").value_or(options.n_sub_iterations);
  options.seed_size = size("seed_size").value_or(options.seed_size);
  if (const Json* factor = request.Find("shrinking_factor")) {
    options.shrinking_factor = *factor->AsDouble();
  }
  return options;
}

class Probe {
 public:
  Json Answer(const Json& request) {
    if (const Json* model = request.Find("load")) return Load(*model);
    if (request.Find("tokenize") != nullptr) return Tokenize(request.RequireArray("tokenize"));
    if (request.Find("files") != nullptr) {
      std::filesystem::path path = request.RequireString("files");
      if (request.Find("texts") != nullptr) return Encode(request, LoadTokenizer(path));
      return Json::Obj({{"tokenizer", LoadTokenizerJson(path)}});
    }
    if (request.Find("train") != nullptr) return Train(request);
    if (request.Find("ids") != nullptr) return LookUp(request);
    throw Error(Code::kInvalidArgument, "unknown request");
  }

 private:
  static Json Encode(const Json& request, const Tokenizer& tokenizer) {
    EncodeOptions options;
    options.add_special_tokens = request.BoolField("special").value_or(true);
    Json lists = Json::Arr();
    for (const std::string& text : Texts(request, "texts")) {
      Json ids = Json::Arr();
      for (uint32_t id : tokenizer.Encode(text, options).ids) ids.Push(id);
      lists.Push(std::move(ids));
    }
    return Json::Obj({{"ids", std::move(lists)}});
  }

  Json Load(const Json& model) {
    model_ = ParseModel(model);
    return Json::Obj({{"model", model_->ToJson()}, {"size", model_->vocab_size()}});
  }

  static Json Train(const Json& request) {
    auto trainer = MakeTrainer(request.RequireString("train"), ReadTrainerOptions(request));
    for (const Json& word : request.RequireArray("words")) {
      trainer->Feed(*(*word.AsArray())[0].AsString(), *(*word.AsArray())[1].AsUint());
    }
    auto start = std::chrono::steady_clock::now();
    Json model = trainer->Train({});
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return Json::Obj({{"model", std::move(model)}, {"seconds", seconds.count()}});
  }

  Json Tokenize(const Json::Array& pieces) const {
    Json::Array answers;
    for (const Json& piece : pieces) {
      std::vector<Token> tokens;
      Json::Array list;
      try {
        Loaded().Tokenize(*piece.AsString(), &tokens);
      } catch (const Error& error) {
        answers.push_back(Json::Obj({{"error", error.message()}}));
        continue;
      }
      for (const Token& token : tokens) {
        list.push_back(Json::Arr({token.id, token.value, token.offsets.begin, token.offsets.end}));
      }
      answers.emplace_back(std::move(list));
    }
    return Json::Obj({{"tokens", Json(std::move(answers))}});
  }

  Json LookUp(const Json& request) const {
    Json::Array ids;
    for (const Json& token : request.RequireArray("ids")) {
      ids.emplace_back(Loaded().FindId(*token.AsString()));
    }
    Json::Array tokens;
    for (const Json& id : request.RequireArray("tokens")) {
      tokens.emplace_back(Loaded().FindToken(static_cast<uint32_t>(*id.AsUint())));
    }
    return Json::Obj({{"ids", Json(std::move(ids))}, {"tokens", Json(std::move(tokens))}});
  }

  const Model& Loaded() const {
    if (!model_) throw Error(Code::kConflict, "no model is loaded");
    return *model_;
  }

  std::unique_ptr<Model> model_;
};

}  // namespace
}  // namespace hearth::tokenizers

int main() {
  hearth::tokenizers::Probe probe;
  std::string line;
  while (std::getline(std::cin, line)) {
    hearth::Json answer;
    try {
      answer = probe.Answer(hearth::Json::Parse(line));
    } catch (const hearth::Error& error) {
      answer = hearth::Json::Obj({{"error", error.message()}});
    }
    std::cout << answer.Dump() << std::endl;
  }
}
