// One repository at one commit as a column of a comparison: what the inspector's rules say of it,
// cut into rows that stand beside those of another repository. The rows are a table (rows.inc); one
// line and one Set adds one.
//
// Two steps. DescribeAlone reads the files: it is the same for whoever may read the repository and
// may be kept per commit. DescribeAmong adds what depends on who asks and when: the chain of
// licences, where the weights come from, what scans have found. Nothing of popularity is in either.
// Pure apart from reads; one view, one thread. Errors: those of the view, for a damaged repository.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/fit/devices.h"
#include "hub/inspector/fit/runtimes.h"
#include "hub/inspector/kind/classify.h"
#include "hub/inspector/provenance/origins.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

struct PortraitRow {
  std::string_view group;  // "licence"
  std::string_view row;    // "effective"
  std::string_view title;  // "In effect"
  std::string_view types;  // of repositories that it applies to: letters of "mds"
};
// In the order of reading.
std::span<const PortraitRow> PortraitRows();
// "licence" -> "Licence and duties"
std::string_view GroupTitle(std::string_view group);

struct Cell {
  Finding finding;   // value: as data
  std::string text;  // for people, one line; "" = missing
};

// How far scans are with the files, and what they found.
struct ScanSummary {
  std::string state;               // the worst of all files: "safe", "unsafe", "queued"...
  std::vector<Evidence> evidence;  // files that are not safe, the worst first
  Json counts;                     // state -> files
};

// What a portrait is made from. Readings are those of inspect_repo.h, as JSON.
struct PortraitInput {
  const RepoView* view = nullptr;
  const Neighbours* neighbours = nullptr;  // null: no other repository is here
  const StoredRecords* stored = nullptr;   // null: no tensors are indexed
  const TensorJoin* join = nullptr;        // null: the same
  Classification kinds;                    // resolved for the caller
  Json reading_order, card_score;
  OwnVerdict own;
  std::vector<Device> devices;  // beside this node; at most kMaxPortraitDevices
  std::optional<ScanSummary> scans;
  std::string created, changed;  // ISO 8601; "" = not known
};
inline constexpr size_t kMaxPortraitDevices = 4;

struct Portrait {
  std::string type, id, commit;
  // Row -> cell, in no order. A row that is not here is missing.
  std::vector<std::pair<std::string, Cell>> cells;
  // Rows of this portrait's devices: "fit_0" -> "On RTX 4090". Equal for equal devices.
  std::vector<std::pair<std::string, std::string>> device_rows;
  // Edges of where it comes from, for "which of these is the baseline".
  std::vector<OriginEdge> origins;

  const Cell* Find(std::string_view row) const;  // nullptr = missing
  std::string TextOf(std::string_view row) const;
  void Set(std::string_view row, Cell cell);
};

Portrait DescribeAlone(const PortraitInput& input);
void DescribeAmong(const PortraitInput& input, Portrait* portrait);

// "models/ns/name@commit": how a repository is named in addresses. `commit` may be "".
std::string SpecOf(std::string_view type, std::string_view id, std::string_view commit);
// The reverse: "models/a/b@rev", "datasets/a/b", "a/b" (a model), "models/gpt2". Throws
// kInvalidArgument.
struct RepoSpec {
  std::string type = "model";
  std::string id;
  std::string revision;  // "" = main
};
RepoSpec ParseRepoSpec(std::string_view text);

}  // namespace hearth::inspector
