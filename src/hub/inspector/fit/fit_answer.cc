// FitReport for programs and for people.
#include <cstdio>

#include "hub/inspector/fit/fit.h"

namespace hearth::inspector {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;
constexpr double kMib = 1024.0 * 1024;

Json NeedJson(const MemoryNeed& need) {
  return Json::Obj({{"total", need.total()},
                    {"weights", need.weights.resident},
                    {"active_weights", need.weights.active},
                    {"kv", need.kv},
                    {"kv_per_token", need.kv_per_token},
                    {"state", need.state},
                    {"compute", need.compute},
                    {"overhead", need.overhead}});
}

// Exact bytes are proved by the headers that were read.
Json WeightsJson(const WeightChoice& choice) {
  Finding bytes{.value = choice.headers.tensor_bytes, .level = Level::kProved, .evidence = {}};
  for (const std::string& file : choice.set.files) {
    if (bytes.evidence.size() == 8) break;
    bytes.evidence.push_back({.file = file,
                              .place = "header",
                              .rule = "the sizes of all tensors in the header",
                              .repo = {}});
  }
  if (!choice.complete()) bytes.level = Level::kInferred;
  Json by_dtype = Json::Obj();
  for (const auto& [dtype, count] : choice.headers.by_dtype) by_dtype.Set(dtype, count);
  Json json = Json::Obj({{"name", choice.set.name},
                         {"format", choice.set.format},
                         {"files", choice.set.files.size()},
                         {"precision", choice.precision},
                         {"bytes", ToJson(bytes)},
                         {"parameters", choice.headers.parameters},
                         {"parameters_by_dtype", std::move(by_dtype)},
                         {"bits_per_weight", choice.headers.BitsPerWeight()}});
  if (!choice.complete()) {
    Json faults(choice.set.missing);
    for (const std::string& fault : choice.headers.faults) faults.Push(fault);
    json.Set("faults", std::move(faults));
  }
  return json;
}

Json DeviceJson(const DeviceFit& fit, uint64_t layers) {
  Json json = Json::Obj({{"name", fit.device.name},
                         {"maker", fit.device.maker},
                         {"kind", DeviceKindName(fit.device.kind)},
                         {"memory_bytes", fit.device.memory_bytes},
                         {"usable_bytes", fit.device.usable_bytes()},
                         {"engine", EngineName(fit.engine)},
                         {"verdict", FitVerdictName(fit.verdict)},
                         {"need", NeedJson(fit.need)}});
  if (fit.device.cores > 0) json.Set("cores", fit.device.cores);
  if (fit.verdict == FitVerdict::kPartial) {
    json.Set("layers_on_device", fit.layers_on_device);
    json.Set("layers", layers);
  }
  json.Set("longest_context", fit.longest_context);
  json.Set("best_weights", fit.best_set.empty() ? Json() : Json(fit.best_set));
  json.Set("tokens_per_second_at_most", Json(fit.tokens_a_second));
  return json;
}

std::string Amount(uint64_t bytes) {
  char text[40];
  double value = static_cast<double>(bytes);
  if (value >= kGib) {
    std::snprintf(text, sizeof text, "%.2f GiB", value / kGib);
  } else {
    std::snprintf(text, sizeof text, "%.1f MiB", value / kMib);
  }
  return text;
}

std::string DeviceLine(const DeviceFit& fit, uint64_t layers) {
  std::string verdict(FitVerdictName(fit.verdict));
  if (fit.verdict == FitVerdict::kPartial) {
    verdict +=
        " " + std::to_string(fit.layers_on_device) + " of " + std::to_string(layers) + " layers";
  }
  char text[240];
  std::snprintf(text, sizeof text, "  %-32.32s %10s  %-24s needs %s", fit.device.name.c_str(),
                Amount(fit.device.memory_bytes).c_str(), verdict.c_str(),
                Amount(fit.need.total()).c_str());
  std::string line = text;
  if (fit.longest_context > 0) line += ", context up to " + std::to_string(fit.longest_context);
  if (fit.tokens_a_second) {
    std::snprintf(text, sizeof text, ", at most %.0f tokens/s", *fit.tokens_a_second);
    line += text;
  }
  return line + "\n";
}

}  // namespace

Json ToJson(const FitReport& report) {
  Json shape = Json::Obj();
  for (const auto& [field, finding] : report.shape.findings) shape.Set(field, ToJson(finding));
  for (const std::string& field : report.shape.missing) shape.Set(field, ToJson(Finding{}));
  Json weights = Json::Arr(), devices = Json::Arr();
  for (const WeightChoice& choice : report.choices) weights.Push(WeightsJson(choice));
  for (const DeviceFit& fit : report.devices) devices.Push(DeviceJson(fit, report.shape.layers));
  Json json = Json::Obj({{"context", report.context},
                         {"sequences", report.sequences},
                         {"cache", report.cache.name},
                         {"architecture", report.shape.architecture},
                         {"shape", std::move(shape)},
                         {"weights", std::move(weights)}});
  if (!report.choices.empty()) json.Set("chosen", report.choices[report.chosen].set.name);
  if (report.here.total() > 0) {
    Json here = NeedJson(report.here);
    here.Set("engine", EngineName(EngineKind::kHearth));
    here.Set("first_start", report.first_start);
    json.Set("need", std::move(here));
  }
  json.Set("devices", std::move(devices));
  if (!report.reason.empty()) json.Set("reason", report.reason);
  return json;
}

std::string FitText(const FitReport& report) {
  if (report.here.total() == 0) return report.reason + "\n";
  const MemoryNeed& need = report.here;
  const WeightChoice& chosen = report.choices[report.chosen];
  std::string text = chosen.set.name + " (" + chosen.precision + "), context " +
                     std::to_string(report.context) + " x " + std::to_string(report.sequences) +
                     ", cache " + std::string(report.cache.name) + "\n";
  text += "  needs " + Amount(need.total()) + " = weights " + Amount(need.weights.resident) +
          " + kv " + Amount(need.kv) + " + state " + Amount(need.state) + " + compute " +
          Amount(need.compute) + " + overhead " + Amount(need.overhead) + "\n";
  text += "  first start " + Amount(report.first_start) + "\n";
  if (!report.reason.empty()) text += "  " + report.reason + "\n";
  for (const DeviceFit& fit : report.devices) text += DeviceLine(fit, report.shape.layers);
  return text;
}

}  // namespace hearth::inspector
