#include "runtime/tasks/embeddings.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "codec/float_text.h"

namespace hearth::runtime {

uint64_t ReadDimensions(const Json& parameters) {
  auto dimensions = ReadCount(parameters, "dimensions", 1u << 20);
  if (dimensions == 0u) Refuse("`dimensions` must be strictly positive");
  return dimensions.value_or(0);
}

EmbeddingOptions ReadEmbeddingOptions(Runner& runner, const Json& parameters) {
  EmbeddingOptions options;
  options.adapter = ReadAdapter(runner, parameters);
  options.normalize = ReadFlag(parameters, "normalize").value_or(false);
  options.dimensions = ReadDimensions(parameters);
  options.prompt_name = ReadName(parameters, "prompt_name").value_or("");
  static_cast<TextLimit&>(options) = ReadTextLimit(parameters);
  return options;
}

namespace {

using Kind = EmbeddingRequest::Kind;

std::string_view OutputOf(Kind kind) { return kind == Kind::kTexts ? "embedding" : "hidden"; }

EmbeddedTexts RoomFor(const Encoder& encoder, const EmbeddingRequest& request) {
  EmbeddedTexts embedded;
  embedded.vectors.resize(request.tokens.size());
  embedded.columns = encoder.columns(OutputOf(request.kind));
  if (request.form.dimensions > 0)
    embedded.columns = static_cast<uint32_t>(request.form.dimensions);
  for (const EncoderInput& input : request.tokens) embedded.tokens += input.ids.size();
  return embedded;
}

std::vector<float> ToVector(std::span<const float> row, VectorForm form) {
  if (form.dimensions > 0) row = row.first(std::min<uint64_t>(form.dimensions, row.size()));
  std::vector<float> vector(row.begin(), row.end());
  if (!form.normalize) return vector;
  double squares = 0;
  for (float value : vector) squares += double{value} * value;
  auto factor = static_cast<float>(1 / std::max(std::sqrt(squares), 1e-12));
  for (float& value : vector) value *= factor;
  return vector;
}

std::vector<float> Taken(const tensor::OutputRows& rows, Kind kind, VectorForm form) {
  if (kind == Kind::kTexts) return ToVector(rows.Row(0), form);
  std::vector<float> all;
  all.reserve(rows.rows * rows.columns);
  for (uint64_t i = 0; i < rows.rows; ++i) {
    std::span<const float> row = rows.Row(i);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

// Whether the model's own vectors are of length 1.
bool Normalizes(const Model& model) {
  const SentenceModules* modules = model.sentence_modules();
  return modules != nullptr && !modules->modules.empty() &&
         modules->modules.back().kind == SentenceModule::Kind::kNormalize;
}

}  // namespace

VectorForm CheckedForm(Runner& runner, VectorForm asked) {
  if (asked.dimensions == 0) return asked;
  uint32_t most = runner.embedder().columns(OutputOf(Kind::kTexts));
  if (asked.dimensions > most) {
    throw Error(Code::kInvalidArgument,
                "`dimensions` must not be above the model's own, " + std::to_string(most));
  }
  asked.normalize |= Normalizes(runner.model());
  return asked;
}

Encoder& EncoderFor(Runner& runner, const EmbeddingRequest& request) {
  return request.kind == Kind::kTexts ? runner.embedder() : runner.encoder(Head::kNone);
}

EmbeddedTexts Compute(Encoder& encoder, const EmbeddingRequest& request,
                      const std::stop_token& left) {
  EmbeddedTexts embedded = RoomFor(encoder, request);
  auto keep = [&](size_t index, const tensor::OutputRows& rows) {
    embedded.vectors[index] = Taken(rows, request.kind, request.form);
  };
  encoder.Run(request.tokens, OutputOf(request.kind), keep, left);
  return embedded;
}

void StartComputing(Encoder& encoder, EmbeddingRequest request, std::stop_token left,
                    EmbeddingsDone done) {
  auto embedded = std::make_shared<EmbeddedTexts>(RoomFor(encoder, request));
  EncoderJob job;
  job.inputs = std::move(request.tokens);
  job.output = OutputOf(request.kind);
  job.visit = [embedded, kind = request.kind, form = request.form](size_t index,
                                                                   const tensor::OutputRows& rows) {
    embedded->vectors[index] = Taken(rows, kind, form);
  };
  job.left = std::move(left);
  job.done = [embedded, done = std::move(done)](std::exception_ptr failure) {
    done(std::move(failure), std::move(*embedded));
  };
  encoder.Start(std::move(job));
}

namespace {

// The text that a name of config_sentence_transformers.json stands for.
std::string PromptText(const Model& model, const std::string& name) {
  const SentenceModules* modules = model.modules();
  std::string wanted = name;
  if (wanted.empty() && modules != nullptr) wanted = modules->default_prompt;
  if (wanted.empty()) return "";
  const std::string* prompt = modules != nullptr ? modules->FindPrompt(wanted) : nullptr;
  if (prompt == nullptr) Refuse("this model has no prompt \"" + wanted + "\"");
  return *prompt;
}

// Tokens at the start of every text that are not pooled, as sentence-transformers counts them:
// those of the prompt alone but a special one at its end.
uint32_t UnpooledTokens(const Model& model, const std::string& prompt) {
  const SentenceModules* modules = model.sentence_modules();
  if (prompt.empty() || modules == nullptr || modules->include_prompt) return 0;
  std::vector<uint32_t> all = model.tokenizer().EncodeIds(prompt);
  std::vector<uint32_t> plain = model.tokenizer().EncodeIds(prompt, false);
  bool ends_plain =
      plain.size() <= all.size() && std::equal(plain.rbegin(), plain.rend(), all.rbegin());
  return static_cast<uint32_t>(all.size() - (ends_plain ? 0 : 1));
}

}  // namespace

EmbeddingRequest RequestFor(Runner& runner, std::span<const std::string> texts,
                            const EmbeddingOptions& options) {
  EmbeddingRequest request;
  request.form = CheckedForm(runner, options);
  const Model& model = runner.model();
  std::string prompt = PromptText(model, options.prompt_name);
  const uint32_t unpooled = UnpooledTokens(model, prompt);
  tokenizers::Truncation truncation;
  truncation.max_length = model.max_text_tokens();
  truncation.side = options.keeps_end ? tokenizers::Side::kLeft : tokenizers::Side::kRight;
  const tokenizers::Tokenizer& tokenizer = model.tokenizer();
  request.tokens.reserve(texts.size());
  for (const std::string& text : texts) {
    std::string whole = prompt + text;
    // The fast path neither cuts nor pads; a text that is too long takes the other one.
    EncoderInput input{tokenizer.EncodeIds(whole), {}, {}, options.adapter};
    input.unpooled = unpooled;
    if (input.ids.size() > truncation.max_length) {
      if (!options.truncate) RefuseLongText(input.ids.size(), truncation.max_length);
      input.ids =
          tokenizer
              .Encode(whole, {.offsets = tokenizers::OffsetUnit::kNone, .truncation = &truncation})
              .ids;
    }
    request.tokens.push_back(std::move(input));
  }
  return request;
}

EmbeddedTexts EmbedTexts(Runner& runner, std::span<const std::string> texts,
                         const EmbeddingOptions& options) {
  return Compute(runner.embedder(), RequestFor(runner, texts, options), options.left);
}

Json RunEmbedding(Runner& runner, const EmbeddingRequest& request, const std::stop_token& left) {
  return Json::Parse(request.write(Compute(EncoderFor(runner, request), request, left)));
}

double Similarity(const Model& model, std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i], aa += double{a[i]} * a[i], bb += double{b[i]} * b[i];
  }
  if (model.sentence_modules() != nullptr && model.sentence_modules()->similarity == "dot") {
    return dot;
  }
  return dot / std::max(std::sqrt(aa) * std::sqrt(bb), 1e-12);
}

Json ToJsonArray(std::span<const float> vector) {
  Json items = Json::Arr();
  for (float value : vector) items.Push(double{value});
  return items;
}

void AppendJsonArray(std::string* out, std::span<const float> vector) {
  size_t begin = out->size();
  out->resize(begin + vector.size() * (kFloatTextBytes + 1) + 2);
  char* at = out->data() + begin;
  *at++ = '[';
  for (size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) *at++ = ',';
    at = AppendFloat(at, vector[i]);
  }
  *at++ = ']';
  out->resize(static_cast<size_t>(at - out->data()));
}

void AppendJsonArrays(std::string* out, std::span<const std::vector<float>> vectors) {
  *out += '[';
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonArray(out, vectors[i]);
  }
  *out += ']';
}

void AppendJsonRows(std::string* out, std::span<const float> rows, uint32_t columns) {
  *out += '[';
  for (size_t at = 0; at < rows.size(); at += columns) {
    if (at > 0) *out += ',';
    AppendJsonArray(out, rows.subspan(at, columns));
  }
  *out += ']';
}

std::optional<std::string> EmbeddingRefusal(const Model& model) {
  if (auto refusal = NeedsTexts(model)) return refusal;
  if (model.sentence_modules() != nullptr || model.head() == Head::kNone ||
      model.head() == Head::kMaskedLm || model.head() == Head::kCausalLm) {
    return std::nullopt;
  }
  return "this model has a head for another task and gives no embeddings";
}

}  // namespace hearth::runtime
