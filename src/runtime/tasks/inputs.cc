#include "runtime/tasks/inputs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::runtime {

void Refuse(const std::string& message) { throw Error(Code::kUnprocessable, message); }

std::string ReadText(const Json& value, std::string_view name) {
  const std::string* text = value.AsString();
  if (text == nullptr) Refuse(std::string(name) + " must be a string");
  return *text;
}

std::vector<TextPair> ReadTexts(const Json& inputs, bool* is_list) {
  auto one = [](const Json& item) {
    if (!item.is_object()) return TextPair{ReadText(item, "inputs"), std::nullopt};
    const Json *text = item.Find("text"), *pair = item.Find("text_pair");
    if (text == nullptr) Refuse("inputs must be a string, or hold \"text\" and \"text_pair\"");
    TextPair read{ReadText(*text, "text"), std::nullopt};
    if (pair != nullptr && !pair->is_null()) read.pair = ReadText(*pair, "text_pair");
    return read;
  };
  std::vector<TextPair> texts;
  *is_list = inputs.is_array();
  if (!*is_list) {
    texts.push_back(one(inputs));
    return texts;
  }
  for (const Json& item : *inputs.AsArray()) texts.push_back(one(item));
  if (texts.empty()) Refuse("inputs is an empty list");
  return texts;
}

namespace {

const Json* Given(const Json& parameters, std::string_view key) {
  const Json* value = parameters.Find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

std::optional<uint64_t> ReadCount(const Json& parameters, std::string_view key, uint64_t limit) {
  const Json* value = Given(parameters, key);
  if (value == nullptr) return std::nullopt;
  auto count = value->AsUint();
  if (!count || *count > limit) {
    Refuse("`" + std::string(key) + "` must be a whole number up to " + std::to_string(limit));
  }
  return count;
}

std::optional<double> ReadReal(const Json& parameters, std::string_view key) {
  const Json* value = Given(parameters, key);
  if (value == nullptr) return std::nullopt;
  auto real = value->AsDouble();
  if (!real) Refuse("`" + std::string(key) + "` must be a number");
  return real;
}

std::optional<bool> ReadFlag(const Json& parameters, std::string_view key) {
  const Json* value = Given(parameters, key);
  if (value == nullptr) return std::nullopt;
  auto flag = value->AsBool();
  if (!flag) Refuse("`" + std::string(key) + "` must be true or false");
  return flag;
}

std::optional<std::string> ReadName(const Json& parameters, std::string_view key) {
  const Json* value = Given(parameters, key);
  if (value == nullptr) return std::nullopt;
  return ReadText(*value, "`" + std::string(key) + "`");
}

std::shared_ptr<const LoadedAdapter> ReadAdapter(Runner& runner, const Json& parameters) {
  auto name = ReadName(parameters, "adapter_id");
  if (!name || name->empty()) return nullptr;
  auto adapter = runner.adapters().Find(*name);
  if (adapter == nullptr) Refuse("adapter_id \"" + name->substr(0, 256) + "\" is not loaded");
  return adapter;
}

TextLimit ReadTextLimit(const Json& parameters) {
  TextLimit limit;
  limit.truncate = ReadFlag(parameters, "truncate").value_or(true);
  std::string side = AsciiLower(ReadName(parameters, "truncation_direction").value_or("right"));
  if (side != "right" && side != "left") Refuse("`truncation_direction` must be left or right");
  limit.keeps_end = side == "left";
  return limit;
}

void RefuseLongText(size_t tokens, size_t most) {
  Refuse("Input validation error: `inputs` must have less than " + std::to_string(most) +
         " tokens. Given: " + std::to_string(tokens));
}

std::vector<tokenizers::Encoding> EncodeTexts(Runner& runner, std::span<const TextPair> texts,
                                              const TextLimit& limit) {
  tokenizers::Truncation truncation;
  truncation.max_length = runner.model().max_text_tokens();
  truncation.side = limit.keeps_end ? tokenizers::Side::kLeft : tokenizers::Side::kRight;
  const tokenizers::Tokenizer& tokenizer = runner.model().tokenizer();
  tokenizers::EncodeOptions options{.offsets = tokenizers::OffsetUnit::kCharacters,
                                    .truncation = limit.truncate ? &truncation : nullptr};
  std::vector<tokenizers::Encoding> encodings;
  for (const TextPair& text : texts) {
    tokenizers::EncodeInput input(text.text);
    if (text.pair) input.second = *text.pair;
    encodings.push_back(tokenizer.Encode(input, options));
    size_t tokens = encodings.back().ids.size();
    if (tokens > truncation.max_length) RefuseLongText(tokens, truncation.max_length);
  }
  return encodings;
}

EncoderInput ToInput(const tokenizers::Encoding& encoding,
                     std::shared_ptr<const LoadedAdapter> adapter) {
  return {encoding.ids, encoding.type_ids, {}, std::move(adapter)};
}

std::vector<EncoderInput> EncodeInputs(Runner& runner, std::span<const TextPair> texts,
                                       const Json& parameters) {
  auto adapter = ReadAdapter(runner, parameters);
  std::vector<EncoderInput> inputs;
  for (const auto& encoding : EncodeTexts(runner, texts, ReadTextLimit(parameters)))
    inputs.push_back(ToInput(encoding, adapter));
  return inputs;
}

CharacterText::CharacterText(std::string_view text) : text_(text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) begins_.push_back(at);
  }
  begins_.push_back(text.size());
}

std::string CharacterText::Part(size_t begin, size_t end) const {
  size_t last = begins_.size() - 1;
  size_t from = begins_[std::min(begin, last)], to = begins_[std::min(end, last)];
  return std::string(text_.substr(from, to - std::min(from, to)));
}

std::vector<size_t> BestFirst(std::span<const float> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

Logits RunHead(Runner& runner, Head head, std::span<const EncoderInput> inputs,
               const std::stop_token& left) {
  Logits logits;
  logits.values.resize(inputs.size());
  Encoder& encoder = runner.encoder(head);
  if (auto shape = runner.model().Program(head)->FindOutput("logits")) {
    logits.columns = shape->columns;
  }
  auto keep = [&](size_t index, const tensor::OutputRows& rows) {
    for (uint64_t row = 0; row < rows.rows; ++row) {
      std::span<const float> values = rows.Row(row);
      logits.values[index].insert(logits.values[index].end(), values.begin(), values.end());
    }
  };
  encoder.Run(inputs, "logits", keep, left);
  return logits;
}

void Softmax(std::span<float> scores) {
  float top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (float& score : scores) sum += score = std::exp(score - top);
  for (float& score : scores) score = static_cast<float>(score / sum);
}

void Sigmoid(std::span<float> scores) {
  for (float& score : scores) score = 1 / (1 + std::exp(-score));
}

std::optional<std::string> NeedsTexts(const Model& model) {
  if (model.shape().input == ModelInput::kText) return std::nullopt;
  bool is_image = model.shape().input == ModelInput::kImage;
  return std::string("this model takes ") + (is_image ? "pictures" : "sounds") + " and no texts";
}

std::optional<std::string> NeedsHead(const Model& model, Head head, std::string_view task) {
  if (auto refusal = NeedsTexts(model)) return refusal;
  if (model.head() == head) return std::nullopt;
  const Json* names = model.config().Find({"architectures"});
  std::string is = names != nullptr && names->AsArray() && !names->AsArray()->empty() &&
                           names->AsArray()->front().AsString()
                       ? *names->AsArray()->front().AsString()
                       : model.config().model_type();
  return "this model is a " + is + ", which has no head for " + std::string(task);
}

}  // namespace hearth::runtime
