// adapter_config.json and the pairs of an adapter, against a model that is right.
#include <fstream>

#include "base/error.h"
#include "formats/safetensors/safetensors_writer.h"
#include "runtime/adapter.h"
#include "runtime/checkpoint.h"
#include "runtime/edited_files.h"
#include "runtime/engine/tiny_model.h"

namespace {

using namespace hearth;

std::filesystem::path WriteAdapter(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "adapter_config.json")
      << R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none", "use_rslora": false,
             "target_modules": ["q_proj"], "rank_pattern": {}, "alpha_pattern": {"q_proj": 3}})";
  const std::string at = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
  std::vector<SafetensorsItem> items = {{at + "A.weight", tensor::Dtype::kF32, {2, 64}},
                                        {at + "B.weight", tensor::Dtype::kF32, {64, 2}}};
  SafetensorsWriter writer(folder / "adapter_model.safetensors", IfExists::kReplace, items, {});
  for (const SafetensorsItem& item : writer.items())
    writer.Append(std::vector<uint8_t>(SafetensorsBytes(item)));
  writer.Commit();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const runtime::TinyModel kModel("adapter_fuzz");
  static const runtime::Checkpoint kCheckpoint = runtime::LoadCheckpoint(kModel.folder());
  static const runtime::EditedFiles kFiles(WriteAdapter(kModel.folder() / "adapter"));
  try {
    runtime::LoadAdapter(kFiles.Write(data, size), kCheckpoint);
  } catch (const Error&) {
    // What a wrong file ends in.
  }
  return 0;
}
