// What changed between two repositories, or two revisions of one: six questions (data, weights,
// precision, file format, prompt template, licence obligations), configuration and tokenizer, each
// changed / same / not stated with evidence; then the headers of the weights side by side. Reads
// headers and small files; weights are read by weight_diff.h. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/provenance/tensor_pairs.h"
#include "hub/inspector/provenance/value_diff.h"
#include "hub/inspector/provenance/weight_diff.h"
#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/tensor_scan.h"

namespace hearth::inspector {

// What an index knows of files that were scanned before.
class StoredRecords {
 public:
  virtual ~StoredRecords() = default;
  virtual std::optional<FileRecords> Find(const RepoView& view, const RepoFile& file) const = 0;
};

// A repository made ready to be compared: the main set of weights, or the one named.
struct ComparedRepo {
  const RepoView* view = nullptr;
  std::optional<WeightSet> set;
  WeightHeaders headers;
  Json config;
  WeightSide side;           // of the above; valid as long as they do not move
  bool hashed = false;       // all files of the set are known to the index
  std::string Name() const;  // "ns/name@commit", or the folder's name
};
// `stored` may be null, `set_name` "".  kInvalidArgument when no set has the name.
std::unique_ptr<ComparedRepo> PrepareRepo(const RepoView& view, const StoredRecords* stored,
                                          const std::string& set_name = "");

struct ChangeAnswer {
  std::string question;  // "data", "weights", "precision", "format", "prompt", "licence", "config",
                         // "tokenizer"
  std::string answer;    // "changed", "same", "not stated"
  Finding finding;       // value: one sentence; evidence of both sides
};

struct HeaderChange {
  std::string name, from_name;
  std::string what;  // "added", "removed", "renamed", "shape", "dtype"
  std::string before, after;
};

struct AdapterFacts {
  std::string method;  // "LORA"
  uint64_t rank = 0;
  double alpha = 0;
  double scale = 0;  // alpha / rank, or alpha / sqrt(rank) with rslora
  std::vector<std::string> targets;
  uint64_t parameters = 0;
  double share_of_base = 0;  // of the other side's parameters; 0 = that is not known
};

struct ChangesReport {
  std::string from, to;
  std::vector<ChangeAnswer> answers;
  std::vector<HeaderChange> headers;  // at most 2000
  uint64_t header_changes = 0;        // all of them
  Json from_weights, to_weights;      // {name, format, precision, parameters, by_dtype, bits}
  std::optional<std::pair<uint64_t, uint64_t>>
      vocabulary;  // rows of the table of tokens, when resized
  std::vector<ValueChange> config, generation;
  Json tokenizer;  // {vocabulary, merges, added_tokens, special}: what differs
  std::vector<LineChange> chat_template;
  std::optional<AdapterFacts> adapter;
};
ChangesReport FindChanges(const ComparedRepo& from, const ComparedRepo& to);
// Answers the question about weights from their values, once these were compared.
void AnswerWeights(const WeightDistance& distance, ChangesReport* report);
Json ToJson(const ChangesReport& report);
std::string ChangesText(const ChangesReport& report);

}  // namespace hearth::inspector
