#include "hub/inspector/provenance/shape_check.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "tensor/block_types.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMinCompared = 4;
// A sample that a request can pay for: some megabytes of each side.
constexpr size_t kSampledTensors = 4;
constexpr uint64_t kSampledValues = 1u << 18;
constexpr uint64_t kMinSampled = 4096;

bool IsTokenTable(std::string_view name) {
  for (std::string_view part : {"embed_tokens.", "word_embeddings.", "wte.", "token_embd.",
                                "lm_head.", "output.weight", "embed_out."})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

bool FitsButForVocabulary(const TensorInfo& base, const TensorInfo& derived) {
  return base.shape == derived.shape ||
         (IsTokenTable(base.name) && base.shape.size() == 2 && derived.shape.size() == 2 &&
          base.shape[1] == derived.shape[1]);
}

void Judge(ShapeCheck* check, const char* what) {
  std::string counts = std::to_string(check->fitting) + " of " + std::to_string(check->compared);
  if (check->compared > check->fitting) {
    check->verdict = ShapeVerdict::kRefuted;
    check->sentence = "only " + counts + " " + what + " have the base's shapes";
  } else if (check->compared >= kMinCompared) {
    check->verdict = ShapeVerdict::kAgrees;
    check->sentence = counts + " " + what + " have the base's shapes";
  } else {
    check->sentence = "too few names in common to compare shapes";
  }
}

ShapeCheck CheckAdapter(const ComparedRepo& base, const ComparedRepo& adapter) {
  ShapeCheck check;
  std::unordered_map<std::string_view, const TensorInfo*> by_name;
  for (const TensorInfo& tensor : base.headers.tensors) by_name.emplace(tensor.name, &tensor);
  for (const TensorInfo& tensor : adapter.headers.tensors) {
    std::optional<AdapterFactor> factor = FactorOf(tensor.name);
    if (!factor || tensor.shape.size() != 2) continue;
    auto found = by_name.find(factor->target);
    if (found == by_name.end() || found->second->shape.size() != 2) continue;
    ++check.compared;
    // W [out, in], A [r, in], B [out, r].
    const std::vector<uint64_t>& matrix = found->second->shape;
    bool fits = factor->is_a ? tensor.shape[1] == matrix[1] : tensor.shape[0] == matrix[0];
    check.fitting += fits ? 1 : 0;
    if (!fits && check.tensor.empty()) check.tensor = tensor.name;
  }
  Judge(&check, "factors");
  return check;
}

int BitsOf(const std::string& dtype) {
  const tensor::BlockTypeInfo* block = tensor::FindBlockType(dtype);
  if (block != nullptr) return static_cast<int>(8 * block->block_bytes / block->block_elements);
  return dtype == "F16" || dtype == "BF16" ? 16 : 32;
}

}  // namespace

std::string_view ShapeVerdictName(ShapeVerdict verdict) {
  return verdict == ShapeVerdict::kAgrees    ? "agrees"
         : verdict == ShapeVerdict::kRefuted ? "refuted"
                                             : "unknown";
}

std::optional<AdapterFactor> FactorOf(std::string_view name) {
  constexpr std::string_view kPrefix = "base_model.model.";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  for (auto [part, is_a] :
       {std::pair<std::string_view, bool>{".lora_A.", true}, {".lora_B.", false}}) {
    size_t at = name.find(part);
    if (at != std::string_view::npos)
      return AdapterFactor{std::string(name.substr(0, at)) + ".weight", is_a};
  }
  return std::nullopt;
}

ShapeCheck CheckShapes(const ComparedRepo& base, const ComparedRepo& derived) {
  if (!base.set || !derived.set) return {.sentence = "one of the two has no weights"};
  if (base.set->is_adapter) return {.sentence = "the base is an adapter"};
  if (derived.set->is_adapter) return CheckAdapter(base, derived);
  ShapeCheck check;
  for (const TensorPair& pair : PairTensors(base.side, derived.side).pairs) {
    const TensorInfo& before = base.headers.tensors[pair.from];
    const TensorInfo& after = derived.headers.tensors[pair.to];
    bool turned = pair.transform == convert::Transform::kTransposed ||
                  pair.transform == convert::Transform::kSkipPositions;
    if (turned) continue;
    // Integers that hold packed values have shapes of their own.
    if (after.dtype.starts_with('I') || after.dtype.starts_with('U')) continue;
    ++check.compared;
    bool fits = FitsButForVocabulary(before, after);
    check.fitting += fits ? 1 : 0;
    if (!fits && check.tensor.empty()) check.tensor = after.name;
  }
  Judge(&check, "tensors");
  return check;
}

std::optional<NearnessSample> SampleNearness(const ComparedRepo& base,
                                             const ComparedRepo& derived) {
  if (!base.set || !derived.set) return std::nullopt;
  TensorPairs all = PairTensors(base.side, derived.side);
  TensorPairs chosen;
  chosen.rows = all.rows;
  // Matrices spread over the model; tables, where most rows stay as they are, last of all: never.
  std::vector<TensorPair> matrices;
  for (const TensorPair& pair : all.pairs) {
    const TensorInfo& tensor = derived.headers.tensors[pair.to];
    bool matrix =
        tensor.shape.size() == 2 && tensor.elements >= kMinSampled && !IsTokenTable(tensor.name);
    bool plain = pair.transform == convert::Transform::kNone;
    if (matrix && plain && tensor.shape == base.headers.tensors[pair.from].shape)
      matrices.push_back(pair);
  }
  if (matrices.empty()) return std::nullopt;
  size_t count = std::min(kSampledTensors, matrices.size());
  for (size_t i = 0; i < count; ++i)
    chosen.pairs.push_back(matrices[(2 * i + 1) * matrices.size() / (2 * count)]);
  WeightDistance distance =
      MeasureDistance({base.view, base.side}, {derived.view, derived.side}, chosen, {},
                      {.max_values = kSampledValues, .max_tensors = kSampledTensors});
  NearnessSample sample;
  for (const TensorDistance& tensor : distance.tensors) {
    if (!tensor.skipped.empty()) continue;
    ++sample.tensors;
    sample.worst_cosine = std::min(sample.worst_cosine, tensor.cosine);
    sample.worst_relative = std::max(sample.worst_relative, tensor.relative);
    sample.quantised = sample.quantised || BitsOf(tensor.dtype) < BitsOf(tensor.from_dtype);
  }
  return sample.tensors == 0 ? std::nullopt : std::optional(sample);
}

}  // namespace hearth::inspector
