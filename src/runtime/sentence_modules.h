// What sentence-transformers does with the states of a model: modules.json and the folders that it
// names.
//
// The modules after the transformer (pooling, dense layers, norms) are appended to a forward pass
// as operations, so that one run gives the embeddings. Prompts and length limits are for whoever
// makes the tokens. Formats:
// https://sbert.net/docs/package_reference/sentence_transformer/models.html (as versions 2 to 6
// write them). Plain data; loading is not thread-safe, the rest is. Errors: kInvalidArgument for
// files that are none, kUnimplemented for a module, activation or setting that this does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint.h"
#include "tensor/ops.h"

namespace hearth::runtime {

struct SentenceModule {
  enum class Kind : uint8_t { kPooling, kDense, kLayerNorm, kNormalize };
  Kind kind = Kind::kNormalize;
  std::vector<tensor::Pooling> poolings = {};  // of kPooling: results side by side
  std::string folder = {};  // of kDense and kLayerNorm: before its weights' names
  tensor::Activation activation = tensor::Activation::kNone;
  bool residual = false;  // of kDense: the input is added to what it gives
};

// SPLADE: of every word of the vocabulary log(1 + max(0, logit)), over all tokens of a text the
// largest or the sum (https://arxiv.org/abs/2109.10086).
struct SparsePooling {
  bool sums = false;
  bool twice = false;  // the logarithm of 1 + once more (https://arxiv.org/abs/2504.14839)
};

struct SentenceModules {
  std::vector<SentenceModule> modules;  // after the transformer, in order
  std::optional<SparsePooling> sparse;  // in place of them, of a model of sparse vectors
  // Of a text, special tokens included; absent: what the model can have.
  std::optional<uint32_t> max_tokens;
  bool lower_case = false;
  // False: the tokens of a prompt are seen by the model but not pooled.
  bool include_prompt = true;
  std::vector<std::pair<std::string, std::string>> prompts;  // name, text before the input
  std::string default_prompt;                                // a name; empty: none
  std::string similarity = "cosine";                         // "dot", "euclidean", "manhattan"

  const std::string* FindPrompt(std::string_view name) const;
};

// Of a model that says nothing: the mean of all tokens.
SentenceModules MeanPooling();
// Reads modules.json and what it names in the checkpoint's folder (of a GGUF file its pooling key)
// and adds the weights of dense layers to the checkpoint. Absent without them.
std::optional<SentenceModules> LoadSentenceModules(Checkpoint* checkpoint);

// The embedding of every segment: [segments, size]. `states` is what a model's forward gave.
tensor::Value AppendSentenceModules(const SentenceModules& modules,
                                    const tensor::WeightSet& weights, tensor::Builder& builder,
                                    tensor::Value states);

}  // namespace hearth::runtime
