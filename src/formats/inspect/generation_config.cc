// generation_config.json: how the publisher means text to be made.
#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 16 << 20;

int Probe(std::string_view name, std::string_view) {
  return IsNamed(name, "generation_config.json") ? 90 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  AddKeys(ReadJsonObject(source, kMaxBytes),
          {"do_sample",
           "temperature",
           "top_p",
           "top_k",
           "min_p",
           "typical_p",
           "repetition_penalty",
           "length_penalty",
           "no_repeat_ngram_size",
           "num_beams",
           "max_length",
           "max_new_tokens",
           "min_length",
           "bos_token_id",
           "eos_token_id",
           "pad_token_id",
           "decoder_start_token_id",
           "forced_bos_token_id",
           "suppress_tokens",
           "cache_implementation",
           "transformers_version"},
          out);
}

}  // namespace

extern const Inspector kGenerationConfigInspector;
const Inspector kGenerationConfigInspector = {"generation configuration", Probe, Inspect};

}  // namespace hearth
