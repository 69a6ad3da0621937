#include "server/inference_api/model_judge.h"

#include <utility>
#include <vector>

#include "runtime/support.h"

namespace hearth::server {

hub::ModelJudge MakeModelJudge(uint64_t memory_bytes) {
  auto judge = [memory_bytes](const hub::ModelEvidence& evidence) {
    std::vector<runtime::SupportFile> files;
    files.reserve(evidence.files.size());
    for (const hub::JudgedFile& file : evidence.files)
      files.push_back({file.path, file.size_bytes});
    runtime::SupportInput input;
    input.files = files;
    input.config = evidence.config;
    input.modules = evidence.modules;
    input.gguf_architecture = evidence.gguf_architecture;
    input.gguf_parameters = evidence.gguf_parameters;
    input.has_chat_template = evidence.has_chat_template;
    input.memory_bytes = memory_bytes;
    runtime::Support support = runtime::JudgeSupport(input);
    hub::RunVerdict verdict;
    verdict.tasks = std::move(support.tasks);
    verdict.reason = std::move(support.reason);
    verdict.memory_bytes = support.memory_bytes;
    verdict.gguf_file = std::move(support.gguf_file);
    return verdict;
  };
  return {runtime::SupportFingerprint(memory_bytes), judge};
}

}  // namespace hearth::server
