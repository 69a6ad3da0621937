#include "hub/inspector/fit/fit.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace hearth::inspector {
namespace {

constexpr uint64_t kUsualContext = 4096;
// Where neither the configuration nor the header ends the context.
constexpr uint64_t kSearchedContext = 1u << 20;
constexpr size_t kMaxChoices = 64;

Json ReadConfig(const RepoView& view) {
  std::optional<std::string> text = view.ReadText("config.json");
  if (!text) return {};
  try {
    return Json::Parse(*text);
  } catch (const Error&) {
    return {};
  }
}

ModelShape ShapeOf(const RepoView& view, const WeightChoice& choice) {
  if (choice.set.format == "gguf")
    return ShapeFromGguf(choice.headers.metadata, choice.set.files[0]);
  Json config = ReadConfig(view);
  if (config.is_object()) return ShapeFromConfig(config);
  ModelShape shape;
  shape.missing.push_back("config.json");
  return shape;
}

// Says the vocabulary, where the header of a GGUF file does not, by the table of tokens.
void CompleteVocabulary(const WeightHeaders& headers, ModelShape* shape) {
  if (shape->vocabulary > 0) return;
  for (const TensorInfo& tensor : headers.tensors) {
    if (tensor.name == "token_embd.weight" && tensor.shape.size() == 2)
      shape->vocabulary = tensor.shape[0];
  }
}

// Counted once for all devices and contexts: a model has thousands of tensors.
class CountedWeights {
 public:
  explicit CountedWeights(const FitReport& report) {
    for (const WeightChoice& choice : report.choices) {
      std::map<EngineKind, WeightBytes>& counts = counts_.emplace_back();
      for (EngineKind engine : {EngineKind::kHearth, EngineKind::kLlamaCpp, EngineKind::kGpu})
        counts[engine] = CountWeightBytes(choice.headers, report.shape, engine);
    }
  }
  const WeightBytes& Of(size_t choice, EngineKind engine) const {
    return counts_[choice].at(engine);
  }

 private:
  std::vector<std::map<EngineKind, WeightBytes>> counts_;
};

class DeviceJudge {
 public:
  DeviceJudge(const FitReport& report, const CountedWeights& weights, const Device& device)
      : report_(report), weights_(weights), device_(device) {}

  DeviceFit Judge() {
    size_t chosen = report_.chosen;
    DeviceFit fit{.device = device_,
                  .engine = EngineFor(chosen),
                  .need = {},
                  .best_set = {},
                  .tokens_a_second = {}};
    fit.need = NeedOf(chosen, report_.context);
    fit.verdict = VerdictFor(fit.need.total());
    if (fit.verdict == FitVerdict::kNo) Split(&fit);
    fit.longest_context = LongestContext(chosen);
    fit.best_set = BestSet();
    SetSpeed(&fit);
    return fit;
  }

 private:
  EngineKind EngineFor(size_t place) const {
    return EngineOn(device_.kind, report_.choices[place].set);
  }
  MemoryNeed NeedOf(size_t choice, uint64_t context) const {
    NeedOptions options{.context = context,
                        .sequences = report_.sequences,
                        .cache = report_.cache,
                        .engine = EngineFor(choice)};
    return ComputeNeed(weights_.Of(choice, options.engine), report_.shape, options);
  }
  FitVerdict VerdictFor(uint64_t bytes) const {
    uint64_t usable = device_.usable_bytes();
    if (bytes > usable) return FitVerdict::kNo;
    return usable - bytes < bytes / 10 ? FitVerdict::kTight : FitVerdict::kFits;
  }
  // How many layers, with their part of keys and values, go on a GPU whose driver and workspace are
  // there first.
  void Split(DeviceFit* fit) const {
    const MemoryNeed& need = fit->need;
    uint64_t layers = report_.shape.layers, usable = device_.usable_bytes();
    if (device_.kind != DeviceKind::kGpu || layers == 0) return;
    uint64_t fixed = need.compute + need.overhead;
    uint64_t a_layer =
        (need.weights.resident - need.weights.embedding + need.kv + need.state) / layers;
    if (usable <= fixed || a_layer == 0) return;
    fit->layers_on_device = std::min((usable - fixed) / a_layer, layers);
    if (fit->layers_on_device > 0) fit->verdict = FitVerdict::kPartial;
  }
  uint64_t LongestContext(size_t choice) const {
    uint64_t low = 0;  // fits
    uint64_t high = report_.shape.max_context > 0 ? report_.shape.max_context : kSearchedContext;
    high = std::min(high, kMaxFitContext);
    auto fits = [&](uint64_t context) {
      return VerdictFor(NeedOf(choice, context).total()) != FitVerdict::kNo;
    };
    if (fits(high)) return high;
    while (high - low > 1) {
      uint64_t middle = low + (high - low) / 2;
      (fits(middle) ? low : high) = middle;
    }
    return low;
  }
  // With room to spare, by bytes: more bytes are more precise among sets of the same model.
  std::string BestSet() const {
    const WeightChoice* best = nullptr;
    for (size_t i = 0; i < report_.choices.size(); ++i) {
      const WeightChoice& choice = report_.choices[i];
      if (!choice.complete()) continue;
      if (VerdictFor(NeedOf(i, report_.context).total()) == FitVerdict::kNo) continue;
      if (best == nullptr || choice.headers.tensor_bytes > best->headers.tensor_bytes)
        best = &choice;
    }
    return best == nullptr ? "" : best->set.name;
  }
  void SetSpeed(DeviceFit* fit) const {
    bool runs = fit->verdict == FitVerdict::kFits || fit->verdict == FitVerdict::kTight;
    if (!runs || device_.bandwidth_gbs <= 0 || !report_.shape.decodes) return;
    double read = static_cast<double>(fit->need.weights.active) +
                  static_cast<double>(fit->need.kv + fit->need.state) /
                      static_cast<double>(report_.sequences);
    if (read > 0) fit->tokens_a_second = device_.bandwidth_gbs * 1e9 / read;
  }

  const FitReport& report_;
  const CountedWeights& weights_;
  const Device& device_;
};

void CheckRequest(const FitRequest& request) {
  if (request.context > kMaxFitContext || request.sequences == 0 ||
      request.sequences > kMaxFitSequences || request.devices.size() > kMaxFitDevices)
    throw Error(Code::kInvalidArgument, "context, sequences or devices are out of range");
}

// The context asked for, cut to what the model can do.
uint64_t ContextOf(const FitRequest& request, const ModelShape& shape) {
  uint64_t context = request.context > 0 ? request.context : kUsualContext;
  return shape.max_context > 0 ? std::min(context, shape.max_context) : context;
}

}  // namespace

std::string_view FitVerdictName(FitVerdict verdict) {
  switch (verdict) {
    case FitVerdict::kFits:
      return "fits";
    case FitVerdict::kTight:
      return "tight";
    case FitVerdict::kPartial:
      return "partial";
    case FitVerdict::kNo:
      break;
  }
  return "no";
}

EngineKind EngineOn(DeviceKind device, const WeightSet& set) {
  if (device != DeviceKind::kCpu) return EngineKind::kGpu;
  bool ours = set.format == "gguf" || set.format == "safetensors";
  return ours ? EngineKind::kHearth : EngineKind::kLlamaCpp;
}

FitReport ComputeFit(const RepoView& view, const FitRequest& request) {
  CheckRequest(request);
  FitReport report;
  report.sequences = request.sequences;
  report.cache = request.cache;
  bool found = request.file.empty();
  for (WeightSet& set : FindWeightSets(view)) {
    if (set.is_adapter || report.choices.size() == kMaxChoices) continue;
    if (set.name == request.file) found = true, report.chosen = report.choices.size();
    WeightChoice choice{.set = std::move(set), .headers = {}, .precision = {}};
    choice.headers = ReadWeightHeaders(view, choice.set);
    choice.precision = PrecisionName(choice.set, choice.headers);
    report.choices.push_back(std::move(choice));
  }
  if (!found)
    throw Error(Code::kInvalidArgument, "the repository has no weights named " + request.file);
  if (report.choices.empty()) {
    report.reason = "the repository has no weights that are read here";
    return report;
  }
  const WeightChoice& chosen = report.choices[report.chosen];
  report.shape = ShapeOf(view, chosen);
  CompleteVocabulary(chosen.headers, &report.shape);
  report.context = ContextOf(request, report.shape);
  if (!chosen.complete()) {
    report.reason = chosen.set.missing.empty() ? chosen.headers.faults.front()
                                               : chosen.set.missing.front() + " is missing";
    return report;
  }
  NeedOptions options{
      .context = report.context, .sequences = report.sequences, .cache = report.cache};
  CountedWeights weights(report);
  report.here = ComputeNeed(weights.Of(report.chosen, EngineKind::kHearth), report.shape, options);
  report.first_start =
      std::max(report.here.total(), chosen.set.file_bytes + report.here.weights.resident -
                                        report.here.weights.embedding + report.here.overhead);
  if (!report.shape.missing.empty()) {
    report.reason = "the configuration does not say " + report.shape.missing.front();
    return report;
  }
  for (const Device& device : request.devices)
    report.devices.push_back(DeviceJudge(report, weights, device).Judge());
  return report;
}

}  // namespace hearth::inspector
