// The values of "tokenizer.ggml.pre": how the text of a byte-level vocabulary is split before
// merging.
//
// The patterns are those of the models' own tokenizer.json files where those are known (llama.cpp,
// whose list of names this is, rewrites some of them for its own engine, with equal results on
// ordinary text). The "gpt2" pattern is the byte-level pre-tokenizer's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

struct GgufFamily {
  std::vector<std::string> patterns;
  bool individual_digits = false;
  bool nfc = false;
  bool ignore_merges = false;
  bool add_bos = false;  // unless the file says otherwise
  bool add_sep = false;  // RoBERTa: bos and eos around
};

// Throws Error{kUnimplemented} for a name that is not in the table. Empty: files from before the
// key was written, read as llama.cpp does ("default").
GgufFamily FindGgufFamily(std::string_view name);

}  // namespace hearth::tokenizers
