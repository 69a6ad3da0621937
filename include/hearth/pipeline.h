// Hearth as a library: a model by its folder, file or id, asked by calls.
//
//   #include <hearth/pipeline.h>
//
//   auto pipe = hearth::Pipeline::Load("owner/name", "text-generation");
//   std::cout << pipe("Once upon a time").text() << "\n";
//
// Thread rule: a Pipeline may be used from any number of threads at once; text of several threads
// is generated together, which costs little more than that of one. Callbacks are called on the
// thread that called, may take their time and may throw. Moving or destroying a Pipeline while it
// is in use is not allowed. Results are plain values that own what they hold.
//
// Faults are thrown as hearth::Error; code() says of which kind:
//   kNotFound            no such folder, file, repository or cached model, or no tokenizer in it
//   kUnprocessable       the model cannot do the task, or the input or a setting cannot be
//   kInvalidArgument     a damaged file, an unknown task, executor, precision or setting
//   kUnimplemented       a kind of model or file that does not run here
//   kUnauthenticated, kForbidden, kUnavailable, kTimeout, kInsufficientStorage: fetching by id
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace hearth {

struct PipelineOptions {
  // What computes: "cpu", "reference" (slow, to compare with) or "torch" (libtorch, when its plugin
  // is installed; docs/inference.md).
  std::string executor = "cpu";
  // What weights are computed with: "native" (as the file holds them), "fp32", "bf16", "int8",
  // "int4".
  std::string precision = "native";
  int threads = 0;                    // 0: one per core
  uint64_t cache_bytes = 1ull << 30;  // for keys and values of generated text, at most
  // While a model is fetched by its id: the file, bytes that are there of all, all bytes.
  std::function<void(const std::string& file, uint64_t done, uint64_t total)> on_download;
  // What a person may want to know: that the cache stands in for a hub that is down, for example.
  std::function<void(const std::string& note)> on_note;
};

// Hears text as it is made; false ends the generation, and what there is becomes the result.
using TextCallback = std::function<bool(std::string_view piece)>;

// Settings that are absent are the model's own (generation_config.json).
struct GenerationOptions {
  uint32_t max_new_tokens = 100;
  std::optional<bool> sample;                // absent: when one of the next three is given
  std::optional<double> temperature;         // above 0
  std::optional<double> top_p;               // in (0, 1]
  std::optional<uint32_t> top_k;             // above 0
  std::optional<double> repetition_penalty;  // above 0; 1 changes nothing
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;  // strings that end the text; they stay out of it
  std::string json_schema;        // the text is JSON of this schema; empty: any text
  TextCallback on_text;           // empty: nobody listens. Not for batches
};

enum class Finish : uint8_t {
  kEnd,        // the model ended it
  kStop,       // a stop string, or the end of what the schema allows
  kLength,     // no more tokens were wanted or possible
  kCancelled,  // the callback said so
};

struct GeneratedText {
  std::string text;  // what came after the prompt
  Finish finish = Finish::kEnd;
  uint32_t prompt_tokens = 0;
  uint32_t generated_tokens = 0;
};

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

struct LabelScore {
  std::string label;
  double score = 0;
};

// A part of a text; begin and end count characters (code points), end is past the last.
struct FoundText {
  std::string label;  // empty for the answer to a question
  std::string text;
  double score = 0;
  size_t begin = 0, end = 0;
};

struct FilledMask {
  std::string token;     // that fits the gap
  std::string sequence;  // the text with it
  double score = 0;
};

// One vector a text, row after row.
class Embeddings {
 public:
  Embeddings() = default;
  Embeddings(std::vector<float> values, size_t columns)
      : values_(std::move(values)), columns_(columns) {}
  size_t rows() const { return columns_ == 0 ? 0 : values_.size() / columns_; }
  size_t columns() const { return columns_; }
  std::span<const float> Row(size_t row) const {
    return std::span(values_).subspan(row * columns_, columns_);
  }
  const std::vector<float>& values() const { return values_; }
  // The cosine of two rows; 0 when one of them is all zeros.
  double Cosine(size_t a, size_t b) const;

 private:
  std::vector<float> values_;
  size_t columns_ = 0;
};

// What a task answered to one text. The accessors throw kUnprocessable when it is of another kind.
class Answer {
 public:
  using Value = std::variant<GeneratedText, std::vector<LabelScore>, std::vector<FoundText>,
                             std::vector<FilledMask>, Embeddings>;
  explicit Answer(Value value) : value_(std::move(value)) {}

  const Value& value() const { return value_; }
  const std::string& text() const { return generated().text; }
  const GeneratedText& generated() const;
  const std::vector<LabelScore>& labels() const;  // the best first
  const std::vector<FoundText>& spans() const;
  const std::vector<FilledMask>& masks() const;  // the best first
  const Embeddings& embeddings() const;          // one row

 private:
  Value value_;
};

class Pipeline {
 public:
  // `model`: a folder, a .gguf file, or owner/name[@revision][:file.gguf] on the hub of HF_ENDPOINT
  // (docs/inference.md). `task`: "text-generation", "text-classification", ...; empty: what the
  // model is for.
  static Pipeline Load(const std::string& model, const std::string& task = "",
                       const PipelineOptions& options = {});
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;
  ~Pipeline();

  const std::string& task() const;
  // The pipeline's task: text-generation, text-classification, token-classification, fill-mask or
  // feature-extraction. Tasks of several inputs have calls of their own below.
  Answer operator()(const std::string& text) const;
  std::vector<Answer> operator()(std::span<const std::string> texts) const;

  GeneratedText Generate(const std::string& prompt, const GenerationOptions& options = {}) const;
  // All prompts at once; results in their order.
  std::vector<GeneratedText> Generate(std::span<const std::string> prompts,
                                      const GenerationOptions& options = {}) const;
  // The next message of a conversation, by the model's chat template.
  GeneratedText Chat(std::span<const Message> messages,
                     const GenerationOptions& options = {}) const;
  // `prompt_name`: one of the model's prompts (sentence-transformers); empty: its default.
  Embeddings Embed(std::span<const std::string> texts, const std::string& prompt_name = "") const;
  // All labels of each text.
  std::vector<std::vector<LabelScore>> Classify(std::span<const std::string> texts) const;
  // Labels that the model was not trained for (an NLI model).
  std::vector<LabelScore> Classify(const std::string& text,
                                   std::span<const std::string> labels) const;
  std::vector<FoundText> FindEntities(const std::string& text) const;
  std::vector<FilledMask> FillMask(const std::string& text) const;
  FoundText FindAnswer(const std::string& question, const std::string& context) const;

  // Tokens of a text, special tokens among them.
  std::vector<uint32_t> Tokens(const std::string& text) const;

 private:
  struct State;
  explicit Pipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The text, the labels with scores or the spans, a line each; of embeddings their size.
std::ostream& operator<<(std::ostream& out, const Answer& answer);

}  // namespace hearth
