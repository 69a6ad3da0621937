// fill-mask: what could stand where the mask token stands.
#include <algorithm>
#include <numeric>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  return NeedsHead(model, Head::kMaskedLm, "fill-mask");
}

uint32_t MaskToken(const Runner& runner) {
  const tokenizers::Tokenizer& tokenizer = runner.model().tokenizer();
  for (const char* mask : {"[MASK]", "<mask>"}) {
    if (auto id = tokenizer.FindId(mask)) return *id;
  }
  Refuse("this model's tokenizer has no mask token");
}

// Words that alone are to be judged; a word that is no single token counts by its first.
std::vector<uint32_t> ReadTargets(const Runner& runner, const Json& parameters) {
  const Json* value = parameters.Find("targets");
  std::vector<uint32_t> ids;
  if (value == nullptr || value->is_null()) return ids;
  const tokenizers::Tokenizer& tokenizer = runner.model().tokenizer();
  auto add = [&](const Json& item) {
    std::string word = ReadText(item, "a target");
    auto id = tokenizer.FindId(word);
    if (!id) {
      std::vector<uint32_t> parts = tokenizer.EncodeIds(word, false);
      if (parts.empty()) Refuse("a target has no tokens");
      id = parts.front();
    }
    if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  };
  if (value->AsArray() != nullptr) {
    for (const Json& item : *value->AsArray()) add(item);
  } else {
    add(*value);
  }
  return ids;
}

Json Candidates(Runner& runner, const EncoderInput& input, uint32_t place, std::vector<float> row,
                const std::vector<uint32_t>& targets, size_t top) {
  const tokenizers::Tokenizer& tokenizer = runner.model().tokenizer();
  Softmax(row);
  std::vector<uint32_t> order = targets;
  if (order.empty()) {
    order.resize(row.size());
    std::iota(order.begin(), order.end(), 0u);
  }
  top = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + top, order.end(),
                    [&](uint32_t a, uint32_t b) { return row[a] > row[b]; });
  Json answer = Json::Arr();
  for (size_t i = 0; i < top; ++i) {
    std::vector<uint32_t> filled = input.ids;
    filled[place] = order[i];
    answer.Push(Json::Obj({{"score", double{row[order[i]]}},
                           {"token", order[i]},
                           {"token_str", tokenizer.Decode({&order[i], 1}, false)},
                           {"sequence", tokenizer.Decode(filled, true)}}));
  }
  return answer;
}

Json FillOne(Runner& runner, EncoderInput input, const std::vector<uint32_t>& targets, size_t top,
             const std::stop_token& left) {
  uint32_t mask = MaskToken(runner);
  for (uint32_t i = 0; i < input.ids.size(); ++i) {
    if (input.ids[i] == mask) input.outputs.push_back(i);
  }
  if (input.outputs.empty()) Refuse("No mask_token found on the input");
  Logits logits = RunHead(runner, Head::kMaskedLm, {&input, 1}, left);
  Json all = Json::Arr();
  for (size_t i = 0; i < input.outputs.size(); ++i) {
    auto begin = logits.values[0].begin() + i * logits.columns;
    all.Push(
        Candidates(runner, input, input.outputs[i], {begin, begin + logits.columns}, targets, top));
  }
  // One mask: its candidates; several: a list for each.
  return all.size() == 1 ? all.AsArray()->front() : all;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  bool is_list = false;
  std::vector<uint32_t> targets = ReadTargets(runner, parameters);
  size_t top = ReadCount(parameters, "top_k", 1000).value_or(targets.empty() ? 5 : targets.size());
  Json answers = Json::Arr();
  std::vector<TextPair> texts = ReadTexts(inputs, &is_list);
  for (EncoderInput& input : EncodeInputs(runner, texts, parameters)) {
    answers.Push(FillOne(runner, std::move(input), targets, top, left));
  }
  return is_list ? answers : answers.AsArray()->front();
}

}  // namespace

const Task& FillMaskTask() {
  static constexpr Task kTask{"fill-mask", "words for the place of the mask token", Refusal, Run};
  return kTask;
}

}  // namespace hearth::runtime
