// What decides how much memory a model takes beside its weights: read from config.json or from the
// metadata of a GGUF file. Pure; a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"

namespace hearth::inspector {

// How a layer remembers former tokens.
enum class LayerMemory {
  kFull,    // keys and values of all tokens
  kWindow,  // of the last `window` ones
  kLatent,  // multi-head latent attention: one compressed row for keys and values
  kState,   // a state of constant size (Mamba, linear attention)
};

struct ModelShape {
  std::string architecture;  // "llama"
  uint64_t layers = 0;
  uint64_t hidden = 0;
  uint64_t feed_forward = 0;
  uint64_t heads = 0;
  uint64_t kv_heads = 0;
  uint64_t head_dim = 0;
  uint64_t value_dim = 0;  // of a head's values; head_dim in most models
  uint64_t vocabulary = 0;
  uint64_t max_context = 0;              // 0 = not said
  uint64_t window = 0;                   // of kWindow layers, tokens
  std::vector<LayerMemory> memory = {};  // one per layer; empty for encoders
  bool decodes = true;                   // false: an encoder, which keeps nothing between tokens
  // Multi-head latent attention.
  uint64_t kv_lora_rank = 0;
  uint64_t rope_head_dim = 0;
  // Bytes that one kState layer keeps per sequence.
  uint64_t state_bytes = 0;
  // Mixture of experts; 0 = none.
  uint64_t experts = 0;
  uint64_t active_experts = 0;

  // Where each number stands: field -> finding, for the answer.
  std::vector<std::pair<std::string, Finding>> findings = {};
  // Numbers without which memory cannot be told; empty = all are there.
  std::vector<std::string> missing = {};
};

// Parts for several towers ("text_config") are looked into. `file` is named in the evidence.
ModelShape ShapeFromConfig(const Json& config, const std::string& file = "config.json");
// Pairs as TensorFile::metadata gives them.
ModelShape ShapeFromGguf(const std::vector<std::pair<std::string, std::string>>& metadata,
                         const std::string& file);

}  // namespace hearth::inspector
