// Texts as vectors; shared by feature-extraction, sentence-similarity and the embedding routes.
#pragma once

#include <exception>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {

// What is done to the model's own vectors.
struct VectorForm {
  bool normalize = false;   // to length 1, after all else
  uint64_t dimensions = 0;  // the first ones (Matryoshka); 0: all
};

struct EmbeddingOptions : VectorForm, TextLimit {
  std::string prompt_name;  // one of the model's prompts; empty: its default
  std::shared_ptr<const LoadedAdapter> adapter = nullptr;  // may be null
  std::stop_token left{};  // asked to stop: texts that wait are not computed, kUnavailable
};

struct EmbeddedTexts {
  std::vector<std::vector<float>> vectors;  // of token states: rows one after another
  uint32_t columns = 0;                     // of a row
  uint64_t tokens = 0;                      // all that were computed
};

// A computation of vectors and what its answer is made of.
struct EmbeddingRequest {
  enum class Kind : uint8_t {
    kTexts,   // one vector a text, in the form
    kTokens,  // the last states of all tokens of a text, as they are
  };
  std::vector<EncoderInput> tokens;
  VectorForm form;
  // The answer as JSON text; may throw Error. Called once, by a thread that computes, or by one
  // that waits.
  std::function<std::string(const EmbeddedTexts& embedded)> write;
  Kind kind = Kind::kTexts;
};

// Of texts; throws kUnprocessable for an unknown prompt or, unless they are cut, texts that are too
// long, and what CheckedForm throws.
EmbeddingRequest RequestFor(Runner& runner, std::span<const std::string> texts,
                            const EmbeddingOptions& options);
// The form that a model's vectors get when `asked` is: what was of length 1 stays so when it is
// cut, as every server that knows "dimensions" has it. Throws kInvalidArgument for more dimensions
// than there are.
VectorForm CheckedForm(Runner& runner, VectorForm asked);
// What computes the request; made when it is first needed.
Encoder& EncoderFor(Runner& runner, const EmbeddingRequest& request);
EmbeddedTexts Compute(Encoder& encoder, const EmbeddingRequest& request,
                      const std::stop_token& left);
// The same without waiting, as Encoder::Start: `done` gets the vectors, or why there are none.
using EmbeddingsDone = std::function<void(std::exception_ptr failure, EmbeddedTexts embedded)>;
void StartComputing(Encoder& encoder, EmbeddingRequest request, std::stop_token left,
                    EmbeddingsDone done);
// Computes it at once and reads its answer.
Json RunEmbedding(Runner& runner, const EmbeddingRequest& request, const std::stop_token& left);
// The vectors alone; throws what RequestFor throws.
EmbeddedTexts EmbedTexts(Runner& runner, std::span<const std::string> texts,
                         const EmbeddingOptions& options);

// "normalize", "dimensions", "prompt_name", "truncate", "truncation_direction", "adapter_id".
EmbeddingOptions ReadEmbeddingOptions(Runner& runner, const Json& parameters);
// "dimensions"; 0 without.
uint64_t ReadDimensions(const Json& parameters);
// By what the model was trained for: cosine, or the inner product.
double Similarity(const Model& model, std::span<const float> a, std::span<const float> b);
Json ToJsonArray(std::span<const float> vector);
// Appends the same list as JSON text, each number in the shortest form that reads back as the same
// fp32 value: half as long as a Json of doubles, and made without one. What is not finite is null.
void AppendJsonArray(std::string* out, std::span<const float> vector);
// A list of such lists.
void AppendJsonArrays(std::string* out, std::span<const std::vector<float>> vectors);
// The same of rows that lie one after another.
void AppendJsonRows(std::string* out, std::span<const float> rows, uint32_t columns);
// nullopt where the model can embed.
std::optional<std::string> EmbeddingRefusal(const Model& model);

}  // namespace hearth::runtime
