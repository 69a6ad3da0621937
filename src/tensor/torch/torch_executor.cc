#include "tensor/torch/torch_executor.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

#include "base/error.h"
#include "tensor/kernels/attention.h"
#include "tensor/op_checks.h"
#include "tensor/thread_team.h"
#include "tensor/torch/torch_plugin.h"

namespace hearth::tensor {
namespace {

namespace fs = std::filesystem;

constexpr char kFileName[] = "hearth_torch.so";

class Host : public TorchHost {
 public:
  explicit Host(const WeightSet& weights) : weights_(weights) {}
  WeightView View(Weight weight) const override { return weights_.View(weight); }
  std::string Name(Weight weight) const override { return weights_.Name(weight); }
  std::vector<float> Floats(const WeightView& view) const override { return ToFloats(view); }
  void CheckBatch(const Batch& batch, uint32_t feature_columns) const override {
    tensor::CheckBatch(batch, feature_columns);
  }
  void CheckLowRank(const LowRank& pair) const override { tensor::CheckLowRank(weights_, pair); }
  int Threads(const ThreadTeam& team) const override { return team.threads(); }
  std::vector<float> Frequencies(const RopeOptions& options, uint32_t length) const override {
    if (options.dynamic_after > 0 && length > options.dynamic_after)
      return DynamicFrequencies(options, length);
    bool is_long = options.long_after > 0 && length > options.long_after &&
                   !options.long_inverse_frequencies.empty();
    return is_long ? options.long_inverse_frequencies : options.inverse_frequencies;
  }
  uint32_t RelativeBucket(int64_t delta, uint32_t buckets,
                          const AttentionOptions& options) const override {
    return tensor::RelativeBucket(delta, buckets, options.relative_max_distance, !options.causal);
  }

 private:
  const WeightSet& weights_;
};

Error Unavailable(const std::string& what) {
  return Error(Code::kUnavailable,
               what + "; docs/inference.md says how the torch executor is built and found");
}

const TorchPlugin& Load(const fs::path& path) {
  // Local: libtorch holds copies of libraries that this program uses too.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw Unavailable("the torch executor does not load: " +
                      std::string(reason != nullptr ? reason : path.string()));
  }
  auto function = reinterpret_cast<TorchPluginFunction>(dlsym(library, kTorchPluginSymbol));
  if (function == nullptr) throw Unavailable(path.string() + " is no plugin of this program");
  const TorchPlugin* plugin = function();
  if (std::string_view(plugin->stamp) != HEARTH_TORCH_STAMP) {
    throw Unavailable(path.string() + " was built for another version of this program");
  }
  return *plugin;
}

// Loaded once; a failure is tried again by the next model.
const TorchPlugin& Plugin() {
  static std::mutex mutex;
  static const TorchPlugin* plugin = nullptr;
  std::lock_guard lock(mutex);
  if (plugin != nullptr) return *plugin;
  RequireTorchPlugin();
  plugin = &Load(*FindTorchPlugin());
  return *plugin;
}

TorchOptions::Values ValuesOf(Precision precision) {
  switch (precision) {
    case Precision::kNative:
      return TorchOptions::Values::kAutomatic;
    case Precision::kF32:
      return TorchOptions::Values::kF32;
    case Precision::kBf16:
      return TorchOptions::Values::kBf16;
    default:
      throw Error(Code::kInvalidArgument,
                  "the torch executor computes in fp32 or bf16, not in int8 or int4");
  }
}

}  // namespace

std::optional<fs::path> FindTorchPlugin() {
  const char* given = std::getenv("HEARTH_TORCH_PLUGIN");
  std::error_code ignored;
  if (given != nullptr && *given != '\0') {
    // Absolute: a bare name would be looked for in the folders of system libraries.
    fs::path path = fs::absolute(given, ignored);
    return fs::exists(path, ignored) ? std::optional(path) : std::nullopt;
  }
  fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& path : {folder / kFileName, folder / "../lib/hearth" / kFileName}) {
    if (fs::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

void RequireTorchPlugin() {
  if (FindTorchPlugin()) return;
  throw Unavailable("the torch executor is not installed: there is no " + std::string(kFileName) +
                    " beside the program or where HEARTH_TORCH_PLUGIN says");
}

std::shared_ptr<const Program> CompileForTorch(Graph graph, const WeightSet& weights,
                                               const CompileOptions& options) {
  TorchOptions given;
  given.values = ValuesOf(options.precision);
  if (const char* device = std::getenv("HEARTH_TORCH_DEVICE")) given.device = device;
  const TorchPlugin& plugin = Plugin();
  return plugin.compile(ComputeWantedRows(std::move(graph)), std::make_shared<Host>(weights),
                        given);
}

}  // namespace hearth::tensor
