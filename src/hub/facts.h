// What is known about a repository from its own files at one commit: card, derived tags, config,
// parameter counts. Computed by a job after each change of main (Indexer) and stored as rows; never
// the truth, always rebuildable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/model_judge.h"
#include "hub/objects.h"
#include "hub/repo_record.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

struct Sibling {
  std::string path;
  GitOid blob;
  uint64_t size_bytes = 0;  // real size (LFS: of the object)
  std::optional<Sha256> lfs;
  uint64_t pointer_bytes = 0;
};

struct RepoFacts {
  GitOid commit;
  Json card_data;                 // front matter; null when absent
  std::string card_text;          // markdown without front matter
  std::vector<std::string> tags;  // in the wire order
  std::string pipeline_tag;
  std::string library_name;
  std::string mask_token;
  Json config;  // models: cut-down config.json + tokenizer_config
  Json transformers_info;
  Json safetensors;  // {parameters, total, ?sharded}
  Json gguf;
  Json model_index;
  Json widget_data;
  Json base_models;              // {relation, models: ["ns/name"]}: ids resolved when rendered
  std::string description;       // datasets: first paragraph of the card
  Json space;                    // Spaces: sdk, title, emoji, colorFrom, ...
  RunVerdict run;                // models: whether this hub can run it
  uint64_t parameter_count = 0;  // for num_parameters filter and sort
  uint64_t main_bytes = 0;       // sum of file sizes at main
  std::vector<Sibling> siblings;
  std::vector<std::string> warnings;  // card faults that do not stop a commit
};
using FactsPtr = std::shared_ptr<const RepoFacts>;

// Pure: reads git and large objects through the given handle. Without a judge nothing is said of
// running the model.
RepoFacts ComputeFacts(const RepoHandle& repo, const Objects& objects, const GitOid& commit,
                       const ModelJudge& judge = {});

// {headers: {file: header}, index: {?metadata}} of one safetensors file, or of all files that an
// index names. Throws EntryNotFound for a missing file, kTooLarge when the headers together pass 64
// MiB.
Json ReadSafetensorsMetadata(const RepoHandle& repo, const Objects& objects, const GitOid& commit,
                             std::string_view path);

struct CardVerdict {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};
// The rules of /api/validate-yaml, commit and push alike. `content` is the whole README.md.
CardVerdict ValidateCard(RepoType type, std::string_view content);

}  // namespace hearth::hub
