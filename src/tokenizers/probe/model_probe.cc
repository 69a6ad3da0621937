// A program for tests that compare models, loaders and trainers with a reference in another
// language: one JSON request per line on standard input, one JSON answer per line.
//
//   {"load": {model object}}        -> {"model": {...}, "size": n}
//   {"tokenize": ["piece", ...]}    -> {"tokens": [[[id, "value", begin, end], ...], ...]}
//   {"files": "path"}           -> {"tokenizer": {tokenizer.json of that folder or file}}
//   {"ids": ["token", ...], "tokens": [id, ...]} -> {"ids": [id or null], "tokens": ["..." or
//   null]}
// A failure answers {"error": "message"} and the program goes on.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "base/error.h"
#include "codec/json.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/model.h"

namespace hearth::tokenizers {
namespace {

class Probe {
 public:
  Json Answer(const Json& request) {
    if (const Json* model = request.Find("load")) return Load(*model);
    if (request.Find("tokenize") != nullptr) return Tokenize(request.RequireArray("tokenize"));
    if (request.Find("files") != nullptr) {
      std::filesystem::path path = request.RequireString("files");
      return Json::Obj({{"tokenizer", LoadTokenizerJson(path)}});
    }
    if (request.Find("ids") != nullptr) return LookUp(request);
    throw Error(Code::kInvalidArgument, "unknown request");
  }

 private:
  Json Load(const Json& model) {
    model_ = ParseModel(model);
    return Json::Obj({{"model", model_->ToJson()}, {"size", model_->vocab_size()}});
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
