#include "hub/full_text.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/internal/search_document.h"
#include "search/searcher.h"
#include "text/utf8.h"

namespace hearth::hub {
namespace {

constexpr RepoType kTypes[] = {RepoType::kModel, RepoType::kDataset, RepoType::kSpace};
constexpr std::string_view kKeys[] = {"author", "task",     "license", "library",
                                      "lang",   "language", "type"};
// Nobody reads further, and the best of so many are kept while ranking.
constexpr size_t kMaxReach = 1000;
// Ids are numbers of the database, counted from 1: more repositories than this were never made.
constexpr int64_t kMaxId = UINT32_MAX - 64;
constexpr std::chrono::seconds kLostCheck{5};
// Of each text that tells what a repository is about; models read a few hundred words at most.
constexpr size_t kPassageBytes = 1200;
constexpr std::chrono::seconds kPassageWait{2};

// What the words before a colon ask for, as conditions of lists. The types that remain.
std::vector<RepoType> ApplyFilters(const search::Query& query, const FullTextQuery& wanted,
                                   std::array<CatalogQuery, 3>* lists) {
  std::vector<RepoType> types(std::begin(kTypes), std::end(kTypes));
  for (const auto& [key, value] : query.filters) {
    if (key == "type") {
      std::optional<RepoType> type = ParseRepoType(value);
      if (!type)
        throw Error(Code::kInvalidArgument, "invalid type: expected model, dataset or space");
      std::erase_if(types, [&type](RepoType other) { return other != *type; });
      continue;
    }
    std::string_view facet = key == "lang" ? std::string_view("language") : key;
    std::string lower = key == "author" ? value : AsciiLower(value);
    std::erase_if(types, [&](RepoType type) {
      return !ApplyFacet(facet, lower, &(*lists)[static_cast<size_t>(type)]);
    });
  }
  if (wanted.restricts)
    std::erase_if(types, [&wanted](RepoType type) { return type != wanted.list.type; });
  return types;
}

// The file that a place of the code field is in.
std::string FileAt(const std::string& code, std::string_view passage) {
  size_t at = code.find(passage);
  if (at == std::string::npos) return "";
  size_t mark = code.rfind(kFileMark, at);
  if (mark == std::string::npos) return "";
  return code.substr(mark + 1, code.find('\n', mark) - mark - 1);
}

struct Wanted {
  const search::Query& query;
  const Bitmap &allowed, &chosen;
  size_t skip, limit;

  search::SearchResult In(const search::SnapshotPtr& snapshot) const {
    return search::Search(snapshot, query, allowed, chosen, skip, limit);
  }
};

}  // namespace

struct FullText::Impl {
  Impl(std::filesystem::path folder, storage::Database& db, Repos& r, Catalog& c)
      : repos(r),
        catalog(c),
        index(std::move(folder)),
        meaning(db, {.ids = [this] { return index.Ids(); },
                     .stamp = [this](uint32_t id) { return index.StampOf(id); },
                     .passage = [this](uint32_t id) { return PassageOf(id); }}) {}

  void Enqueue(int64_t id) {
    std::lock_guard lock(mutex);
    if (queued.insert(id).second) queue.push_back(id);
    changed.notify_all();
  }
  void Reconcile();
  void PutNow(int64_t id);
  void Put(search::Document document);
  // What a repository is about, as its model of search reads it; empty when it is not there.
  std::string PassageOf(uint32_t id);
  search::SearchResult FindBest(search::SnapshotPtr* snapshot, Wanted wanted);
  void Run();
  search::SearchResult SearchSound(search::SnapshotPtr* snapshot, const Wanted& wanted);
  std::optional<search::Texts> TextsOf(const search::SnapshotPtr& snapshot, uint32_t id);
  FullTextHit MakeHit(const search::SnapshotPtr& snapshot, const search::SearchHit& hit,
                      const std::vector<std::string>& terms, size_t snippet_bytes);

  Repos& repos;
  Catalog& catalog;
  search::Index index;
  SemanticOrder meaning;  // before the index it dies

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::deque<int64_t> queue;
  std::unordered_set<int64_t> queued;
  bool reconciling = false, stopping = false;
  size_t running = 0;
  std::thread worker;
};

// --- keeping in step

void FullText::Impl::Reconcile() {
  std::unordered_set<uint32_t> known;
  repos.ForEach([&](const RepoPtr& repo) {
    if (!repo->head || repo->id > kMaxId) return;
    auto id = static_cast<uint32_t>(repo->id);
    known.insert(id);
    if (index.StampOf(id) != DocumentStamp(*repo)) Enqueue(repo->id);
  });
  for (uint32_t id : index.Ids()) {
    if (!known.contains(id)) index.Remove(id);
  }
}

void FullText::Impl::PutNow(int64_t id) {
  RepoPtr repo = repos.FindById(id);
  if (!repo || !repo->head || id > kMaxId) return;
  if (index.StampOf(static_cast<uint32_t>(id)) == DocumentStamp(*repo)) return;
  RepoHandle handle = repos.OpenAsSystem(repo);
  try {
    Put(MakeDocument(handle, *catalog.FactsOf(handle, *repo->head)));
  } catch (const Error&) {
    // Its git is damaged, which fsck tells: it is still found by its name and what was known of it.
    RepoSummary summary = catalog.SummaryOf(*repo);
    RepoFacts known;
    known.tags = summary.tags;
    known.pipeline_tag = summary.pipeline_tag;
    Put(MakeDocument(handle, known));
  }
}

void FullText::Impl::Put(search::Document document) {
  uint32_t id = document.id;
  index.Put(std::move(document));
  meaning.Want(id);
}

std::string FullText::Impl::PassageOf(uint32_t id) {
  index.WaitVisible(kPassageWait);
  auto texts = TextsOf(index.snapshot(), id);
  if (!texts) return {};
  std::string passage;
  for (search::Field field : {search::Field::kName, search::Field::kTags, search::Field::kBody}) {
    const std::string& text = (*texts)[static_cast<size_t>(field)];
    if (text.empty()) continue;
    if (!passage.empty()) passage += ". ";
    passage += TruncateUtf8Bytes(text, kPassageBytes);
  }
  return passage;
}

void FullText::Impl::Run() {
  try {
    Reconcile();
  } catch (const std::exception& fault) {
    log::Warning("the search index could not be compared with the hub", {{"reason", fault.what()}});
  }
  std::unique_lock lock(mutex);
  reconciling = false;
  changed.notify_all();
  while (!stopping) {
    changed.wait_for(lock, kLostCheck, [this] { return stopping || !queue.empty(); });
    if (stopping) return;
    int64_t id = 0;
    if (!queue.empty()) {
      id = queue.front();
      queue.pop_front();
      queued.erase(id);
      ++running;
    }
    lock.unlock();
    try {
      if (id != 0) PutNow(id);
      for (uint32_t lost : index.TakeLost()) Enqueue(lost);
    } catch (const std::exception& fault) {
      // The next commit or the next start tries again.
      log::Warning("a repository could not be put into the search index",
                   {{"repo_id", std::to_string(id)}, {"reason", fault.what()}});
    }
    lock.lock();
    if (id != 0) --running;
    changed.notify_all();
  }
}

FullText::FullText(std::filesystem::path folder, storage::Database& db, Repos& repos,
                   Catalog& catalog)
    : impl_(std::make_unique<Impl>(std::move(folder), db, repos, catalog)) {}

FullText::~FullText() { Stop(); }

void FullText::OnFacts(const RepoHandle& repo, const RepoFacts& facts) {
  // A repository that moved on meanwhile comes again.
  if (repo.record().id > kMaxId || repo.record().head != facts.commit) return;
  impl_->Put(MakeDocument(repo, facts));
}

void FullText::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  if (!after) {
    if (before && before->id <= kMaxId) impl_->index.Remove(static_cast<uint32_t>(before->id));
    return;
  }
  // A new head is put when its facts are there; other changes of the document are seen here.
  if (before && after->head && before->head == after->head &&
      DocumentStamp(*before) != DocumentStamp(*after))
    impl_->Enqueue(after->id);
}

void FullText::Start() {
  Stop();
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = false;
    impl_->reconciling = true;
  }
  impl_->worker = std::thread([this] { impl_->Run(); });
}

void FullText::Stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  if (impl_->worker.joinable()) impl_->worker.join();
  impl_->meaning.Stop();
}

bool FullText::WaitCurrent(std::chrono::milliseconds timeout) const {
  auto until = std::chrono::steady_clock::now() + timeout;
  {
    std::unique_lock lock(impl_->mutex);
    if (!impl_->changed.wait_until(lock, until, [this] {
          return !impl_->reconciling && impl_->queue.empty() && impl_->running == 0;
        }))
      return false;
  }
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  return impl_->index.WaitVisible(std::max(left, std::chrono::milliseconds(0)));
}

search::IndexStats FullText::stats() const { return impl_->index.stats(); }

size_t FullText::Waiting() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->queue.size() + impl_->running;
}

// --- searching

// Where a segment is damaged, the others are searched, and it is made again.
search::SearchResult FullText::Impl::SearchSound(search::SnapshotPtr* snapshot,
                                                 const Wanted& wanted) {
  try {
    return wanted.In(*snapshot);
  } catch (const Error& error) {
    if (error.code() != Code::kInternal) throw;
  }
  auto sound = std::make_shared<search::Snapshot>(**snapshot);
  std::erase_if(sound->layers, [&](const search::Snapshot::Layer& layer) {
    auto alone = std::make_shared<search::Snapshot>(**snapshot);
    alone->layers = {layer};
    try {
      wanted.In(alone);
      return false;
    } catch (const Error& error) {
      index.DropDamaged(layer.segment);
      return true;
    }
  });
  *snapshot = sound;
  return wanted.In(*snapshot);
}

std::optional<search::Texts> FullText::Impl::TextsOf(const search::SnapshotPtr& snapshot,
                                                     uint32_t id) {
  try {
    return search::ReadTexts(snapshot, id);
  } catch (const Error& error) {
    for (const search::Snapshot::Layer& layer : snapshot->layers) {
      if (layer.live.Has(id)) index.DropDamaged(layer.segment);
    }
    return std::nullopt;
  }
}

FullTextHit FullText::Impl::MakeHit(const search::SnapshotPtr& snapshot,
                                    const search::SearchHit& found,
                                    const std::vector<std::string>& terms, size_t snippet_bytes) {
  FullTextHit hit;
  hit.repo = repos.FindById(found.id);
  if (!hit.repo) return hit;
  hit.score = found.score;
  hit.name_matches = search::FindMatches(hit.repo->FullName(), terms, true);
  std::optional<search::Texts> texts = TextsOf(snapshot, found.id);
  if (!texts) return hit;
  hit.snippet = search::MakeSnippet(*texts, terms, snippet_bytes);
  if (hit.snippet.field == search::Field::kBody) {
    hit.file = "README.md";
  } else if (hit.snippet.field == search::Field::kCode) {
    hit.file = FileAt((*texts)[static_cast<size_t>(search::Field::kCode)], hit.snippet.text);
    std::replace(hit.snippet.text.begin(), hit.snippet.text.end(), kFileMark, ' ');
  }
  return hit;
}

// The best of the matches are in the order of their meaning too.
search::SearchResult FullText::Impl::FindBest(search::SnapshotPtr* snapshot, Wanted wanted) {
  constexpr size_t kReach = SemanticOrder::kReach;
  const search::Query& query = wanted.query;
  size_t skip = wanted.skip, limit = wanted.limit;
  if (skip >= kReach || query.words.empty() || !meaning.active())
    return SearchSound(snapshot, wanted);
  wanted.skip = 0;
  wanted.limit = std::max(kReach, skip + limit);
  search::SearchResult result = SearchSound(snapshot, wanted);
  std::vector<search::SearchHit>& hits = result.hits;
  std::string words;
  for (const search::QueryWord& word : query.words) {
    if (!words.empty()) words += ' ';
    words += query.text.substr(word.begin, word.end - word.begin);
  }
  meaning.Blend(words, std::span(hits).first(std::min(kReach, hits.size())));
  hits.erase(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(std::min(skip, hits.size())));
  if (hits.size() > limit) hits.resize(limit);
  return result;
}

SemanticOrder& FullText::meaning() { return impl_->meaning; }

FullTextPage FullText::Find(const Actor& actor, const FullTextQuery& wanted) const {
  if (wanted.skip + wanted.limit > kMaxReach)
    throw Error(Code::kInvalidArgument, "only the first 1000 matches can be read");
  search::Query query = search::ParseQuery(wanted.text, kKeys);
  std::array<CatalogQuery, 3> lists;
  for (RepoType type : kTypes) lists[static_cast<size_t>(type)].type = type;
  if (wanted.restricts) lists[static_cast<size_t>(wanted.list.type)] = wanted.list;
  std::vector<RepoType> types = ApplyFilters(query, wanted, &lists);
  FullTextPage page;
  if (query.empty() && query.filters.empty()) return page;
  search::SnapshotPtr snapshot = impl_->index.snapshot();
  // Of all types at first, so that the counts of the others are known: then of the wanted one.
  std::array<Bitmap, 3> seen;
  Bitmap allowed, chosen;
  for (RepoType type : types) {
    Bitmap& ids = seen[static_cast<size_t>(type)];
    ids = impl_->catalog.VisibleIds(actor, lists[static_cast<size_t>(type)]);
    allowed.Or(ids);
    if (!wanted.type || *wanted.type == type) chosen.Or(ids);
  }
  search::SearchResult result =
      impl_->FindBest(&snapshot, {query, allowed, chosen, wanted.skip, wanted.limit});
  page.relaxed = result.relaxed;
  page.corrected = result.corrected;
  page.models = seen[0].CountAnd(result.matches);
  page.datasets = seen[1].CountAnd(result.matches);
  page.spaces = seen[2].CountAnd(result.matches);
  page.total = chosen.CountAnd(result.matches);
  for (const search::SearchHit& found : result.hits) {
    FullTextHit hit = impl_->MakeHit(snapshot, found, result.terms, wanted.snippet_bytes);
    if (hit.repo) page.hits.push_back(std::move(hit));
  }
  if (wanted.with_facets && wanted.type) {
    FacetOptions options;
    options.among = &result.matches;
    page.facets = impl_->catalog.FacetsOf(actor, lists[static_cast<size_t>(*wanted.type)], options);
  }
  return page;
}

}  // namespace hearth::hub
