// What the inspector predicts for the peak memory of a model, as one line of JSON:
//   memory_fit FOLDER FILE CONTEXT SEQUENCES ENGINE     FILE: "" = the main weights; ENGINE:
//   hearth, llama.cpp
#include <cstdio>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/fit/fit.h"

int main(int argc, char** argv) {
  using namespace hearth::inspector;
  if (argc != 6) return 2;
  try {
    std::unique_ptr<RepoView> view = OpenFolder(argv[1]);
    FitRequest request;
    request.file = argv[2];
    request.context = hearth::ParseUint(argv[3]).value_or(0);
    request.sequences = hearth::ParseUint(argv[4]).value_or(1);
    FitReport report = ComputeFit(*view, request);
    std::optional<EngineKind> engine = ParseEngine(argv[5]);
    if (!report.reason.empty() || !engine) {
      std::fprintf(stderr, "%s\n", report.reason.c_str());
      return 1;
    }
    NeedOptions options{.context = report.context, .sequences = report.sequences};
    options.engine = *engine;
    WeightBytes weights =
        CountWeightBytes(report.choices[report.chosen].headers, report.shape, *engine);
    MemoryNeed need = ComputeNeed(weights, report.shape, options);
    hearth::Json parts = hearth::Json::Obj({{"total", need.total()},
                                            {"weights", need.weights.resident},
                                            {"kv", need.kv},
                                            {"compute", need.compute},
                                            {"overhead", need.overhead},
                                            {"first_start", report.first_start}});
    std::printf("%s\n", parts.Dump().c_str());
  } catch (const hearth::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
