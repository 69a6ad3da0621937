#include "hub/inspections.h"

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "hub/card_words.h"
#include "hub/repo_view.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kRule = "repository";
// A reading takes some ten kilobytes: a page that is asked for again and again is served from here.
constexpr size_t kMaxCachedBytes = 32u << 20;

std::string SummaryOf(const inspector::Classification& kinds) {
  std::string text;
  for (const inspector::KindFinding& kind : kinds.kinds) {
    if (!text.empty()) text += ',';
    text += kind.kind + ":" + std::string(inspector::LevelName(kind.level));
  }
  return text;
}

uint64_t UintOf(const Json* json) { return json != nullptr ? json->AsUint().value_or(0) : 0; }

std::string TextOfReading(const KeptReading& reading) {
  return Json::Obj({{"kinds", inspector::KeptJson(reading.kinds)},
                    {"reading_order", reading.reading_order},
                    {"card_score", reading.card_score},
                    {"gpu_bytes", reading.need.gpu_bytes},
                    {"cpu_bytes", reading.need.cpu_bytes}})
      .Dump();
}

KeptReadingPtr ParseReading(const std::string& text) {
  try {
    Json json = Json::Parse(text);
    auto reading = std::make_shared<KeptReading>();
    const Json* kinds = json.Find("kinds");
    if (kinds == nullptr) return nullptr;
    reading->kinds = inspector::ClassificationFromJson(*kinds);
    if (const Json* order = json.Find("reading_order")) reading->reading_order = *order;
    if (const Json* score = json.Find("card_score")) reading->card_score = *score;
    reading->need.gpu_bytes = UintOf(json.Find("gpu_bytes"));
    reading->need.cpu_bytes = UintOf(json.Find("cpu_bytes"));
    return reading;
  } catch (const Error&) {
    return nullptr;  // then it is made anew
  }
}

}  // namespace

struct Inspections::Impl {
  Impl(storage::Database& d, Repos& r, const Objects& o) : db(d), repos(r), objects(o) {}

  struct Entry {
    std::string key;
    KeptReadingPtr reading;
    size_t bytes;
  };

  // A repository under another name or type of the same id does not exist, but the name is part of
  // what is read (publisher, examples).
  static std::string KeyOf(const RepoRecord& repo, const GitOid& commit) {
    return std::to_string(repo.id) + ":" + commit.Hex() + ":" + repo.FullName();
  }

  KeptReadingPtr FindCached(const std::string& key) {
    std::lock_guard lock(cache_mutex);
    auto found = by_key.find(key);
    if (found == by_key.end()) return nullptr;
    entries.splice(entries.begin(), entries, found->second);
    return found->second->reading;
  }

  void Cache(const std::string& key, const KeptReadingPtr& reading, size_t bytes) {
    std::lock_guard lock(cache_mutex);
    if (by_key.contains(key)) return;
    entries.push_front({key, reading, bytes});
    by_key.emplace(entries.front().key, entries.begin());
    cached_bytes += bytes;
    while (cached_bytes > kMaxCachedBytes && entries.size() > 1) {
      cached_bytes -= entries.back().bytes;
      by_key.erase(entries.back().key);
      entries.pop_back();
    }
  }

  std::optional<std::string> LoadText(const RepoRecord& repo, const GitOid& commit) {
    return db.ReadValue([&](storage::Connection& c) {
      return c.QueryOne(
          "SELECT result FROM inspections WHERE repo_id = ? AND rule = ? AND commit_oid = ? AND "
          "version = ?",
          {repo.id, kRule, StoredCommit(repo, commit), inspector::kRepoRules},
          [](const storage::Row& row) { return row.Str(0); });
    });
  }

  // The name is part of what was read: a renamed repository is read anew.
  static std::string StoredCommit(const RepoRecord& repo, const GitOid& commit) {
    return commit.Hex() + " " + repo.FullName();
  }

  // False when the repository is no longer at that commit.
  bool Store(const RepoRecord& repo, const GitOid& commit, const ListedReading& listed,
             const std::string& text) {
    return db.WriteValue([&](storage::Connection& c) {
      if (!c.QueryInt("SELECT id FROM repos WHERE id = ? AND head = ?", {repo.id, commit.Hex()}))
        return false;
      c.Exec(
          "INSERT INTO inspections (repo_id, rule, commit_oid, version, summary, gpu_bytes, "
          "cpu_bytes, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repo_id, rule) DO "
          "UPDATE SET commit_oid = excluded.commit_oid, version = excluded.version, summary = "
          "excluded.summary, gpu_bytes = excluded.gpu_bytes, cpu_bytes = excluded.cpu_bytes, "
          "result = excluded.result",
          {repo.id, kRule, StoredCommit(repo, commit), inspector::kRepoRules, listed.kinds,
           listed.gpu_bytes, listed.cpu_bytes, text});
      return true;
    });
  }

  KeptReadingPtr Make(const RepoHandle& repo, const GitOid& commit) {
    std::unique_ptr<inspector::RepoView> view = OpenRepoView(repo, objects, commit);
    inspector::RepoReading made = inspector::ReadRepo(*view, CardWords());
    auto reading = std::make_shared<KeptReading>();
    reading->kinds = std::move(made.kinds);
    reading->reading_order = inspector::ToJson(made.order);
    reading->card_score = inspector::ToJson(made.score);
    if (view->type() == "model") reading->need = inspector::FindSmallestNeed(*view);
    return reading;
  }

  void Enqueue(int64_t repo_id) {
    std::lock_guard lock(queue_mutex);
    if (queued.insert(repo_id).second) queue.push_back(repo_id);
    queue_changed.notify_all();
  }

  // Repositories without a reading of their head by the present rules; the listener is told of all
  // kept ones on the way. Those by earlier rules, too: making a million anew takes an hour or more,
  // and until its turn a repository is listed under what was said of it before.
  std::vector<int64_t> Stale() {
    std::unordered_set<int64_t> current;
    db.Read([&](storage::Connection& c) {
      c.Query(
          "SELECT repo_id, commit_oid, summary, gpu_bytes, cpu_bytes, version FROM inspections "
          "WHERE rule = ?",
          {kRule}, [&](const storage::Row& row) {
            RepoPtr repo = repos.FindById(row.Int(0));
            if (repo && repo->head && row.Int(5) == inspector::kRepoRules &&
                row.Text(1) == StoredCommit(*repo, *repo->head))
              current.insert(repo->id);
            if (told)
              told(row.Int(0), {row.Text(2), static_cast<uint64_t>(row.Int(3)),
                                static_cast<uint64_t>(row.Int(4))});
          });
    });
    std::vector<int64_t> stale;
    repos.ForEach([&](const RepoPtr& repo) {
      if (repo->head && !current.contains(repo->id)) stale.push_back(repo->id);
    });
    return stale;
  }

  storage::Database& db;
  Repos& repos;
  const Objects& objects;
  Listener told;

  std::mutex cache_mutex;
  std::list<Entry> entries;  // most recent first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
  size_t cached_bytes = 0;

  mutable std::mutex queue_mutex;
  mutable std::condition_variable queue_changed;
  std::deque<int64_t> queue;
  std::unordered_set<int64_t> queued;
  size_t running = 0;
  bool stopping = false;
  std::thread worker;
};

Inspections::Inspections(storage::Database& db, Repos& repos, const Objects& objects)
    : impl_(std::make_unique<Impl>(db, repos, objects)) {}

Inspections::~Inspections() { Stop(); }

KeptReadingPtr Inspections::Of(const RepoHandle& repo, const GitOid& commit) {
  repo.Require(Right::kReadContent);
  std::string key = Impl::KeyOf(repo.record(), commit);
  if (KeptReadingPtr cached = impl_->FindCached(key)) return cached;
  if (repo.record().head == commit) {
    if (std::optional<std::string> text = impl_->LoadText(repo.record(), commit)) {
      if (KeptReadingPtr kept = ParseReading(*text)) {
        impl_->Cache(key, kept, 4 * text->size());
        return kept;
      }
    }
  }
  KeptReadingPtr made = impl_->Make(repo, commit);
  impl_->Cache(key, made, 4 * TextOfReading(*made).size());
  return made;
}

std::string Inspections::KindsOf(int64_t repo_id) const {
  return impl_->db
      .ReadValue([&](storage::Connection& c) {
        return c.QueryOne("SELECT summary FROM inspections WHERE repo_id = ? AND rule = ?",
                          {repo_id, kRule}, [](const storage::Row& row) { return row.Str(0); });
      })
      .value_or("");
}

void Inspections::OnListed(Listener told) { impl_->told = std::move(told); }

void Inspections::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  if (!after || !after->head) return;
  bool renamed = before && before->FullName() != after->FullName();
  bool moved = !before || before->head != after->head;
  if (renamed || moved) impl_->Enqueue(after->id);
}

void Inspections::OnRefChanged(const RepoPtr& repo, const std::string& ref,
                               const std::optional<GitOid>& now) {
  if (ref == "refs/heads/main" && now) impl_->Enqueue(repo->id);
}

void Inspections::InspectNow(const RepoPtr& given) {
  RepoPtr repo = impl_->repos.FindById(given->id);
  if (!repo || !repo->head) return;
  KeptReadingPtr reading = Of(impl_->repos.OpenAsSystem(repo), *repo->head);
  std::string summary = SummaryOf(reading->kinds);
  ListedReading listed{summary, reading->need.gpu_bytes, reading->need.cpu_bytes};
  if (!impl_->Store(*repo, *repo->head, listed, TextOfReading(*reading))) return;
  if (impl_->told) impl_->told(repo->id, listed);
}

void Inspections::Start() {
  Stop();
  {
    std::lock_guard lock(impl_->queue_mutex);
    impl_->stopping = false;
    ++impl_->running;  // looks for what is stale
  }
  impl_->worker = std::thread([this] {
    try {
      for (int64_t id : impl_->Stale()) impl_->Enqueue(id);
    } catch (const std::exception& fault) {
      log::Warning("kept readings could not be listed", {{"reason", fault.what()}});
    }
    std::unique_lock lock(impl_->queue_mutex);
    --impl_->running;
    impl_->queue_changed.notify_all();
    while (true) {
      impl_->queue_changed.wait(lock, [this] { return impl_->stopping || !impl_->queue.empty(); });
      if (impl_->stopping) return;
      int64_t id = impl_->queue.front();
      impl_->queue.pop_front();
      impl_->queued.erase(id);
      ++impl_->running;
      lock.unlock();
      try {
        if (RepoPtr repo = impl_->repos.FindById(id)) InspectNow(repo);
      } catch (const std::exception& fault) {
        // Its old reading is stale and not shown; a request or the next start tries again.
        log::Warning("a repository could not be inspected",
                     {{"repo_id", std::to_string(id)}, {"reason", fault.what()}});
      }
      lock.lock();
      --impl_->running;
      impl_->queue_changed.notify_all();
    }
  });
}

void Inspections::Stop() {
  {
    std::lock_guard lock(impl_->queue_mutex);
    impl_->stopping = true;
  }
  impl_->queue_changed.notify_all();
  if (impl_->worker.joinable()) impl_->worker.join();
}

bool Inspections::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->queue_mutex);
  return impl_->queue_changed.wait_for(
      lock, timeout, [this] { return impl_->queue.empty() && impl_->running == 0; });
}

}  // namespace hearth::hub
