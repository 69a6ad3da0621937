#include "hub/inspector/fit/smallest_need.h"

#include <algorithm>

#include "hub/inspector/fit/fit.h"

namespace hearth::inspector {

SmallestNeed FindSmallestNeed(const RepoView& view) {
  FitReport report = ComputeFit(view, {});
  SmallestNeed least;
  if (!report.shape.missing.empty() || report.choices.empty()) return least;
  auto take = [&report](const WeightChoice& choice, DeviceKind kind, uint64_t* bytes) {
    NeedOptions options{.context = report.context, .engine = EngineOn(kind, choice.set)};
    WeightBytes weights = CountWeightBytes(choice.headers, report.shape, options.engine);
    uint64_t need = ComputeNeed(weights, report.shape, options).total();
    *bytes = *bytes == 0 ? need : std::min(*bytes, need);
  };
  for (const WeightChoice& choice : report.choices) {
    if (!choice.complete() || choice.headers.tensor_bytes == 0) continue;
    take(choice, DeviceKind::kGpu, &least.gpu_bytes);
    take(choice, DeviceKind::kCpu, &least.cpu_bytes);
  }
  return least;
}

}  // namespace hearth::inspector
