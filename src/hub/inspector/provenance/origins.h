// Where the weights of a repository come from: a graph of repositories at commits, its edges typed
// and each a finding.
//
// Proved by bytes: copies (every weight tensor of this repository is another's), shared tensors
// (frozen layers), a quantised, converted or fine-tuned form of a named base (dequantised or plain
// values lie close to the base's). Declared: what cards, configurations and headers name; a shape
// check agrees with that or refutes it. Bytes have no direction: which of two equal repositories
// came first is not said. Only repositories that the caller may read take part. One thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/provenance/changes.h"
#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/tensor_scan.h"

namespace hearth::inspector {

// Another repository that holds some of the asked tensors on its main branch.
struct TensorHolder {
  std::string type, id, commit;
  std::vector<std::pair<std::string, FileRecords>> files;  // path, records
};
class TensorJoin {
 public:
  virtual ~TensorJoin() = default;
  // Most shared first; never the repository that is asked about, nor one that the caller may not
  // read. `more` becomes true when there are others.
  virtual std::vector<TensorHolder> FindHolders(std::span<const TensorHash> hashes,
                                                bool* more) const = 0;
};

struct OriginEdge {
  std::string from, to;  // "ns/name@commit", or "ns/name" when it is not here
  // "copy", "shares_tensors", "finetune", "quantized", "converted", "adapter", "merge", "base"
  std::string relation;
  Finding finding;  // value: one sentence
  Json details;     // counts, the verdict of the shape check, distances
};

struct Origins {
  std::string repo;
  uint64_t weight_files = 0, indexed_files = 0;
  std::vector<OriginEdge> edges;
  bool more_holders = false;
};

struct OriginsInput {
  const RepoView* view = nullptr;
  const StoredRecords* stored = nullptr;  // may be null: then nothing is told by digests
  const TensorJoin* join = nullptr;       // may be null
  const Neighbours* neighbours = nullptr;
};
Origins FindOrigins(const OriginsInput& input);
Json ToJson(const Origins& origins);

}  // namespace hearth::inspector
