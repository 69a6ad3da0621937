#include "hub/inspector/provenance/adapter_strength.h"

#include <cmath>
#include <map>

#include "base/error.h"
#include "hub/inspector/provenance/declared.h"
#include "hub/inspector/provenance/shape_check.h"

namespace hearth::inspector {
namespace {

constexpr uint64_t kMaxRank = 1024;
constexpr uint64_t kPieceValues = 64u << 10;
constexpr uint64_t kMaxFactorValues = 64u << 20;

struct Factors {
  size_t a = SIZE_MAX, b = SIZE_MAX;
};

// Opens a file a tensor: adapters are small, and bases are read one matrix at a time.
struct OpenTensor {
  std::unique_ptr<TensorFile> file;
  size_t place = 0;

  OpenTensor(const ComparedRepo& repo, size_t tensor) {
    size_t owner = repo.headers.file_of[tensor];
    const std::string& path = repo.set->files[owner];
    file = OpenTensorFile(repo.view->Open(path), path);
    for (size_t i = 0; i < tensor; ++i) place += repo.headers.file_of[i] == owner ? 1 : 0;
    if (place >= file->tensors().size() || !file->HasValues(place))
      throw Error(Code::kInvalidArgument, "its values are not read");
  }
};

std::vector<float> ReadAll(const ComparedRepo& repo, size_t tensor) {
  const TensorInfo& info = repo.headers.tensors[tensor];
  if (info.elements > kMaxFactorValues)
    throw Error(Code::kTooLarge, "a factor of an adapter is too large");
  OpenTensor open(repo, tensor);
  std::vector<float> values(info.elements);
  ReadValues(*open.file, open.place, 0, values);
  return values;
}

double SquaredNorm(const ComparedRepo& repo, size_t tensor, const ScanHooks& hooks) {
  const TensorInfo& info = repo.headers.tensors[tensor];
  OpenTensor open(repo, tensor);
  std::vector<float> piece;
  double sum = 0;
  for (uint64_t at = 0; at < info.elements; at += kPieceValues) {
    if (hooks.stop != nullptr && hooks.stop->load())
      throw Error(Code::kUnavailable, "The comparison was stopped.");
    piece.resize(std::min(kPieceValues, info.elements - at));
    ReadValues(*open.file, open.place, at, piece);
    for (float value : piece) sum += static_cast<double>(value) * value;
    if (hooks.progress) hooks.progress(piece.size());
  }
  return sum;
}

// |BA|^2 = sum over (A A^T) * (B^T B): two rank x rank products.
double ProductSquaredNorm(const std::vector<float>& a, const std::vector<float>& b, uint64_t rank) {
  uint64_t in = a.size() / rank, out = b.size() / rank;
  double sum = 0;
  for (uint64_t i = 0; i < rank; ++i) {
    for (uint64_t j = 0; j < rank; ++j) {
      double aa = 0, bb = 0;
      for (uint64_t k = 0; k < in; ++k) aa += static_cast<double>(a[i * in + k]) * a[j * in + k];
      for (uint64_t k = 0; k < out; ++k)
        bb += static_cast<double>(b[k * rank + i]) * b[k * rank + j];
      sum += aa * bb;
    }
  }
  return std::max(0.0, sum);
}

double ScaleOf(const RepoView& view, uint64_t rank) {
  Json config = ReadJsonFile(view, "adapter_config.json");
  const Json *alpha = config.Find("lora_alpha"), *rslora = config.Find("use_rslora");
  double value = alpha == nullptr ? static_cast<double>(rank) : alpha->AsDouble().value_or(1);
  bool root = rslora != nullptr && rslora->AsBool().value_or(false);
  double r = static_cast<double>(rank);
  return value / (root ? std::sqrt(r) : r);
}

}  // namespace

std::vector<AdapterStrength> MeasureAdapter(const ComparedRepo& base, const ComparedRepo& adapter,
                                            const ScanHooks& hooks) {
  std::vector<AdapterStrength> strengths;
  if (!base.set || !adapter.set || base.set->is_adapter) return strengths;
  std::map<std::string, Factors> factors;
  std::vector<std::string> order;
  for (size_t i = 0; i < adapter.headers.tensors.size(); ++i) {
    std::optional<AdapterFactor> factor = FactorOf(adapter.headers.tensors[i].name);
    if (!factor) continue;
    auto [found, fresh] = factors.try_emplace(factor->target);
    if (fresh) order.push_back(factor->target);
    (factor->is_a ? found->second.a : found->second.b) = i;
  }
  for (const std::string& target : order) {
    const Factors& pair = factors[target];
    const TensorInfo* matrix = base.headers.Find(target);
    if (matrix == nullptr || pair.a == SIZE_MAX || pair.b == SIZE_MAX) continue;
    const TensorInfo& a = adapter.headers.tensors[pair.a];
    const TensorInfo& b = adapter.headers.tensors[pair.b];
    if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] != b.shape[1]) continue;
    uint64_t rank = a.shape[0];
    if (rank == 0 || rank > kMaxRank) continue;
    double product = ProductSquaredNorm(ReadAll(adapter, pair.a), ReadAll(adapter, pair.b), rank);
    auto place = static_cast<size_t>(matrix - base.headers.tensors.data());
    double norm = SquaredNorm(base, place, hooks);
    double scale = ScaleOf(*adapter.view, rank);
    strengths.push_back({target, rank, norm > 0 ? scale * std::sqrt(product / norm) : 0});
  }
  return strengths;
}

Json ToJson(const std::vector<AdapterStrength>& strengths) {
  Json rows = Json::Arr();
  for (const AdapterStrength& strength : strengths) {
    rows.Push(Json::Obj(
        {{"target", strength.target}, {"rank", strength.rank}, {"relative", strength.relative}}));
  }
  return rows;
}

}  // namespace hearth::inspector
