// Model architectures: one file per family in archs/, one line in archs.inc.
//
// A file says which `model_type`s it runs, what the scheduler must know of a model (ModelShape),
// and how a forward pass is made of operations (tensor/ops.h). Tensors are asked for by their names
// in Hugging Face checkpoints, without the family's prefix ("bert.", "model."): the loader brings
// GGUF tensors to the same names (formats/convert holds the table of both). Pure and thread-safe.
// Errors: kInvalidArgument when a tensor is missing or of another shape than the configuration
// says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model_config.h"
#include "runtime/preprocess/patch_grid.h"
#include "tensor/ops.h"

namespace hearth::runtime {

// What is computed after the last layer; named as the classes of transformers are.
enum class Head : uint8_t {
  kNone,                    // output "hidden": [tokens, hidden]
  kStates,                  // no output: the caller goes on with what forward returns
  kCausalLm,                // output "logits": [outputs, vocabulary]
  kMaskedLm,                // the same
  kSequenceClassification,  // output "logits": [segments, labels]; of pictures and sounds too
  kTokenClassification,     // output "logits": [tokens, labels]
  kQuestionAnswering,       // output "logits": [tokens, 2]: start and end
};

// By the ending of the first of "architectures"; kNone without one. "BertModel" is kNone.
Head HeadOf(const ModelConfig& config);

// What is behind the tokens of a model.
enum class ModelInput : uint8_t {
  kText,   // ids of a vocabulary
  kImage,  // patches of pictures: ModelShape::patches
  kSound,  // patches of spectrograms
};

struct ModelShape {
  ModelInput input = ModelInput::kText;

  uint32_t vocabulary = 0;
  uint32_t hidden = 0;
  uint32_t layers = 0;
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;
  uint32_t max_tokens = 0;  // of one sequence
  bool is_decoder = false;  // causal, with keys and values worth keeping
  PatchGrid patches;        // of inputs that are no text
};

// What a forward pass is made of.
class ModelContext {
 public:
  ModelContext(const ModelConfig& config, const tensor::WeightSet& weights, std::string prefix,
               Head head)
      : config_(config), weights_(weights), prefix_(std::move(prefix)), head_(head) {}

  const ModelConfig& config() const { return config_; }
  Head head() const { return head_; }
  // With the family's prefix or without ("transformer." too, which question answering models use
  // in every decoder family). Throws kInvalidArgument when none is there.
  tensor::Weight Need(std::string_view name) const;
  tensor::Weight Maybe(std::string_view name) const;
  // "<name>.weight" and "<name>.bias" (which may be absent).
  tensor::Value Linear(tensor::Builder& builder, tensor::Value x, const std::string& name) const;
  const tensor::WeightSet& weights() const { return weights_; }

 private:
  const ModelConfig& config_;
  const tensor::WeightSet& weights_;
  std::string prefix_;
  Head head_;
};

struct Architecture {
  std::string_view model_type;
  std::string_view prefix;  // of the checkpoint's tensors when it has a head: "bert."
  ModelShape (*shape)(const ModelConfig& config);
  // Returns the states of the tokens after the last layer and norm, from which outputs are made.
  tensor::Value (*forward)(const ModelContext& context, tensor::Builder& builder);
  // Adds weights that are made of the checkpoint's, once they are all there; mostly nothing.
  void (*derive)(const ModelConfig& config, std::string_view prefix,
                 tensor::WeightSet* weights) = nullptr;
};

std::vector<const Architecture*> Architectures();
// nullptr when no file has the type.
const Architecture* FindArchitecture(std::string_view model_type);
// Of the configuration's model_type; throws kUnimplemented when no file has it.
const Architecture& ArchitectureOf(const ModelConfig& config);

#define HEARTH_ARCH(Name) std::span<const Architecture> Name##Family();
#include "runtime/archs/archs.inc"
#undef HEARTH_ARCH

}  // namespace hearth::runtime
