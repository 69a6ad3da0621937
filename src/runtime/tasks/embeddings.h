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

struct EmbeddingOptions : VectorForm {
  std::string prompt_name;  // one of the model's prompts; empty: its default
  bool truncate = true;     // false: a text that is too long is refused
  bool keeps_end = false;   // truncation cuts off the beginning
  std::shared_ptr<const LoadedAdapter> adapter = nullptr;  // may be null
  std::stop_token left{};  // asked to stop: texts that wait are not computed, kUnavailable
};

struct EmbeddedTexts {
  std::vector<std::vector<float>> vectors;
  uint64_t tokens = 0;  // all that were computed
};

// Throws kUnprocessable for an unknown prompt or, unless they are cut, texts that are too long;
// kInvalidArgument for more dimensions than there are.
EmbeddedTexts EmbedTexts(Runner& runner, std::span<const std::string> texts,
                         const EmbeddingOptions& options);
// The tokens that EmbedTexts computes; throws the same.
std::vector<EncoderInput> TokensToEmbed(Runner& runner, std::span<const std::string> texts,
                                        const EmbeddingOptions& options);
// The same for tokens that a caller made.
EmbeddedTexts EmbedTokens(Runner& runner, std::span<const EncoderInput> inputs, VectorForm form,
                          const std::stop_token& left = {});
// The same without waiting, as Encoder::Start: `done` gets the vectors, or why there are none.
using EmbeddingsDone = std::function<void(std::exception_ptr failure, EmbeddedTexts embedded)>;
void StartEmbedding(Encoder& embedder, std::vector<EncoderInput> inputs, VectorForm form,
                    std::stop_token left, EmbeddingsDone done);
// A computation of vectors and what its answer is made of.
struct EmbeddingRequest {
  std::vector<EncoderInput> tokens;
  VectorForm form;
  // The answer as JSON text; may throw Error. Called once, by a thread that computes, or by one
  // that waits.
  std::function<std::string(const EmbeddedTexts& embedded)> write;
};
// Computes it at once.
Json RunEmbedding(Runner& runner, const EmbeddingRequest& request, const std::stop_token& left);

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
// nullopt where the model can embed.
std::optional<std::string> EmbeddingRefusal(const Model& model);

}  // namespace hearth::runtime
