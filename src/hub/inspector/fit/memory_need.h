// How much memory a model needs, part by part:
//   need = weights + kv + state + compute + overhead.
//
// Weights are the exact bytes of the headers, in the form that the engine keeps them in. kv and
// state follow from how each layer remembers (ModelShape), compute and overhead from tables that
// were measured (docs/inspector.md names the machine and the error). Pure; sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/inspector/fit/model_shape.h"
#include "hub/inspector/weights/weight_sets.h"

namespace hearth::inspector {

// How keys and values are stored: bytes a value.
struct CacheType {
  std::string_view name;  // "f16"
  double bytes;
};
// nullptr for an unknown name. f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, fp8.
const CacheType* FindCacheType(std::string_view name);

// Who runs the model. Keeps weights in a form of its own, or as the file has them.
enum class EngineKind { kHearth, kLlamaCpp, kGpu };
std::optional<EngineKind> ParseEngine(std::string_view name);  // "hearth", "llama.cpp", "gpu"
std::string_view EngineName(EngineKind engine);

struct NeedOptions {
  uint64_t context = 4096;  // tokens a sequence
  uint64_t sequences = 1;
  CacheType cache = {"f16", 2};
  EngineKind engine = EngineKind::kHearth;
  // That compute: this engine's encoders have working memory each. 0 = one per core of this
  // machine.
  unsigned threads = 0;
};

// Of the tensors of a set: what lies in memory, and what is read for one token.
struct WeightBytes {
  uint64_t resident = 0;
  uint64_t active = 0;     // without idle experts and rows that are only looked up
  uint64_t embedding = 0;  // of resident: tables that are looked up, not multiplied
};
WeightBytes CountWeightBytes(const WeightHeaders& headers, const ModelShape& shape,
                             EngineKind engine);

struct MemoryNeed {
  WeightBytes weights;
  uint64_t kv = 0;
  uint64_t state = 0;
  uint64_t compute = 0;
  uint64_t overhead = 0;
  uint64_t kv_per_token = 0;  // of one sequence, layers without a window only

  uint64_t total() const { return weights.resident + kv + state + compute + overhead; }
};
// Of one sequence of `context` tokens, windows and states included.
uint64_t KvBytes(const ModelShape& shape, const NeedOptions& options);
// `weights` as CountWeightBytes counts them for the same engine.
MemoryNeed ComputeNeed(const WeightBytes& weights, const ModelShape& shape,
                       const NeedOptions& options);

}  // namespace hearth::inspector
