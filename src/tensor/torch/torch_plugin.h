// The border between the program and the torch plugin: a shared library (hearth_torch.so) that
// computes with libtorch and is loaded when somebody asks for it.
//
// Nothing else links libtorch: it takes a quarter of a second and 100 MB to load, and most
// installations have none. The library exports one function, kTorchPluginSymbol, and takes what it
// needs of the program through TorchHost; results come back as the interfaces of executor.h. Both
// sides are C++ of one compiler and of the same headers: the stamp, made of these headers' text and
// the compiler's version when they are built, is compared before anything else is called. Errors
// cross as hearth::Error. A loaded library stays until the process ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tensor/executor.h"
#include "tensor/weights.h"

namespace hearth::tensor {

// What the plugin asks of the program. Thread rule: const use from any number of threads.
class TorchHost {
 public:
  virtual ~TorchHost() = default;
  virtual WeightView View(Weight weight) const = 0;
  virtual std::string Name(Weight weight) const = 0;
  virtual std::vector<float> Floats(const WeightView& view) const = 0;
  // The functions of these names; frequencies are those of a sequence of `length` tokens.
  virtual void CheckBatch(const Batch& batch, uint32_t feature_columns) const = 0;
  virtual void CheckLowRank(const LowRank& pair) const = 0;
  virtual int Threads(const ThreadTeam& team) const = 0;
  virtual std::vector<float> Frequencies(const RopeOptions& options, uint32_t length) const = 0;
  virtual uint32_t RelativeBucket(int64_t delta, uint32_t buckets,
                                  const AttentionOptions& options) const = 0;
};

struct TorchOptions {
  // Rounds to bf16: weights, keys and values, and what is between operations; sums, norms and
  // rotary positions are fp32.
  enum class Values : uint8_t { kAutomatic, kF32, kBf16 } values = Values::kAutomatic;
  // "cpu", "cuda", "cuda:1"; empty: the first CUDA device when there is one, else the CPU.
  // kAutomatic is bf16 on CUDA devices and fp32 elsewhere.
  std::string device;
};

struct TorchPlugin {
  const char* stamp;          // kTorchPluginStamp of the plugin
  const char* torch_version;  // that it was built for, "2.13.0"
  // Errors: kInvalidArgument for a device that is not there.
  std::shared_ptr<const Program> (*compile)(Graph graph, std::shared_ptr<const TorchHost> host,
                                            const TorchOptions& options);
};

constexpr char kTorchPluginSymbol[] = "hearth_torch_plugin";
using TorchPluginFunction = const TorchPlugin* (*)();

}  // namespace hearth::tensor
