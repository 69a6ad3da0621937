// modules.json and what it names, of a dense and of a sparse model, up to the recorded operations.
#include "runtime/sentence_modules.h"

#include <fstream>

#include "base/error.h"
#include "formats/safetensors/safetensors_writer.h"
#include "runtime/edited_files.h"
#include "tensor/graph.h"

namespace {

using namespace hearth;
namespace fs = std::filesystem;

fs::path WriteDense(const fs::path& folder) {
  fs::create_directories(folder);
  std::ofstream(folder / "modules.json")
      << R"([{"path": "", "type": "st.Transformer"}, {"path": ".", "type": "st.Pooling"},
             {"path": ".", "type": "st.Dense"}, {"path": ".", "type": "st.LayerNorm"},
             {"path": "", "type": "st.Normalize"}])";
  std::ofstream(folder / "config.json")
      << R"({"pooling_mode": ["mean", "cls"], "include_prompt": false, "use_residual": true,
             "activation_function": "torch.nn.modules.activation.Tanh"})";
  std::ofstream(folder / "sentence_bert_config.json") << R"({"max_seq_length": 64})";
  std::ofstream(folder / "config_sentence_transformers.json")
      << R"({"prompts": {"query": "find: "}, "default_prompt_name": "query"})";
  std::vector<SafetensorsItem> items = {{"linear.bias", tensor::Dtype::kF32, {8}},
                                        {"linear.weight", tensor::Dtype::kF32, {8, 8}},
                                        {"norm.weight", tensor::Dtype::kF32, {8}}};
  SafetensorsWriter writer(folder / "model.safetensors", IfExists::kReplace, items, {});
  for (const SafetensorsItem& item : writer.items())
    writer.Append(std::vector<uint8_t>(SafetensorsBytes(item)));
  writer.Commit();
  return folder;
}

fs::path WriteSparse(const fs::path& folder) {
  fs::create_directories(folder);
  std::ofstream(folder / "modules.json")
      << R"([{"path": "", "type": "st.MLMTransformer"}, {"path": ".", "type": "st.SpladePooling"}])";
  std::ofstream(folder / "config.json")
      << R"({"pooling_strategy": "sum", "activation_function": "log1p_relu"})";
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const fs::path kFolder =
      fs::temp_directory_path() / ("hearth_sentence_modules_" + std::to_string(::getpid()));
  static const runtime::EditedFiles kDense(WriteDense(kFolder / "dense"));
  static const runtime::EditedFiles kSparse(WriteSparse(kFolder / "sparse"));
  runtime::Checkpoint checkpoint{runtime::ModelConfig(Json::Obj()), {}, {}, {}, nullptr};
  checkpoint.folder = ((data[0] & 1) != 0 ? kSparse : kDense).Write(data + 1, size - 1);
  try {
    auto modules = runtime::LoadSentenceModules(&checkpoint);
    if (!modules || modules->sparse) return 0;
    tensor::GraphBuilder recorder(checkpoint.weights);
    runtime::AppendSentenceModules(*modules, checkpoint.weights, recorder, recorder.Features(8));
  } catch (const Error&) {
    // What a wrong file ends in.
  }
  return 0;
}
