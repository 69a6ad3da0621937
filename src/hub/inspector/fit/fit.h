// Does a model fit, and where? Exact bytes of each offered set of weights, what a context costs,
// and a verdict per device. Pure apart from reading headers; one view, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/fit/devices.h"
#include "hub/inspector/fit/memory_need.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

enum class FitVerdict {
  kFits,
  kTight,    // less than a tenth of what it needs stays free
  kPartial,  // some layers on the GPU, the others beside it
  kNo,
};
std::string_view FitVerdictName(FitVerdict verdict);  // "fits", "tight", "partial", "no"

struct FitRequest {
  uint64_t context = 0;  // tokens; 0 = 4096, or less where the model ends earlier
  uint64_t sequences = 1;
  CacheType cache = {"f16", 2};
  std::string file;             // a set of weights by its name; "" = the main one
  std::vector<Device> devices;  // verdicts are given for these
};
// What a request may ask for: beyond it nobody's model goes.
inline constexpr uint64_t kMaxFitContext = 1ull << 27;
inline constexpr uint64_t kMaxFitSequences = 1ull << 16;
inline constexpr size_t kMaxFitDevices = 500;

// One set of weights that the repository offers.
struct WeightChoice {
  WeightSet set;
  WeightHeaders headers;
  std::string precision;
  // Files of the set that are not there, or whose headers could not be read: nothing is promised.
  bool complete() const { return set.missing.empty() && headers.faults.empty(); }
};

struct DeviceFit {
  Device device;
  EngineKind engine = EngineKind::kGpu;
  FitVerdict verdict = FitVerdict::kNo;
  MemoryNeed need;
  uint64_t layers_on_device = 0;          // kPartial
  uint64_t longest_context = 0;           // that fits with these weights, 0 = none
  std::string best_set;                   // the most precise weights that fit; "" = none
  std::optional<double> tokens_a_second;  // a bound: one token reads all active weights once
};

struct FitReport {
  ModelShape shape;
  std::vector<WeightChoice> choices;  // in the order of FindWeightSets, without adapters
  size_t chosen = 0;
  uint64_t context = 0;
  uint64_t sequences = 1;
  CacheType cache = {"f16", 2};
  MemoryNeed here;  // by this program's engine
  // While it starts for the first time: weights as they are stored beside their packed form.
  uint64_t first_start = 0;
  std::vector<DeviceFit> devices;
  std::string reason;  // why nothing can be told, one sentence; "" = it could
};

// Who would run the weights there: a CPU has what this program's engine can keep; a shared memory
// is a GPU's here.
EngineKind EngineOn(DeviceKind device, const WeightSet& set);

// kInvalidArgument when `file` names no set of the repository, or a number is out of range.
FitReport ComputeFit(const RepoView& view, const FitRequest& request);
Json ToJson(const FitReport& report);

// For a person at a terminal: the parts, then a line per device.
std::string FitText(const FitReport& report);

}  // namespace hearth::inspector
