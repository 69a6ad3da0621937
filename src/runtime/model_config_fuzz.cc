// config.json alone: every architecture's shape and forward pass over no tensors, the positions,
// and the longest text; preprocessor_config.json with a tiny picture and a short sound. The input
// is pairs of bytes, a key that some architecture reads and a value for it, so that most inputs are
// configurations; text is what the highest bit of the first asks for.
#include <string>
#include <string_view>

#include "base/error.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"
#include "runtime/layers.h"
#include "runtime/preprocess/image_preprocessing.h"
#include "runtime/preprocess/sound_preprocessing.h"
#include "tensor/graph.h"

namespace {

using namespace hearth;

constexpr std::string_view kKeys[] = {
    "vocab_size", "hidden_size", "n_embd", "dim", "num_hidden_layers", "n_layer", "n_layers",
    "num_attention_heads", "n_head", "n_heads", "num_key_value_heads", "head_dim",
    "intermediate_size", "max_position_embeddings", "n_positions", "n_ctx", "rms_norm_eps",
    "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "hidden_act", "activation_function",
    "hidden_activation", "activation", "architectures", "model_type", "layer_types",
    "sliding_window", "sliding_window_pattern", "use_sliding_window", "max_window_layers",
    "no_rope_layers", "no_rope_layer_interval", "local_attention", "global_attn_every_n_layers",
    "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar",
    "attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling",
    "partial_rotary_factor", "rotary_pct", "rotary_emb_base", "rotary_emb_fraction",
    "rotary_emb_interleaved", "rope_theta", "rope_local_base_freq", "rope_scaling",
    "rope_parameters", "original_max_position_embeddings", "pad_token_id", "do_layer_norm_before",
    "_remove_final_layer_norm", "use_parallel_residual", "scale_attn_weights",
    "scale_attn_by_inverse_layer_idx", "use_bidirectional_attention", "classifier_pooling",
    "classifier_activation",
    // Of pictures and sounds, and how they are prepared.
    "image_size", "patch_size", "num_channels", "num_mel_bins", "max_length", "frequency_stride",
    "time_stride", "pooler_act", "size", "crop_size", "shortest_edge", "resample", "do_resize",
    "do_center_crop", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std",
    "mean", "std", "sampling_rate",
    // Of rotary positions, which the second byte's highest bit puts keys into.
    "rope_type", "type", "factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim",
    "attention_factor", "low_freq_factor", "high_freq_factor", "short_factor", "long_factor",
    "truncate"};

constexpr std::string_view kValues[] = {
    "0",
    "1",
    "2",
    "3",
    "4",
    "8",
    "12",
    "64",
    "512",
    "4096",
    "32768",
    "16777216",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "-1",
    "0.5",
    "0.25",
    "1e-5",
    "-0.5",
    "1e30",
    "1e-300",
    "1e300",
    "10000",
    "null",
    "true",
    "false",
    "\"\"",
    "\"default\"",
    "\"linear\"",
    "\"dynamic\"",
    "\"yarn\"",
    "\"llama3\"",
    "\"longrope\"",
    "\"su\"",
    "\"gelu\"",
    "\"silu\"",
    "\"gelu_new\"",
    "\"relu\"",
    "\"cls\"",
    "\"mean\"",
    "[]",
    "{}",
    "[1]",
    "[1, 1, 1, 1]",
    "[0, 1, 0, 1]",
    "[-1, 1e30]",
    "[\"LlamaForCausalLM\"]",
    "[\"BertForMaskedLM\"]",
    "[\"XForSequenceClassification\"]",
    "[\"full_attention\", \"sliding_attention\"]",
    "{\"full_attention\": {\"rope_type\": \"yarn\", \"factor\": 4}}"};

// Sizes that go together, so that an input begins behind the first checks.
constexpr std::string_view kStart =
    R"("vocab_size": 32, "hidden_size": 16, "n_embd": 16, "dim": 16, "num_hidden_layers": 2,
       "num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 64)";

std::string MakeConfig(std::string_view input) {
  std::string own, rope;
  for (size_t at = 0; at + 2 <= input.size(); at += 2) {
    const auto key = static_cast<uint8_t>(input[at]), value = static_cast<uint8_t>(input[at + 1]);
    std::string& target = (value & 0x80) != 0 ? rope : own;
    target += ", \"" + std::string(kKeys[key % std::size(kKeys)]) +
              "\": " + std::string(kValues[(value & 0x7f) % std::size(kValues)]);
  }
  std::string text = "{" + std::string(kStart) + own;
  if (!rope.empty()) text += ", \"rope_scaling\": {" + rope.substr(2) + "}";
  return text + "}";
}

template <typename Action>
void Try(Action action) {
  try {
    action();
  } catch (const Error&) {
    // What a wrong file ends in.
  }
}

void Prepare(const Json& config) {
  Try([&] {
    auto image = runtime::ImagePreprocessing::Parse(config, "vit");
    // Large ones are allowed, and take long.
    for (auto size : {image.resize, image.crop}) {
      if (size && uint64_t{size->width} * size->height > 1u << 16) return;
    }
    if (image.shortest_edge <= 256) image.Apply({2, 3, std::vector<uint8_t>(18, 7)});
  });
  Try([&] {
    auto sound = runtime::SoundPreprocessing::Parse(config);
    if (uint64_t{sound.frames} * sound.mel_bins > 1u << 16) return;
    sound.Apply({sound.rate, std::vector<float>(1000, 0.1f)});
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string text = (data[0] & 0x80) != 0 ? std::string(input) : MakeConfig(input);
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
      if (architecture.derive != nullptr) architecture.derive(config, "", &none);
    });
    Try([&] { Prepare(config.json()); });
    Try([&] {
      tensor::WeightSet none;
      tensor::GraphBuilder recorder(none);
      architecture.forward({config, none, "", runtime::Head::kNone}, recorder);
    });
  });
  return 0;
}
