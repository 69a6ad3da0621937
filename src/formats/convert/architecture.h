// How the tensors and the configuration of a model family are called in Hugging Face checkpoints
// and in GGUF: one file per family with its tables, one line in archs.inc.
//
// GGUF names and keys are those of llama.cpp, so that its programs read the files; for model types
// that it does not know (OPT, MPNet) they follow the same pattern. Pure and thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/convert/keys.h"

namespace hearth::convert {

// What happens to the values on the way to GGUF; undone on the way back.
enum class Transform {
  kNone,
  kRotaryQ,        // rows of each query head: halves (0..d/2, d/2..d) interleaved to pairs
  kRotaryK,        // the same for the key heads
  kTransposed,     // stored as [in, out]
  kPlusOne,        // the norm multiplies by 1 + weight
  kFusedHeads,     // rows [head][q, k, v] to [q, k, v][head]
  kSkipPositions,  // the first rows of the position table belong to no position
};

struct TensorRule {
  // Names, "#" for the layer's number. A leading "!" : outside the model's prefix.
  std::string_view hf;
  std::string_view gguf;
  Transform transform = Transform::kNone;
};

struct Architecture {
  std::string_view model_type;  // config.json
  std::string_view gguf;        // general.architecture
  std::string_view prefix;      // of the tensors in a checkpoint with a head: "bert."
  std::span<const TensorRule> rules;
  // Beginnings of names that have no place in GGUF: heads, buffers.
  std::span<const std::string_view> dropped;
  // Adds the family's keys to those that all have (see AddCommonKeys).
  void (*add_keys)(KeyWriter& keys);
};

// All, by model type; for a GGUF name that several share, the first stands for them.
std::vector<const Architecture*> Architectures();
const Architecture* FindByModelType(std::string_view model_type);
const Architecture* FindByGguf(std::string_view architecture);

// A name of a checkpoint under an architecture's rules.
struct Named {
  const TensorRule* rule = nullptr;  // nullptr: dropped
  std::optional<uint64_t> layer;
  bool had_prefix = false;
};
// Throws kUnimplemented for a name without a rule.
Named NameInCheckpoint(const Architecture& architecture, std::string_view name);
// "blk.#.attn_q.weight" with the layer's number.
std::string WithLayer(std::string_view pattern, std::optional<uint64_t> layer);
// The rule of a GGUF name; a null rule where the tensor is made up by converters (rope_freqs).
Named NameInGguf(const Architecture& architecture, std::string_view name);

#define HEARTH_ARCH(Name) std::span<const Architecture> Name##Architectures();
#include "formats/convert/archs.inc"
#undef HEARTH_ARCH

}  // namespace hearth::convert
