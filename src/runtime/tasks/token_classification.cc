// token-classification: names, places and the like in a text.
//
// Labels of tokens become labels of words and of groups of words by the strategies of transformers
// (5.23, pipelines/token_classification.py): "none" gives tokens, "simple" groups equal
// neighbours, "first", "average" and "max" decide per word before grouping.
#include <algorithm>
#include <cctype>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  return NeedsHead(model, Head::kTokenClassification, "token-classification");
}

struct Entity {
  std::string label;  // "B-PER" of a token or word, "PER" of a group
  float score = 0;
  uint32_t index = 0;  // of the token
  std::string word;
  size_t begin = 0, end = 0;  // characters
  std::vector<float> scores;  // of all labels
  uint32_t token = 0;
  bool is_subword = false;
};

std::vector<Entity> TokenEntities(const Model& model, const std::string& text,
                                  const tokenizers::Encoding& encoding,
                                  const std::vector<float>& logits, uint32_t labels) {
  // A tokenizer that marks the parts of words tells them by their spelling, others by the space
  // before.
  bool marks_parts = model.marks_word_parts();
  CharacterText characters(text);
  std::vector<Entity> entities;
  for (uint32_t i = 0; i < encoding.size(); ++i) {
    if (encoding.special_tokens_mask[i]) continue;
    Entity entity;
    entity.index = i;
    entity.token = encoding.ids[i];
    entity.begin = encoding.offsets[i].begin, entity.end = encoding.offsets[i].end;
    entity.scores.assign(logits.begin() + uint64_t{i} * labels,
                         logits.begin() + (uint64_t{i} + 1) * labels);
    Softmax(entity.scores);
    entity.word = encoding.tokens[i];
    if (marks_parts) {
      // In characters: the token may be spelled without the text's accents.
      entity.is_subword = CharacterText(entity.word).size() != entity.end - entity.begin;
    } else {
      std::string around =
          entity.begin > 0 ? characters.Part(entity.begin - 1, entity.begin + 1) : " ";
      entity.is_subword = entity.begin > 0 && around.find(' ') == std::string::npos;
    }
    entities.push_back(std::move(entity));
  }
  return entities;
}

void TakeBest(const Model& model, Entity* entity) {
  auto best = std::max_element(entity->scores.begin(), entity->scores.end());
  entity->score = *best;
  entity->label = model.Label(static_cast<uint32_t>(best - entity->scores.begin()));
}

Entity JoinWord(const Model& model, const std::vector<Entity>& tokens,
                const std::string& strategy) {
  Entity word = tokens.front();
  std::vector<uint32_t> ids;
  for (const Entity& token : tokens) ids.push_back(token.token);
  word.word = model.tokenizer().Decode(ids, false);
  word.end = tokens.back().end;
  if (strategy == "max") {
    auto best =
        std::max_element(tokens.begin(), tokens.end(), [](const Entity& a, const Entity& b) {
          return *std::max_element(a.scores.begin(), a.scores.end()) <
                 *std::max_element(b.scores.begin(), b.scores.end());
        });
    word.scores = best->scores;
  } else if (strategy == "average") {
    for (size_t label = 0; label < word.scores.size(); ++label) {
      double sum = 0;
      for (const Entity& token : tokens) sum += token.scores[label];
      word.scores[label] = static_cast<float>(sum / tokens.size());
    }
  }
  TakeBest(model, &word);
  return word;
}

std::vector<Entity> JoinWords(const Model& model, std::vector<Entity> tokens,
                              const std::string& strategy) {
  std::vector<Entity> words, current;
  for (Entity& token : tokens) {
    if (!current.empty() && !token.is_subword) {
      words.push_back(JoinWord(model, current, strategy));
      current.clear();
    }
    current.push_back(std::move(token));
  }
  if (!current.empty()) words.push_back(JoinWord(model, current, strategy));
  return words;
}

// "B-PER" -> ('B', "PER"); a label without a beginning counts as inside.
std::pair<char, std::string> Tag(const std::string& label) {
  if (label.starts_with("B-")) return {'B', label.substr(2)};
  if (label.starts_with("I-")) return {'I', label.substr(2)};
  return {'I', label};
}

Entity JoinGroup(const Model& model, const std::vector<Entity>& parts, bool of_tokens) {
  Entity group = parts.front();
  group.label = Tag(group.label).second;
  group.end = parts.back().end;
  double sum = 0;
  std::string words;
  std::vector<uint32_t> ids;
  for (const Entity& part : parts) {
    sum += part.score;
    words += (words.empty() ? "" : " ") + part.word;
    ids.push_back(part.token);
  }
  group.score = static_cast<float>(sum / parts.size());
  group.word = of_tokens ? model.tokenizer().Decode(ids, false) : words;
  return group;
}

std::vector<Entity> Group(const Model& model, const std::vector<Entity>& entities, bool of_tokens) {
  std::vector<Entity> groups, current;
  for (const Entity& entity : entities) {
    auto [mark, tag] = Tag(entity.label);
    if (!current.empty() && (tag != Tag(current.back().label).second || mark == 'B')) {
      groups.push_back(JoinGroup(model, current, of_tokens));
      current.clear();
    }
    current.push_back(entity);
  }
  if (!current.empty()) groups.push_back(JoinGroup(model, current, of_tokens));
  return groups;
}

struct Wanted {
  std::string strategy;
  std::vector<std::string> ignored;
  std::shared_ptr<const LoadedAdapter> adapter;
  std::stop_token left;
};

Json RunOne(Runner& runner, const TextPair& text, const Wanted& wanted) {
  const std::string& strategy = wanted.strategy;
  const std::vector<std::string>& ignored = wanted.ignored;
  const Model& model = runner.model();
  tokenizers::Encoding encoding = std::move(EncodeTexts(runner, {&text, 1}).front());
  EncoderInput input = ToInput(encoding, wanted.adapter);
  Logits logits = RunHead(runner, Head::kTokenClassification, {&input, 1}, wanted.left);
  std::vector<Entity> entities =
      TokenEntities(model, text.text, encoding, logits.values[0], logits.columns);
  if (strategy == "none" || strategy == "simple") {
    for (Entity& entity : entities) TakeBest(model, &entity);
  } else {
    entities = JoinWords(model, std::move(entities), strategy);
  }
  bool grouped = strategy != "none";
  if (grouped) entities = Group(model, entities, strategy == "simple");
  Json answer = Json::Arr();
  for (const Entity& entity : entities) {
    if (std::find(ignored.begin(), ignored.end(), entity.label) != ignored.end()) continue;
    Json item = Json::Obj(
        {{grouped ? "entity_group" : "entity", entity.label}, {"score", double{entity.score}}});
    if (!grouped) item.Set("index", entity.index);
    item.Set("word", entity.word).Set("start", entity.begin).Set("end", entity.end);
    answer.Push(std::move(item));
  }
  return answer;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  std::string strategy = ReadName(parameters, "aggregation_strategy").value_or("simple");
  if (strategy != "none" && strategy != "simple" && strategy != "first" && strategy != "average" &&
      strategy != "max") {
    Refuse("`aggregation_strategy` must be none, simple, first, average or max");
  }
  std::vector<std::string> ignored = {"O"};
  if (const Json* given = parameters.Find("ignore_labels"); given && given->AsArray()) {
    ignored.clear();
    for (const Json& label : *given->AsArray()) ignored.push_back(ReadText(label, "a label"));
  }
  Wanted wanted{strategy, std::move(ignored), ReadAdapter(runner, parameters), left};
  bool is_list = false;
  Json answers = Json::Arr();
  for (const TextPair& text : ReadTexts(inputs, &is_list)) {
    answers.Push(RunOne(runner, text, wanted));
  }
  return is_list ? answers : answers.AsArray()->front();
}

}  // namespace

const Task& TokenClassificationTask() {
  static constexpr Task kTask{"token-classification", "names and other marked parts of a text",
                              Refusal, Run};
  return kTask;
}

}  // namespace hearth::runtime
