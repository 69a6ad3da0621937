// A tokenizer as GGUF metadata: tokens, scores, types, merges, special tokens, chat template, read
// from tokenizer.json, tokenizer_config.json and chat_template.jinja.
#pragma once

#include <filesystem>
#include <vector>

#include "codec/json.h"
#include "formats/gguf/gguf.h"

namespace hearth::convert {

// Adds nothing when the folder holds no tokenizer.json. `config` is the model's. Errors:
// kInvalidArgument for a vocabulary that is none; kUnimplemented for a model of another kind than
// WordPiece, BPE and Unigram.
void AddTokenizerKeys(const std::filesystem::path& folder, const Json& config,
                      std::vector<GgufMetadata>* out);

}  // namespace hearth::convert
