// Keeping the catalog current: loading at start, the observer's side and the indexing thread.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/internal/card_fields.h"
#include "hub/internal/catalog_impl.h"
#include "hub/internal/facts_json.h"

namespace hearth::hub {
namespace {

constexpr std::chrono::hours kLikeWindow{24 * 30};
constexpr std::chrono::hours kLikeRefresh{1};

// One more item of a list written as text.
void Append(std::string_view separator, std::string_view item, std::string* list) {
  if (!list->empty()) *list += separator;
  *list += item;
}

// The columns of repo_facts, in the order of every statement that names them.
enum FactColumn {
  kRepoId,
  kCommitOid,
  kPipelineTag,
  kLibraryName,
  kParameters,
  kMainBytes,
  kTags,
  kJudgedBy,
  kRunTasks,
};
constexpr std::string_view kFactColumns[] = {"repo_id",      "commit_oid", "pipeline_tag",
                                             "library_name", "parameters", "main_bytes",
                                             "tags",         "judged_by",  "run_tasks"};
static_assert(std::size(kFactColumns) == kRunTasks + 1);

std::string SelectFacts() {
  std::string names;
  for (std::string_view column : kFactColumns) Append(", ", column, &names);
  return "SELECT " + names + " FROM repo_facts ORDER BY repo_id";
}

// Writes a row over that of the same repository.
std::string UpsertFacts() {
  std::string names, values, updates;
  for (std::string_view column : kFactColumns) {
    Append(", ", column, &names);
    Append(", ", "?", &values);
    if (column == kFactColumns[kRepoId]) continue;
    Append(", ", std::string(column) + " = excluded." + std::string(column), &updates);
  }
  return "INSERT INTO repo_facts (" + names + ") VALUES (" + values +
         ") ON CONFLICT (repo_id) DO UPDATE SET " + updates;
}

// The `tags` column: a JSON list of tags, then of what a Space links to, behind these marks.
constexpr std::string_view kModelLink = "\x01m:";
constexpr std::string_view kDatasetLink = "\x01d:";

std::string TagColumn(const FactsColumns& columns) {
  std::vector<std::string> list = columns.tags;
  for (const std::string& id : columns.linked_models) list.push_back(std::string(kModelLink) + id);
  for (const std::string& id : columns.linked_datasets)
    list.push_back(std::string(kDatasetLink) + id);
  return Json(list).Dump();
}

FactsColumns ParseTagColumn(std::string_view text) {
  FactsColumns columns;
  if (text.find('\\') != std::string_view::npos) {
    Json list = Json::Parse(text);
    for (std::string& item : TextList(&list)) {
      if (item.starts_with(kModelLink)) {
        columns.linked_models.push_back(item.substr(kModelLink.size()));
      } else if (item.starts_with(kDatasetLink)) {
        columns.linked_datasets.push_back(item.substr(kDatasetLink.size()));
      } else {
        columns.tags.push_back(std::move(item));
      }
    }
    return columns;
  }
  // Without escapes every second quote ends a string: a million rows load in a second or two.
  for (size_t at = text.find('"'); at != std::string_view::npos;) {
    size_t end = text.find('"', at + 1);
    if (end == std::string_view::npos) break;
    columns.tags.emplace_back(text.substr(at + 1, end - at - 1));
    at = text.find('"', end + 1);
  }
  return columns;
}

std::string JoinTasks(const std::vector<std::string>& tasks) {
  std::string text;
  for (const std::string& task : tasks) Append(",", task, &text);
  return text;
}

std::vector<std::string> SplitTasks(std::string_view text) {
  std::vector<std::string> tasks;
  if (text.empty()) return tasks;
  for (std::string_view task : Split(text, ',')) tasks.emplace_back(task);
  return tasks;
}

size_t RoughBytes(const RepoFacts& facts) {
  size_t bytes = sizeof(RepoFacts) + facts.card_text.size() + facts.description.size();
  for (const Sibling& file : facts.siblings) bytes += sizeof(Sibling) + file.path.capacity();
  for (const std::string& tag : facts.tags) bytes += sizeof(std::string) + tag.capacity();
  // A tree of values takes a few times its text.
  for (const Json* part : {&facts.card_data, &facts.config, &facts.gguf, &facts.model_index})
    bytes += 4 * part->Dump().size();
  return bytes;
}

}  // namespace

std::string FactsCache::Key(int64_t repo_id, const GitOid& commit) {
  return std::to_string(repo_id) + ":" + std::string(commit.raw());
}

FactsPtr FactsCache::Find(int64_t repo_id, const GitOid& commit) {
  std::string key = Key(repo_id, commit);
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->facts;
}

void FactsCache::Put(int64_t repo_id, const FactsPtr& facts) {
  Entry entry{Key(repo_id, facts->commit), facts, RoughBytes(*facts)};
  std::lock_guard lock(mutex_);
  if (by_key_.contains(entry.key)) return;
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  Evict();
}

void FactsCache::Evict() {
  while (bytes_ > max_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

void FactsCache::Forget(int64_t repo_id) {
  std::string prefix = std::to_string(repo_id) + ":";
  std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->key.starts_with(prefix)) {
      bytes_ -= entry->bytes;
      by_key_.erase(entry->key);
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

Catalog::Impl::Impl(storage::Database& d, Repos& r, Objects& o, Clock& c, ModelJudge j)
    : db(d), repos(r), objects(o), clock(c), judge(std::move(j)) {}

void Catalog::Impl::Load() {
  // In the order of ids, which is that of the database: a million rows are then filled from front
  // to back instead of all over the memory.
  std::vector<RepoPtr> all;
  repos.ForEach([&all](const RepoPtr& repo) { all.push_back(repo); });
  std::sort(all.begin(), all.end(),
            [](const RepoPtr& a, const RepoPtr& b) { return a->id < b->id; });
  std::unique_lock lock(mutex);
  for (const RepoPtr& repo : all) TableOf(repo->type).Put(repo);
  std::vector<bool> current(all.size());
  db.Read([&](storage::Connection& c) {
    auto next = all.begin();
    c.Query(SelectFacts(), {}, [&](const storage::Row& row) {
      int64_t id = row.Int(kRepoId);
      while (next != all.end() && (*next)->id < id) ++next;
      if (next == all.end() || (*next)->id != id) return;
      const RepoRecord& repo = **next;
      FactsColumns columns = ParseTagColumn(row.Text(kTags));
      columns.pipeline_tag = row.Str(kPipelineTag);
      columns.library_name = row.Str(kLibraryName);
      columns.parameters = static_cast<uint64_t>(row.Int(kParameters));
      columns.main_bytes = static_cast<uint64_t>(row.Int(kMainBytes));
      // Without a judge nothing runs; another one's verdict stands until the next is there.
      if (judge) columns.run_tasks = SplitTasks(row.Text(kRunTasks));
      TableOf(repo.type).SetFacts(id, columns);
      bool judged =
          !judge || repo.type != RepoType::kModel || row.Text(kJudgedBy) == judge.fingerprint;
      current[static_cast<size_t>(next - all.begin())] =
          judged && repo.head && GitOid::FromHex(row.Text(kCommitOid)) == repo.head;
    });
  });
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i]->head && !current[i]) stale_at_load.push_back(all[i]->id);
  }
  lock.unlock();
  LoadRecentLikes();
}

void Catalog::Impl::LoadRecentLikes() {
  std::vector<std::pair<int64_t, uint32_t>> recent;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT repo_id, COUNT(*) FROM likes WHERE created_at > ? GROUP BY repo_id",
            {ToUnixMillis(clock.Now() - kLikeWindow)}, [&](const storage::Row& row) {
              recent.emplace_back(row.Int(0), static_cast<uint32_t>(row.Int(1)));
            });
  });
  std::unordered_map<int64_t, uint32_t> by_id(recent.begin(), recent.end());
  std::unique_lock lock(mutex);
  for (CatalogTable& table : tables) {
    table.live().ForEach([&](uint32_t row) {
      int64_t id = table.RepoAt(row)->id;
      auto found = by_id.find(id);
      table.SetRecentLikes(id, found == by_id.end() ? 0 : found->second);
    });
  }
}

void Catalog::SetReading(int64_t repo_id, const ListedReading& reading) {
  RepoPtr repo = impl_->repos.FindById(repo_id);
  if (!repo || repo->type != RepoType::kModel) return;
  std::unique_lock lock(impl_->mutex);
  impl_->TableOf(repo->type).SetReading(repo_id, reading);
}

// --- observer

void Catalog::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  {
    std::unique_lock lock(impl_->mutex);
    if (before && (!after || before->type != after->type))
      impl_->TableOf(before->type).Remove(before->id);
    if (after) impl_->TableOf(after->type).Put(after);
  }
  if (before && !after) impl_->cache.Forget(before->id);
  bool same = before && after && before->owner == after->owner && before->name == after->name &&
              before->is_private == after->is_private;
  bool space = (after ? after : before)->type == RepoType::kSpace;
  if (space && !same) ++impl_->link_generation;
  // A record that arrives with a head that nobody announced: loaded after another process changed
  // it.
  if (after && after->head && (!before || before->head != after->head)) impl_->Enqueue(after->id);
}

void Catalog::OnRefChanged(const RepoPtr& repo, const std::string& ref,
                           const std::optional<GitOid>& now) {
  if (ref == "refs/heads/main" && now) impl_->Enqueue(repo->id);
}

// --- indexing

void Catalog::Impl::Enqueue(int64_t repo_id) {
  std::lock_guard lock(queue_mutex);
  if (queued.insert(repo_id).second) queue.push_back(repo_id);
  queue_changed.notify_all();
}

bool Catalog::Impl::Store(const RepoRecord& repo, const RepoFacts& facts,
                          const FactsColumns& columns) {
  std::string text = FactsToText(facts);
  return db.WriteValue([&](storage::Connection& c) {
    // The repository may be gone by now, or have moved on: then its next turn is queued.
    if (!c.QueryInt("SELECT id FROM repos WHERE id = ? AND head = ?",
                    {repo.id, facts.commit.Hex()}))
      return false;
    c.Exec(UpsertFacts(), {repo.id, facts.commit.Hex(), facts.pipeline_tag, facts.library_name,
                           facts.parameter_count, facts.main_bytes, TagColumn(columns),
                           facts.run.judged_by, JoinTasks(columns.run_tasks)});
    c.Exec(
        "INSERT INTO repo_fact_texts (repo_id, commit_oid, facts) VALUES (?, ?, ?) "
        "ON CONFLICT (repo_id) DO UPDATE SET commit_oid = excluded.commit_oid, facts = "
        "excluded.facts",
        {repo.id, facts.commit.Hex(), text});
    return true;
  });
}

void Catalog::IndexNow(const RepoPtr& given) {
  RepoPtr repo = impl_->repos.FindById(given->id);
  if (!repo || !repo->head) return;
  RepoHandle handle = impl_->repos.OpenAsSystem(repo);
  FactsPtr facts = impl_->cache.Find(repo->id, *repo->head);
  if (!facts)
    facts = std::make_shared<const RepoFacts>(
        ComputeFacts(handle, impl_->objects, *repo->head, impl_->judge));
  impl_->cache.Put(repo->id, facts);
  FactsColumns columns = ColumnsOf(*facts);
  {
    // Row and columns change in the same order, whoever else indexes.
    std::lock_guard turn(impl_->store_mutex);
    if (!impl_->Store(*repo, *facts, columns)) return;
    std::unique_lock lock(impl_->mutex);
    impl_->TableOf(repo->type).SetFacts(repo->id, columns);
  }
  if (repo->type == RepoType::kSpace) ++impl_->link_generation;
  for (const FactsListener& listener : impl_->facts_listeners) listener(handle, *facts);
  // Cached answers about the repository are keyed by its version.
  impl_->repos.Touch(repo->id, [](RepoRecord&) {});
}

void Catalog::Start() {
  Stop();
  {
    std::lock_guard lock(impl_->queue_mutex);
    impl_->stopping = false;
  }
  for (int64_t id : impl_->stale_at_load) impl_->Enqueue(id);
  impl_->stale_at_load.clear();
  impl_->worker = std::thread([this] {
    TimePoint likes_read = impl_->clock.Now();
    std::unique_lock lock(impl_->queue_mutex);
    while (true) {
      impl_->queue_changed.wait_for(lock, std::chrono::minutes(1),
                                    [this] { return impl_->stopping || !impl_->queue.empty(); });
      if (impl_->stopping) return;
      int64_t id = 0;
      if (!impl_->queue.empty()) {
        id = impl_->queue.front();
        impl_->queue.pop_front();
        impl_->queued.erase(id);
        ++impl_->running;
      }
      lock.unlock();
      try {
        RepoPtr repo = id == 0 ? nullptr : impl_->repos.FindById(id);
        if (repo) IndexNow(repo);
        if (impl_->clock.Now() - likes_read > kLikeRefresh) {
          likes_read = impl_->clock.Now();
          impl_->LoadRecentLikes();
        }
      } catch (const std::exception& fault) {
        // Its old facts stay; the next commit or the next start tries again.
        log::Warning("a repository could not be indexed",
                     {{"repo_id", std::to_string(id)}, {"reason", fault.what()}});
      }
      lock.lock();
      if (id != 0) --impl_->running;
      impl_->queue_changed.notify_all();
    }
  });
}

void Catalog::Stop() {
  {
    std::lock_guard lock(impl_->queue_mutex);
    impl_->stopping = true;
  }
  impl_->queue_changed.notify_all();
  if (impl_->worker.joinable()) impl_->worker.join();
}

bool Catalog::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->queue_mutex);
  return impl_->queue_changed.wait_for(
      lock, timeout, [this] { return impl_->queue.empty() && impl_->running == 0; });
}

size_t Catalog::Waiting() const {
  std::lock_guard lock(impl_->queue_mutex);
  return impl_->queue.size() + impl_->running;
}

// --- facts

FactsPtr Catalog::Impl::LoadStored(const RepoRecord& repo, const GitOid& commit) {
  std::optional<std::string> text;
  db.Read([&](storage::Connection& c) {
    text = c.QueryOne("SELECT facts FROM repo_fact_texts WHERE repo_id = ? AND commit_oid = ?",
                      {repo.id, commit.Hex()}, [](const storage::Row& row) { return row.Str(0); });
  });
  if (!text) return nullptr;
  try {
    RepoFacts facts = FactsFromText(*text);
    if (!judge) facts.run = {};
    bool judged =
        !judge || repo.type != RepoType::kModel || facts.run.judged_by == judge.fingerprint;
    return judged ? std::make_shared<const RepoFacts>(std::move(facts)) : nullptr;
  } catch (const Error& error) {
    return nullptr;
  }
}

FactsPtr Catalog::FactsOf(const RepoHandle& repo, const GitOid& commit) const {
  int64_t id = repo.record().id;
  if (FactsPtr cached = impl_->cache.Find(id, commit)) return cached;
  FactsPtr facts = impl_->LoadStored(repo.record(), commit);
  if (!facts)
    facts =
        std::make_shared<const RepoFacts>(ComputeFacts(repo, impl_->objects, commit, impl_->judge));
  impl_->cache.Put(id, facts);
  return facts;
}

}  // namespace hearth::hub
