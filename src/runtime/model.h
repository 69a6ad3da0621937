// A model ready to run: weights, configuration, tokenizer, chat template, and the programs that
// compute its heads.
//
// Load reads headers and maps the weights; a program (tensor/executor.h) is compiled when first
// asked for, or its packed weights are taken from LoadOptions::cache_folder. Thread rule: const use
// from any number of threads. Errors: those of LoadCheckpoint and Tokenizer; kUnimplemented, naming
// it, for a model_type that no file in archs/ runs.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/cpu.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint.h"
#include "runtime/generation/generation_config.h"
#include "runtime/preprocess/image_preprocessing.h"
#include "runtime/preprocess/sound_preprocessing.h"
#include "runtime/sentence_modules.h"
#include "tensor/executors.h"
#include "text/chat_template.h"
#include "tokenizers/tokenizer.h"

namespace hearth::runtime {

struct LoadOptions {
  // kNative keeps what the file holds: quantised blocks as they are, 16-bit floats as bf16 or fp32.
  tensor::Precision precision = tensor::Precision::kNative;
  Tier tier = CpuTier();
  int threads = 0;  // that pack weights; 0: one per core
  // Where packed weights (packed/) and compiled tokenizers (tokenizers/) are kept for later starts
  // and other processes; empty: nowhere. May be emptied at any time; its files must not be changed
  // in place.
  std::filesystem::path cache_folder;
  uint64_t max_cache_bytes = uint64_t{32} << 30;  // of packed weights
  // Younger files are not kept: they may yet change within one tick of the file system's clock.
  std::chrono::nanoseconds settled = std::chrono::milliseconds(100);
  // What computes: one of tensor::ExecutorNames().
  std::string executor = std::string(tensor::kCpuExecutor);
};

// "fp32", "bf16", "int8", "int4", "native"; throws kInvalidArgument.
tensor::Precision ParsePrecision(std::string_view name);
std::string_view PrecisionName(tensor::Precision precision);

class Model {
 public:
  static std::shared_ptr<const Model> Load(const std::filesystem::path& path,
                                           const LoadOptions& options = {});

  const ModelConfig& config() const { return checkpoint_.config; }
  const ModelShape& shape() const { return shape_; }
  Head head() const { return head_; }
  const std::filesystem::path& folder() const { return checkpoint_.folder; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const LoadOptions& options() const { return options_; }
  uint64_t weight_bytes() const { return checkpoint_.weights.bytes(); }

  // Neither truncates nor pads. Throws kNotFound when the model has no tokenizer.
  const tokenizers::Tokenizer& tokenizer() const;
  bool has_tokenizer() const { return tokenizer_.has_value(); }
  // Whether tokens inside of words are marked ("##"), as WordPiece's are.
  bool marks_word_parts() const { return marks_word_parts_; }
  // generation_config.json over the old fields of config.json.
  const GenerationConfig& generation_config() const { return generation_config_; }
  bool has_chat_template() const { return !chat_template_.is_null(); }
  // The prompt of a conversation; special tokens are in the text. Adds bos_token and the like to
  // the input's variables. Throws kUnprocessable when the model has no template.
  std::string RenderChat(ChatInput input, std::string_view template_name = "") const;
  // The template that RenderChat would take; throws like it.
  std::string ChatTemplateText(std::string_view template_name, bool has_tools) const;
  // "id2label" of config.json; "LABEL_<i>" where it says nothing.
  std::string Label(uint32_t index) const;

  // How pictures and sounds become a model's inputs; nullptr for models of texts, and without a
  // preprocessor_config.json.
  const ImagePreprocessing* image_preprocessing() const { return image_ ? &*image_ : nullptr; }
  const SoundPreprocessing* sound_preprocessing() const { return sound_ ? &*sound_ : nullptr; }

  // What turns the states of a text into one vector; nullptr for a model that says nothing of it.
  const SentenceModules* sentence_modules() const {
    return modules_ && !modules_->sparse ? &*modules_ : nullptr;
  }
  // How texts are prepared and, where that is said, what makes sparse vectors; may be nullptr.
  const SentenceModules* modules() const { return modules_ ? &*modules_ : nullptr; }
  // Output "embedding": [segments, size], by the modules or, without any, the mean of the tokens.
  std::shared_ptr<const tensor::Program> EmbeddingProgram() const;
  // Tokens of a text that is embedded or classified; longer ones are cut or refused.
  uint32_t max_text_tokens() const;

  // Compiled once per head and shared. `progress` of the packing is not reported yet.
  std::shared_ptr<const tensor::Program> Program(Head head) const;
  // Records one forward pass with any builder: the reference executor, a recorder.
  tensor::Value Forward(Head head, tensor::Builder& builder) const;
  const tensor::WeightSet& weights() const { return checkpoint_.weights; }

 private:
  Model(Checkpoint checkpoint, const LoadOptions& options);
  void LoadTexts();
  void LoadPreprocessing();
  void LoadTokenizerFile();
  std::shared_ptr<const tensor::Program> Compile(tensor::Graph graph) const;

  Checkpoint checkpoint_;
  LoadOptions options_;
  std::shared_ptr<const tensor::PackedStore> store_;  // null without a cache folder
  const Architecture* architecture_ = nullptr;
  ModelShape shape_;
  Head head_;
  std::optional<SentenceModules> modules_;
  std::optional<ImagePreprocessing> image_;
  std::optional<SoundPreprocessing> sound_;
  std::optional<tokenizers::Tokenizer> tokenizer_;
  bool marks_word_parts_ = false;
  GenerationConfig generation_config_;
  Json chat_template_;               // a string, named ones, or null
  Json::Object template_variables_;  // bos_token, eos_token, ...
  mutable std::mutex programs_mutex_;
  mutable std::map<Head, std::shared_ptr<const tensor::Program>> programs_;
  mutable std::shared_ptr<const tensor::Program> embedding_program_;  // under programs_mutex_
};

}  // namespace hearth::runtime
