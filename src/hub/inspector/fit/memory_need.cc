#include "hub/inspector/fit/memory_need.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace hearth::inspector {
namespace {

// ggml's block types: 34 bytes for 32 values and so on.
constexpr CacheType kCacheTypes[] = {{"f32", 4},       {"f16", 2},       {"bf16", 2},
                                     {"q8_0", 1.0625}, {"q5_1", 0.75},   {"q5_0", 0.6875},
                                     {"q4_1", 0.625},  {"q4_0", 0.5625}, {"fp8", 1}};

struct EngineRow {
  EngineKind kind;
  std::string_view name;
  uint64_t base_bytes;       // program, libraries, tables of a small model
  uint64_t per_token_bytes;  // of the vocabulary: tokenizer and its index
  uint64_t step_rows;        // tokens of one step of a prompt
};
// Measured with bench/scenarios/memory_fit.py; "gpu" stands for a CUDA context and workspaces of
// the usual servers.
constexpr EngineRow kEngines[] = {
    {EngineKind::kHearth, "hearth", 19'000'000, 40, 512},
    {EngineKind::kLlamaCpp, "llama.cpp", 13'000'000, 200, 512},
    {EngineKind::kGpu, "gpu", 600'000'000, 0, 2048},
};

const EngineRow& RowOf(EngineKind kind) {
  return *std::find_if(std::begin(kEngines), std::end(kEngines),
                       [kind](const EngineRow& row) { return row.kind == kind; });
}

// Configurations are other people's: a product of their numbers may be past any memory, and stays a
// number. The largest ones still add up in 64 bits.
uint64_t Scaled(double count, double bytes) {
  constexpr double kMost = 1ull << 60;
  return static_cast<uint64_t>(std::min(std::round(count * bytes), kMost));
}
uint64_t Scaled(uint64_t count, double bytes) { return Scaled(static_cast<double>(count), bytes); }

// Tables that are looked up by token or position.
bool IsTable(std::string_view name) {
  for (std::string_view part : {"embed_tokens.", "token_embd.", "word_embeddings.", "wte.", "wpe.",
                                "position_embeddings.", "position_embd.", "embed_positions.",
                                "token_types.", "token_type_embeddings.", "tok_embeddings."})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

bool IsTokenTable(std::string_view name) {
  for (std::string_view part :
       {"embed_tokens.", "token_embd.", "word_embeddings.", "wte.", "tok_embeddings."})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

bool IsOutput(std::string_view name) {
  return name == "output.weight" || name.ends_with("lm_head.weight") ||
         name.ends_with("embed_out.weight");
}

bool IsExpert(std::string_view name) {
  return name.find(".experts.") != std::string_view::npos ||
         name.find("_exps.") != std::string_view::npos;
}

// Bytes of a value in the CPU engine's packed form, by the type in the file. What is not named is
// unpacked to fp32.
double PackedBytes(std::string_view dtype) {
  struct Row {
    std::string_view dtype;
    double bytes;
  };
  constexpr Row kRows[] = {
      {"BF16", 2},           {"Q8_0", 1.0625}, {"Q4_0", 0.5625},       {"Q4_1", 0.625},
      {"Q5_0", 0.6875},      {"Q5_1", 0.75},   {"Q4_K", 2368. / 4096}, {"Q5_K", 2880. / 4096},
      {"Q6_K", 3392. / 4096}};
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.bytes;
  return 4;
}

// llama.cpp keeps a second, interleaved copy of matrices of these types on x86.
bool IsRepacked(const TensorInfo& tensor) {
  for (std::string_view dtype : {"Q4_0", "Q4_K", "Q2_K", "IQ4_NL"})
    if (tensor.dtype == dtype) return tensor.shape.size() == 2 && tensor.shape[0] % 8 == 0;
  return false;
}

bool IsMatrix(const TensorInfo& tensor) { return tensor.shape.size() == 2; }

uint64_t HearthBytes(const TensorInfo& tensor) {
  if (!IsMatrix(tensor)) return tensor.elements * 4;  // vectors are kept as fp32
  return Scaled(tensor.elements, PackedBytes(tensor.dtype));
}

// Of one row while it passes a layer: the residual stream twice, projections, the wide middle.
uint64_t ActivationBytes(const ModelShape& shape, uint64_t rows) {
  double head_width = static_cast<double>(shape.heads) * static_cast<double>(shape.head_dim);
  double kv_width = 2.0 * static_cast<double>(shape.kv_heads) * static_cast<double>(shape.head_dim);
  double floats = 3.0 * static_cast<double>(shape.hidden) +
                  2.0 * static_cast<double>(shape.feed_forward) + 2.0 * head_width + kv_width;
  return Scaled(static_cast<double>(rows) * floats, sizeof(float));
}

// Rows that pass the layers at once: a step of prompts; of an encoder a small batch, or one long
// text, on every thread.
uint64_t RowsAtOnce(const ModelShape& shape, const NeedOptions& options, uint64_t step_rows) {
  constexpr uint64_t kEncoderRows = 256;
  uint64_t all = std::max<uint64_t>(1, options.context * options.sequences);
  if (shape.decodes || options.engine != EngineKind::kHearth) return std::min(step_rows, all);
  uint64_t threads = options.threads > 0 ? options.threads : std::thread::hardware_concurrency();
  return std::min(std::max(kEncoderRows, options.context) * std::max<uint64_t>(1, threads), all);
}

uint64_t ComputeBytes(const ModelShape& shape, const NeedOptions& options, uint64_t step_rows) {
  uint64_t rows = RowsAtOnce(shape, options, step_rows);
  uint64_t bytes = ActivationBytes(shape, rows);
  if (!shape.decodes) return bytes;
  bytes += options.sequences * shape.vocabulary * sizeof(float);
  // The mask of attention, fp16, which only this engine writes out.
  if (options.engine == EngineKind::kLlamaCpp) bytes += rows * options.context * 2;
  return bytes;
}

}  // namespace

const CacheType* FindCacheType(std::string_view name) {
  for (const CacheType& type : kCacheTypes)
    if (type.name == name) return &type;
  return nullptr;
}

std::optional<EngineKind> ParseEngine(std::string_view name) {
  for (const EngineRow& row : kEngines)
    if (row.name == name) return row.kind;
  return std::nullopt;
}

std::string_view EngineName(EngineKind engine) { return RowOf(engine).name; }

WeightBytes CountWeightBytes(const WeightHeaders& headers, const ModelShape& shape,
                             EngineKind engine) {
  WeightBytes bytes;
  bool hearth = engine == EngineKind::kHearth;
  bool has_output = std::any_of(headers.tensors.begin(), headers.tensors.end(),
                                [](const TensorInfo& tensor) { return IsOutput(tensor.name); });
  double active_share =
      shape.experts > 0 && shape.active_experts > 0
          ? static_cast<double>(shape.active_experts) / static_cast<double>(shape.experts)
          : 1;
  for (const TensorInfo& tensor : headers.tensors) {
    if (!tensor.same_as.empty()) continue;
    if (IsTable(tensor.name)) {
      bytes.embedding += tensor.bytes;
      bytes.resident += tensor.bytes;
      // A tied table is multiplied with as well: in place, or as a packed copy.
      if (!shape.decodes || has_output || !IsTokenTable(tensor.name)) continue;
      bytes.active += hearth ? HearthBytes(tensor) : tensor.bytes;
      if (hearth) bytes.resident += HearthBytes(tensor);
      continue;
    }
    uint64_t size = hearth ? HearthBytes(tensor) : tensor.bytes;
    bytes.resident += size;
    if (engine == EngineKind::kLlamaCpp && IsRepacked(tensor)) bytes.resident += size;
    bytes.active += IsExpert(tensor.name) ? Scaled(size, active_share) : size;
  }
  return bytes;
}

uint64_t KvBytes(const ModelShape& shape, const NeedOptions& options) {
  double values = 0;
  for (LayerMemory memory : shape.memory) {
    // This engine keeps the keys of all tokens for layers with a window as well.
    bool cuts =
        memory == LayerMemory::kWindow && shape.window > 0 && options.engine != EngineKind::kHearth;
    auto tokens =
        static_cast<double>(cuts ? std::min(options.context, shape.window) : options.context);
    if (memory == LayerMemory::kLatent) {
      values += tokens * static_cast<double>(shape.kv_lora_rank + shape.rope_head_dim);
    } else if (memory != LayerMemory::kState) {
      values += tokens * static_cast<double>(shape.kv_heads) *
                static_cast<double>(shape.head_dim + shape.value_dim);
    }
  }
  return Scaled(values, options.cache.bytes);
}

MemoryNeed ComputeNeed(const WeightBytes& weights, const ModelShape& shape,
                       const NeedOptions& options) {
  const EngineRow& engine = RowOf(options.engine);
  MemoryNeed need;
  need.weights = weights;
  need.kv = Scaled(KvBytes(shape, options), static_cast<double>(options.sequences));
  NeedOptions one = options;
  one.context = 1;
  need.kv_per_token = KvBytes(shape, one);
  uint64_t states = static_cast<uint64_t>(
      std::count(shape.memory.begin(), shape.memory.end(), LayerMemory::kState));
  need.state = Scaled(static_cast<double>(states) * static_cast<double>(shape.state_bytes),
                      static_cast<double>(options.sequences));
  need.compute = ComputeBytes(shape, options, engine.step_rows);
  need.overhead = engine.base_bytes + engine.per_token_bytes * shape.vocabulary;
  return need;
}

}  // namespace hearth::inspector
