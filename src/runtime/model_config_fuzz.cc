// config.json alone: every architecture's shape and forward pass over no tensors, the positions,
// and the index of a checkpoint in several files.
#include <fstream>
#include <string>

#include "base/error.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"
#include "runtime/layers.h"
#include "tensor/cpu/graph.h"

namespace {

using namespace hearth;

template <typename Action>
void Try(Action action) {
  try {
    action();
  } catch (const Error&) {
    // What a wrong file ends in.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  auto architectures = runtime::Architectures();
  const runtime::Architecture& architecture = *architectures[data[0] % architectures.size()];
  Try([&] {
    runtime::ModelConfig config = runtime::LanguageModelConfig(Json::Parse(text));
    Try([&] { runtime::ArchitectureOf(config); });
    Try([&] { runtime::HeadOf(config); });
    Try([&] { architecture.shape(config); });
    Try([&] { runtime::ParseRope(config, 64); });
    Try([&] { runtime::ParseRope(config, 64, "sliding_attention"); });
    Try([&] { runtime::LongestText(config); });
    Try([&] {
      tensor::WeightSet none;
      tensor::GraphBuilder recorder(none);
      architecture.forward({config, none, "", runtime::Head::kNone}, recorder);
    });
  });
  return 0;
}
