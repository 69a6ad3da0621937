// The index behind lists, filters, search and counts: an in-memory, column-wise table of all
// repositories with one posting list per tag, fed from the database at start and from
// Indexer/RepoObserver afterwards. A query over a million repositories is a bitmap intersection and
// a walk along a sorted column: milliseconds, no SQL. Thread-safe: readers share a lock, updates
// are short.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bitmap.h"
#include "codec/json.h"
#include "hub/actor.h"
#include "hub/facets.h"
#include "hub/facts.h"
#include "hub/listed_reading.h"
#include "hub/repos.h"

namespace hearth::hub {

enum class SortKey {
  kTrending,
  kCreated,
  kModified,
  kDownloads,
  kLikes,
  kParameters,
  kMainSize,
  kRecentLikes,  // of the last 30 days
  kId,           // by name, the others by a number
};
std::optional<SortKey> ParseSortKey(std::string_view name);  // wire names

struct CatalogQuery {
  RepoType type = RepoType::kModel;
  std::vector<std::string> search;  // each: substring of the id, any case
  std::string author;
  std::vector<std::string> filters;  // tags, AND
  std::string pipeline_tag;
  std::optional<bool> gated;
  std::optional<uint64_t> min_parameters, max_parameters;
  // Spaces that name this model or data set on their card.
  std::vector<std::string> linked_models, linked_datasets;
  bool linked = false;  // Spaces that name any
  // Models that this hub can run for the task; "" = for any.
  std::optional<std::string> run_task;
  // (key, value), as ApplyFacet of hub/facets.h adds them.
  std::vector<std::pair<std::string, std::string>> facets;
  SortKey sort = SortKey::kTrending;
  bool ascending = false;
  size_t limit = 1000;
  std::string cursor;  // opaque, from a former page
};

struct CatalogPage {
  std::vector<RepoPtr> repos;
  std::string next_cursor;  // "" = last page
  size_t total = 0;         // matches that the actor may see, on all pages
};

// What a list shows of a repository without reading its facts.
struct RepoSummary {
  std::vector<std::string> tags;  // in the wire order
  std::string pipeline_tag;
  std::string library_name;
  // 10 for each like of the last 30 days, plus the square root of the downloads of the last 30
  // days: attention counts for more than traffic, and a mirror that downloads all day does not
  // climb.
  int64_t trending = 0;
  uint64_t parameters = 0;
  uint64_t main_bytes = 0;
  std::vector<std::string> run_tasks;  // of RunVerdict
};

class Catalog : public RepoObserver {
 public:
  // Models are judged by `judge` whenever their facts are computed; stored verdicts of another one
  // count as stale.
  Catalog(storage::Database& db, Repos& repos, Objects& objects, Clock& clock,
          ModelJudge judge = {});
  ~Catalog() override;

  CatalogPage List(const Actor& actor, const CatalogQuery& query) const;
  size_t Count(const Actor& actor, const CatalogQuery& query) const;
  // The facets of the list that the query describes, with counts (hub/facets.h). Those of callers
  // who see what everybody sees, or everything, are kept until a list may have changed.
  Facets FacetsOf(const Actor& actor, const CatalogQuery& query,
                  const FacetOptions& options = {}) const;
  // Database ids of the list's repositories that the actor may see; sort and page do not count.
  Bitmap VisibleIds(const Actor& actor, const CatalogQuery& query) const;
  // What the inspector says of main, for the facets "kind" and "fits".
  void SetReading(int64_t repo_id, const ListedReading& reading);
  // Told of the facts of a main revision after they were stored, on the thread that computed them.
  // Set before Start.
  using FactsListener = std::function<void(const RepoHandle& repo, const RepoFacts& facts)>;
  void AddFactsListener(FactsListener listener);
  // Repositories whose "owner/name" holds the text, any case: of that name first, then those whose
  // name begins with it, whose owner does, others; in each of these the most trending first.
  // `total` counts what the actor sees, up to kMaxQuickCount.
  static constexpr size_t kMaxQuickCount = 20'000;
  std::vector<RepoPtr> QuickSearch(const Actor& actor, RepoType type, std::string_view text,
                                   size_t limit, size_t* total) const;
  // Empty when the catalog does not know the repository (yet).
  RepoSummary SummaryOf(const RepoRecord& repo) const;
  // Grows when which Spaces name which repositories may have changed: part of the key of cached
  // answers that show them.
  uint64_t LinkGeneration() const;
  // {type: [{id,label,type,...}]} of the tags in use, by the groups of /api/{T}-tags-by-type.
  Json TagsByType(RepoType type) const;

  // Facts of main, or computed on the spot (and cached) for another commit. Never null.
  FactsPtr FactsOf(const RepoHandle& repo, const GitOid& commit) const;

  // RepoObserver: keeps columns current and queues indexing.
  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override;
  void OnRefChanged(const RepoPtr& repo, const std::string& ref,
                    const std::optional<GitOid>& now) override;

  // Indexing job: computes and stores facts for repositories whose main moved. Start launches the
  // worker thread; Stop joins it. IndexNow runs one in the caller's thread (fsck, tests).
  void Start();
  void Stop();
  void IndexNow(const RepoPtr& repo);
  // False when models of this hub do not run.
  bool judges() const;

  // What people reach for first, by task: the most downloaded of what the actor may see, as List
  // with that task sorts them. All tasks in one pass.
  struct TaskLeaders {
    std::vector<RepoPtr> models, datasets;
    // The first model that is not gated, and that this hub can run for the task if it runs any.
    RepoPtr open_model;
  };
  std::vector<TaskLeaders> LeadersOf(const Actor& actor, const std::vector<std::string>& tasks,
                                     size_t limit) const;
  // Blocks until nothing is queued (tests and admin); false on timeout.
  bool WaitIdle(std::chrono::milliseconds timeout) const;
  // Repositories that are queued or being indexed.
  size_t Waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
