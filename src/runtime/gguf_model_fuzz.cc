// A GGUF file as a model: its metadata as a configuration, its tensors by the tables' names.
#include "base/error.h"
#include "formats/gguf/gguf_writer.h"
#include "runtime/checkpoint.h"
#include "runtime/checkpoint_check.h"
#include "runtime/edited_files.h"

namespace {

using namespace hearth;

// A Llama of one layer; all its values are 0.
std::filesystem::path WriteModel() {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("hearth_gguf_fuzz_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<GgufItem> items;
  auto add = [&](const char* name, std::vector<uint64_t> shape) {
    items.push_back({name, tensor::BlockType::kF32, std::move(shape)});
  };
  add("token_embd.weight", {12, 16}), add("output_norm.weight", {16});
  add("blk.0.attn_q.weight", {16, 16}), add("blk.0.attn_k.weight", {8, 16});
  add("blk.0.attn_v.weight", {8, 16}), add("blk.0.attn_output.weight", {16, 16});
  add("blk.0.ffn_gate.weight", {24, 16}), add("blk.0.ffn_up.weight", {24, 16});
  add("blk.0.ffn_down.weight", {16, 24}), add("blk.0.attn_norm.weight", {16});
  add("blk.0.ffn_norm.weight", {16}), add("rope_freqs.weight", {4});
  std::vector<GgufMetadata> metadata = {GgufString("general.architecture", "llama"),
                                        GgufUint32("llama.embedding_length", 16),
                                        GgufUint32("llama.block_count", 1),
                                        GgufUint32("llama.context_length", 32),
                                        GgufUint32("llama.feed_forward_length", 24),
                                        GgufUint32("llama.attention.head_count", 2),
                                        GgufUint32("llama.attention.head_count_kv", 1),
                                        GgufFloat32("llama.attention.layer_norm_rms_epsilon", 1e-5),
                                        GgufFloat32("llama.rope.freq_base", 10000)};
  GgufWriter writer(folder / "m.gguf", IfExists::kReplace, items, metadata);
  for (const GgufItem& item : writer.items()) writer.Append(std::vector<uint8_t>(GgufBytes(item)));
  writer.Commit();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const runtime::EditedFiles kFiles(WriteModel());
  try {
    runtime::Checkpoint checkpoint = runtime::LoadCheckpoint(kFiles.Write(data, size) / "m.gguf");
    runtime::CheckCheckpoint(checkpoint, runtime::HeadOf(checkpoint.config));
  } catch (const Error&) {
    // What a wrong file ends in.
  }
  return 0;
}
