// The files of one commit as ComputeFacts sees them: names, sizes, and bounded reads of git blobs
// and large objects. Every fault becomes a warning in the facts. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "formats/source/source.h"
#include "hub/facts.h"
#include "hub/internal/card_fields.h"

namespace hearth::hub {

class FactsReader {
 public:
  // Fills facts->siblings and main_bytes. All references must outlive the reader.
  FactsReader(const RepoHandle& repo, const Objects& objects, const storage::GitRepository& git,
              RepoFacts* facts);

  const Sibling* Find(std::string_view path) const;  // nullptr when there is none
  // Content of a file; nullopt when it is absent, larger than the limit or unreadable (the last two
  // leave a warning).
  std::optional<std::string> Read(std::string_view path, uint64_t limit_bytes);
  // The same, parsed; null when absent or broken.
  Json ReadJson(std::string_view path, uint64_t limit_bytes);
  // Ranged access for headers of large files; nullptr with a warning when unreadable.
  std::unique_ptr<ByteSource> Open(const Sibling& file);

  const RepoRecord& record() const { return repo_.record(); }
  RepoFacts& facts() { return *facts_; }
  void Warn(std::string_view path, std::string_view reason);

 private:
  std::string Load(const Sibling& file, uint64_t limit_bytes);

  const RepoHandle& repo_;
  const Objects& objects_;
  const storage::GitRepository& git_;
  RepoFacts* facts_;
};

// --- the stages of ComputeFacts, in the order they run; each reads what the former ones found.
// config, mask_token, safetensors, gguf, parameter_count
void ReadModelFiles(FactsReader* reader);
// library_name, pipeline_tag, transformers_info, base_models, widget_data, tags
void DeriveModelFacts(FactsReader* reader, const Card& card);
// run
void JudgeModel(FactsReader* reader, const ModelJudge& judge);
// description, tags
void DeriveDatasetFacts(FactsReader* reader, const Card& card);
// space, tags
void DeriveSpaceFacts(FactsReader* reader, const Card& card);

// arXiv ids and DOIs that the text of a card links to, in order, without doubles, at most 50 each.
std::vector<std::string> FindArxivIds(std::string_view text);
std::vector<std::string> FindDois(std::string_view text);

// A list of tags without doubles, bounded in number and length.
class TagList {
 public:
  explicit TagList(std::vector<std::string>* tags) : tags_(tags) {}
  void Add(std::string tag);
  void AddAll(std::string_view prefix, const std::vector<std::string>& values);

 private:
  std::vector<std::string>* tags_;
};

}  // namespace hearth::hub
