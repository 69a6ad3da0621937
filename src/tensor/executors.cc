#include "tensor/executors.h"

#include <string>

#include "base/error.h"
#include "tensor/cpu/cpu_executor.h"
#include "tensor/reference/reference_executor.h"
#include "tensor/torch/torch_executor.h"

namespace hearth::tensor {
namespace {

struct Executor {
  std::string_view name;
  std::shared_ptr<const Program> (*compile)(Graph, const WeightSet&, const CompileOptions&);
  void (*require)();
};

void AlwaysThere() {}

constexpr Executor kExecutors[] = {
#define HEARTH_EXECUTOR(name, compile, require) {name, compile, require},
#include "tensor/executors.inc"
#undef HEARTH_EXECUTOR
};

const Executor& Find(std::string_view name) {
  std::string known;
  for (const Executor& each : kExecutors) {
    if (each.name == name) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  throw Error(Code::kInvalidArgument,
              "no executor is called \"" + std::string(name.substr(0, 40)) + "\": " + known);
}

}  // namespace

std::vector<std::string_view> ExecutorNames() {
  std::vector<std::string_view> names;
  for (const Executor& executor : kExecutors) names.push_back(executor.name);
  return names;
}

void RequireExecutor(std::string_view executor) { Find(executor).require(); }

std::shared_ptr<const Program> CompileProgram(std::string_view executor, Graph graph,
                                              const WeightSet& weights,
                                              const CompileOptions& options) {
  return Find(executor).compile(std::move(graph), weights, options);
}

}  // namespace hearth::tensor
