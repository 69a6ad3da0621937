// Full-text search over all repositories: names, tags, cards, file names and code. Keeps the index
// (search/index.h) in step with the hub and searches it for an actor.
//
// Access: the set of what the actor may see is made first, and nothing outside of it has a part in
// matches, counts, facets, snippets or corrections.
//
// The index lies in <data>/search and is made again from git and the stored facts wherever it lacks
// something. A commit is found as soon as its facts are (within a second). Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/catalog.h"
#include "hub/facets.h"
#include "hub/semantic_order.h"
#include "search/index.h"
#include "search/snippet.h"

namespace hearth::hub {

struct FullTextQuery {
  std::string text;              // search/query.h; filters: author task license library lang type
  std::optional<RepoType> type;  // nullopt = all
  // Further conditions of one type's list (facets, filters, author); its `type` counts when
  // `restricts`.
  CatalogQuery list;
  bool restricts = false;
  size_t skip = 0;
  size_t limit = 20;
  bool with_facets = false;  // of the wanted type; ignored for all
  size_t snippet_bytes = 240;
};

struct FullTextHit {
  RepoPtr repo;
  float score = 0;  // only its order means something
  search::Snippet snippet;
  std::string file;  // where the snippet is from: "README.md", "app.py"
  std::vector<std::pair<uint32_t, uint32_t>> name_matches;  // in "owner/name"
};

struct FullTextPage {
  std::vector<FullTextHit> hits;
  size_t total = 0;                             // of the wanted type
  size_t models = 0, datasets = 0, spaces = 0;  // whatever type is wanted
  bool relaxed = false;                         // some words are missing in what was found
  std::string corrected;                        // the query without misspellings; "" = it has none
  std::optional<Facets> facets;
};

class FullText : public RepoObserver {
 public:
  FullText(std::filesystem::path folder, storage::Database& db, Repos& repos, Catalog& catalog);
  ~FullText() override;

  // Throws kInvalidArgument for a filter that cannot be, or a page too far.
  FullTextPage Find(const Actor& actor, const FullTextQuery& query) const;

  // From the catalog, whenever the facts of a main revision are there.
  void OnFacts(const RepoHandle& repo, const RepoFacts& facts);
  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override;
  void OnRefChanged(const RepoPtr&, const std::string&, const std::optional<GitOid>&) override {}

  // Start compares the index with the hub and puts what is missing, in a thread of its own.
  void Start();
  void Stop();
  // Waits until everything known is visible (tests, benches); false on timeout.
  bool WaitCurrent(std::chrono::milliseconds timeout) const;
  search::IndexStats stats() const;
  // What orders the best matches by meaning too, once it was given a model.
  SemanticOrder& meaning();
  // Repositories that are still to be put into the index.
  size_t Waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
