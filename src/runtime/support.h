// Whether a repository's model can run here, told from the names and sizes of its files and a few
// small texts, before anything is loaded.
//
// Says what a loader would find out later, as far as that can be known without weights: a yes is a
// promise that nothing visible speaks against, a no carries one sentence for the model's owner.
// Pure and thread-safe; throws nothing on account of the repository's content.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::runtime {

struct SupportFile {
  std::string_view path;  // in the repository
  uint64_t size_bytes = 0;
};

struct SupportInput {
  std::span<const SupportFile> files;
  std::string_view config;             // text of config.json; empty: none
  std::string_view modules;            // text of modules.json; empty: none
  std::string_view gguf_architecture;  // of the first GGUF file's header; empty: unknown
  uint64_t gguf_parameters = 1;        // of the same; 0 = the file holds a vocabulary only
  bool has_chat_template = false;
  uint64_t memory_bytes = UINT64_MAX;  // what one model may take
};

struct Support {
  // Names of tasks.inc, what the model is for first; "conversational" beside text-generation. Empty
  // when it cannot run.
  std::vector<std::string> tasks;
  std::string reason;  // why not; empty when it can
  // What the loaded weights take, roughly; 0 when there are none.
  uint64_t memory_bytes = 0;
  // The one GGUF file to run where a repository holds several; empty for other formats.
  std::string gguf_file;

  bool runs() const { return !tasks.empty(); }
};

Support JudgeSupport(const SupportInput& input);

// Changes whenever JudgeSupport may answer otherwise about the same repository: what is stored of
// its answers is then out of date.
std::string SupportFingerprint(uint64_t memory_bytes);

}  // namespace hearth::runtime
