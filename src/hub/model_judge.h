// Whether a model of this hub can be run by it. The hub keeps the answer among a repository's facts
// and knows nothing of models: who does is given to it as a function (HubOptions::judge).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::hub {

struct RunVerdict {
  std::string judged_by;           // ModelJudge::fingerprint; "" = nobody looked
  std::vector<std::string> tasks;  // what the model is for first; empty = it does not run
  std::string reason;              // why not, one sentence
  uint64_t memory_bytes = 0;       // roughly what its weights take when loaded
  std::string gguf_file;           // which of several GGUF files would be run

  bool runs() const { return !tasks.empty(); }
};

struct JudgedFile {
  std::string_view path;
  uint64_t size_bytes = 0;
};

// What a judge is shown of one commit.
struct ModelEvidence {
  std::vector<JudgedFile> files;
  std::string config;   // text of config.json, "" = none
  std::string modules;  // text of modules.json, "" = none
  std::string gguf_architecture;
  uint64_t gguf_parameters = 1;  // 0 = a vocabulary only
  bool has_chat_template = false;
};

struct ModelJudge {
  // Another one than the stored verdicts carry: they are judged again.
  std::string fingerprint;
  // Pure; called by several threads. Does not throw on account of the evidence.
  std::function<RunVerdict(const ModelEvidence&)> judge;

  explicit operator bool() const { return judge != nullptr; }
};

// The task that a model is offered for: the one on its card when it can do that, "conversational"
// for a generator of text that knows how to chat, else its first.
std::string OfferedTask(const std::vector<std::string>& tasks, std::string_view pipeline_tag);

}  // namespace hearth::hub
