// A program for tests that compare generation with a reference in another language: one JSON
// request per line on standard input, one JSON answer per line. Scores are lists of numbers, with
// "inf", "-inf" and "nan" as strings.
//
//   {"op": "process", "config": {..}, "prompt_length": n, "encoder": [id], "history": [id],
//    "scores": [..]}                                     -> {"scores": [..]}
//   {"op": "beams", "config": {..}, "prompt": [id], "vocab_size": n, "max_length": n,
//    "table": [[score]]}                                 -> {"sequences": [[id]], "scores": [..]}
//        The model's scores after a history are row (sum of (i + 1) * history[i]) mod rows.
//   {"op": "sample", "config": {..}, "scores": [..], "draws": n} -> {"tokens": [id]}
//        One draw at each position from 0 on, by the config's seed.
//   {"op": "lookup", "history": [id], "max_ngram": n, "max_tokens": n, "max_length": n,
//    "eos": [id]}                                        -> {"tokens": [id]}
//   {"op": "config", "config": {..}}                     -> {} or an error
// A failure answers {"error": "message"} and the program goes on.
#include <cmath>
#include <iostream>
#include <limits>
#include <string>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/generation/beam_search.h"
#include "runtime/generation/prompt_lookup.h"
#include "runtime/generation/sampler.h"

namespace hearth::runtime {
namespace {

std::vector<TokenId> Ids(const Json& request, std::string_view key) {
  std::vector<TokenId> ids;
  if (request.Find(key) == nullptr) return ids;
  for (const Json& item : request.RequireArray(key)) {
    ids.push_back(static_cast<TokenId>(*item.AsUint()));
  }
  return ids;
}

std::vector<float> Scores(const Json& list) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> scores;
  for (const Json& item : *list.AsArray()) {
    if (const std::string* name = item.AsString()) {
      scores.push_back(*name == "inf" ? kInfinity : *name == "-inf" ? -kInfinity : std::nanf(""));
    } else {
      scores.push_back(static_cast<float>(*item.AsDouble()));
    }
  }
  return scores;
}

Json ToJson(std::span<const float> scores) {
  Json::Array list;
  for (float score : scores) {
    if (std::isnan(score)) {
      list.push_back("nan");
    } else if (std::isinf(score)) {
      list.push_back(score > 0 ? "inf" : "-inf");
    } else {
      list.push_back(double{score});
    }
  }
  return Json(std::move(list));
}

Json ToJson(std::span<const TokenId> ids) {
  Json::Array list;
  for (TokenId id : ids) list.push_back(id);
  return Json(std::move(list));
}

uint32_t Count(const Json& request, std::string_view key) {
  return static_cast<uint32_t>(request.IntField(key).value_or(0));
}

Json Process(const Json& request, const GenerationConfig& config) {
  ProcessorList list(config, {.prompt_length = Count(request, "prompt_length"),
                              .encoder_tokens = Ids(request, "encoder")});
  std::vector<float> scores = Scores(*request.Find("scores"));
  list.Apply(Ids(request, "history"), scores);
  return Json::Obj({{"scores", ToJson(scores)}});
}

Json Beams(const Json& request, const GenerationConfig& config) {
  std::vector<std::vector<float>> table;
  for (const Json& row : request.RequireArray("table")) table.push_back(Scores(row));
  auto prompt = Ids(request, "prompt");
  uint32_t vocab_size = Count(request, "vocab_size");
  ProcessorList list(config, {.prompt_length = static_cast<uint32_t>(prompt.size())});
  BeamSearch search(config, prompt,
                    {.vocab_size = vocab_size,
                     .max_length = Count(request, "max_length"),
                     .seed = config.seed.value_or(0),
                     .stop = {}});
  std::vector<float> rows;
  while (!search.done()) {
    rows.clear();
    for (size_t beam = 0; beam < search.num_beams(); ++beam) {
      auto history = search.tokens(beam);
      uint64_t sum = 0;
      for (size_t i = 0; i < history.size(); ++i) sum += (i + 1) * history[i];
      std::vector<float> scores = table[sum % table.size()];
      LogSoftmax(scores);
      list.Apply(history, scores);
      rows.insert(rows.end(), scores.begin(), scores.end());
    }
    search.Step(rows);
  }
  Json::Array sequences;
  std::vector<float> scores;
  for (const BeamHypothesis& result : search.Results()) {
    sequences.push_back(ToJson(result.tokens));
    scores.push_back(result.score);
  }
  return Json::Obj({{"sequences", std::move(sequences)}, {"scores", ToJson(scores)}});
}

Json Sample(const Json& request, const GenerationConfig& config) {
  Sampler sampler(config, {});
  std::vector<float> scores = Scores(*request.Find("scores"));
  std::vector<TokenId> tokens;
  for (uint32_t i = 0; i < Count(request, "draws"); ++i) {
    std::vector<float> row = scores;
    tokens.push_back(sampler.Sample(std::vector<TokenId>(i), row).id);
  }
  return Json::Obj({{"tokens", ToJson(tokens)}});
}

Json LookUp(const Json& request) {
  return Json::Obj({{"tokens", ToJson(FindPromptLookup(Ids(request, "history"),
                                                       {.max_ngram = Count(request, "max_ngram"),
                                                        .max_tokens = Count(request, "max_tokens"),
                                                        .max_length = Count(request, "max_length"),
                                                        .eos = Ids(request, "eos")}))}});
}

Json Answer(const Json& request) {
  std::string op = request.RequireString("op");
  if (op == "lookup") return LookUp(request);
  GenerationConfig config = GenerationConfig::FromJson(*request.Find("config"));
  if (op == "process") return Process(request, config);
  if (op == "beams") return Beams(request, config);
  if (op == "sample") return Sample(request, config);
  return Json::Obj();
}

}  // namespace
}  // namespace hearth::runtime

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    hearth::Json answer;
    try {
      answer = hearth::runtime::Answer(hearth::Json::Parse(line));
    } catch (const std::exception& error) {
      answer = hearth::Json::Obj({{"error", error.what()}});
    }
    std::cout << answer.Dump() << "\n" << std::flush;
  }
}
