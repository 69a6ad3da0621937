// A program for tests of constrained output: one JSON request per line on standard input, one JSON
// answer per line.
//
//   {"op": "vocabulary", "tokenizer": "path" | "tokens": ["text" or {"hex": ".."}], "eos": [id]}
//                                                                -> {"size": n}
//   {"op": "schema", "schema": {..}, "whitespace": n, "closed": bool} | {"op": "regex", "regex":
//   ".."} | {"op": "choice", "choices": [".."]} | {"op": "object"}     -> {} (the grammar from now
//   on)
//   {"op": "accepts", "texts": [".."]}           -> {"accepts": [bool]}  the text is whole
//   {"op": "walk", "seed": n, "max_tokens": n, "complete": bool}
//        A random walk over the masks; after max_tokens the shortest completion follows if asked.
//                                                -> {"text": "..", "complete": bool, "tokens":
//                                                [id]}
//   {"op": "masks", "tokens": [id]}              -> {"allowed": [[count, sum of ids]], "forced":
//   [".."]}
//        Before each token and at the end; with "check": true each mask is compared with accepting
//        each token alone ("agree").
//   {"op": "time", "text": ".."}  -> {"build_ms":, "first_us":, "mask_us": [..]} greedy tokens of
//   it
// A failure answers {"error": "message", "code": ".."} and the program goes on.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/regex_grammar.h"
#include "runtime/grammar/token_constraint.h"

namespace hearth::runtime {
namespace {

using Clock = std::chrono::steady_clock;
double Microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

class Probe {
 public:
  Json Answer(const Json& request) {
    std::string op = request.RequireString("op");
    if (op == "vocabulary") return Load(request);
    if (op == "accepts") return Accepts(request);
    if (op == "walk") return Walk(request);
    if (op == "masks") return Masks(request);
    if (op == "time") return Time(request);
    auto begin = Clock::now();
    auto grammar = Compile(op, request);
    size_t states = grammar.state_count();
    constraint_ = std::make_unique<TokenConstraint>(vocabulary_, std::move(grammar));
    build_us_ = Microseconds(Clock::now() - begin);
    return Json::Obj({{"states", states}});
  }

 private:
  static ByteGrammar Compile(const std::string& op, const Json& request) {
    JsonGrammarOptions options;
    options.max_whitespace = static_cast<uint32_t>(request.IntField("whitespace").value_or(64));
    options.additional_properties = !request.BoolField("closed").value_or(false);
    if (op == "schema") return JsonSchemaGrammar(*request.Find("schema"), options);
    if (op == "regex") return RegexGrammar(request.RequireString("regex"));
    if (op == "object") return AnyJsonObjectGrammar(options);
    std::vector<std::string> choices;
    for (const Json& choice : request.RequireArray("choices"))
      choices.push_back(*choice.AsString());
    return ChoiceGrammar(choices);
  }

  Json Load(const Json& request) {
    std::vector<uint32_t> eos;
    for (const Json& id : request.RequireArray("eos"))
      eos.push_back(static_cast<uint32_t>(*id.AsUint()));
    if (request.Find("tokenizer") != nullptr) {
      auto tokenizer = tokenizers::Tokenizer::FromFile(request.RequireString("tokenizer"));
      size_t size = 0;
      tokenizer.ForEachToken(
          [&](std::string_view, uint32_t id) { size = std::max(size, size_t{id} + 1); });
      vocabulary_ =
          std::make_shared<TokenVocabulary>(TokenVocabulary::FromTokenizer(tokenizer, size, eos));
    } else {
      std::vector<std::string> tokens;
      for (const Json& token : request.RequireArray("tokens")) tokens.push_back(*token.AsString());
      vocabulary_ = std::make_shared<TokenVocabulary>(std::move(tokens), eos);
    }
    return Json::Obj({{"size", vocabulary_->size()}, {"nodes", vocabulary_->nodes().size()}});
  }

  Json Accepts(const Json& request) {
    Json::Array answers;
    for (const Json& text : request.RequireArray("texts")) {
      auto state = constraint_->Start();
      bool accepted = constraint_->AcceptText(&state, *text.AsString());
      answers.push_back(accepted && constraint_->IsComplete(&state));
    }
    return Json::Obj({{"accepts", std::move(answers)}});
  }

  std::vector<uint32_t> Allowed(TokenConstraint::State* state) {
    std::vector<uint64_t> mask;
    constraint_->FillMask(state, &mask);
    std::vector<uint32_t> ids;
    for (size_t word = 0; word < mask.size(); ++word) {
      for (uint64_t bits = mask[word]; bits != 0; bits &= bits - 1) {
        ids.push_back(static_cast<uint32_t>(word * 64 + __builtin_ctzll(bits)));
      }
    }
    return ids;
  }

  Json Walk(const Json& request) {
    std::mt19937 engine(static_cast<uint32_t>(request.IntField("seed").value_or(0)));
    auto state = constraint_->Start();
    std::vector<uint32_t> tokens;
    auto limit = static_cast<size_t>(request.IntField("max_tokens").value_or(50));
    bool stuck = false;
    while (tokens.size() < limit && !state.finished()) {
      std::vector<uint32_t> allowed = Allowed(&state);
      if (allowed.empty()) {
        stuck = !constraint_->IsComplete(&state);
        break;
      }
      uint32_t token = allowed[engine() % allowed.size()];
      // Short tokens often, else a walk in a string sees long ones only.
      for (int i = 0; i < 3 && vocabulary_->bytes(token).size() > 2; ++i) {
        token = allowed[engine() % allowed.size()];
      }
      if (!constraint_->Accept(&state, token))
        throw Error(Code::kInternal, "a masked token was refused");
      tokens.push_back(token);
    }
    if (stuck) throw Error(Code::kInternal, "no token allowed after " + state.text());
    bool complete = constraint_->IsComplete(&state);
    if (!complete && request.BoolField("complete").value_or(true)) {
      complete = constraint_->AcceptText(&state, constraint_->ShortestCompletion(&state)) &&
                 constraint_->IsComplete(&state);
    }
    Json::Array ids;
    for (uint32_t token : tokens) ids.push_back(token);
    return Json::Obj({{"text", state.text()}, {"complete", complete}, {"tokens", std::move(ids)}});
  }

  Json Masks(const Json& request) {
    auto state = constraint_->Start();
    Json::Array masks, forced;
    const bool check = request.BoolField("check").value_or(false);
    bool agree = true;
    auto note = [&] {
      uint64_t sum = 0;
      auto allowed = Allowed(&state);
      for (uint32_t id : allowed) sum += id;
      masks.push_back(Json::Arr({allowed.size(), sum}));
      forced.push_back(constraint_->ForcedText(&state));
      for (uint32_t id = 0; check && id < vocabulary_->size(); ++id) {
        auto copy = state;
        bool masked = std::binary_search(allowed.begin(), allowed.end(), id);
        agree = agree && constraint_->Accept(&copy, id) == masked;
      }
    };
    note();
    for (const Json& id : request.RequireArray("tokens")) {
      if (!constraint_->Accept(&state, static_cast<uint32_t>(*id.AsUint()))) break;
      note();
    }
    return Json::Obj(
        {{"allowed", std::move(masks)}, {"forced", std::move(forced)}, {"agree", agree}});
  }

  // Tokens of the text by longest match, a mask before each.
  Json Time(const Json& request) {
    std::string text = request.RequireString("text");
    Json::Array times;
    auto state = constraint_->Start();
    std::vector<uint64_t> mask;
    size_t at = 0;
    for (;;) {
      auto begin = Clock::now();
      constraint_->FillMask(&state, &mask);
      times.push_back(Microseconds(Clock::now() - begin));
      if (at == text.size()) break;
      uint32_t best = TokenVocabulary::kNoToken;
      auto nodes = vocabulary_->nodes();
      uint32_t node = 0;
      for (size_t i = at; i < text.size(); ++i) {
        uint32_t child = node + 1;
        while (child < nodes[node].end && nodes[child].byte != static_cast<uint8_t>(text[i]))
          child = nodes[child].end;
        if (child >= nodes[node].end) break;
        node = child;
        if (nodes[node].token != TokenVocabulary::kNoToken) best = nodes[node].token;
      }
      if (best == TokenVocabulary::kNoToken || !constraint_->Accept(&state, best)) {
        throw Error(Code::kInvalidArgument, "the text does not fit at byte " + std::to_string(at));
      }
      at += vocabulary_->bytes(best).size();
    }
    return Json::Obj({{"build_us", build_us_}, {"mask_us", std::move(times)}});
  }

  std::shared_ptr<TokenVocabulary> vocabulary_;
  std::unique_ptr<TokenConstraint> constraint_;
  double build_us_ = 0;
};

}  // namespace
}  // namespace hearth::runtime

int main() {
  std::ios::sync_with_stdio(false);
  hearth::runtime::Probe probe;
  std::string line;
  while (std::getline(std::cin, line)) {
    hearth::Json answer;
    try {
      answer = probe.Answer(hearth::Json::Parse(line));
    } catch (const hearth::Error& error) {
      answer = hearth::Json::Obj(
          {{"error", error.message()}, {"code", std::string(CodeName(error.code()))}});
    }
    std::cout << answer.Dump() << "\n" << std::flush;
  }
}
