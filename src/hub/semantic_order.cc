#include "hub/semantic_order.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"

namespace hearth::hub {
namespace {

constexpr size_t kBatch = 8;
constexpr size_t kMaxQueries = 256;  // whose vectors are remembered
constexpr std::chrono::milliseconds kQueryPatience{250};
constexpr std::chrono::minutes kBatchPatience{2};
constexpr std::chrono::seconds kPause{10};  // after the model gave no answer
// Ranks by words (of the best) and cosines (of the nearest and the farthest) are added, each from 0
// to 1: convex combination (Bruch, Gai, Ingber, ACM TOIS 42, 2023). Cosines that lie closer
// together than this tell little, and are not stretched to the whole range.
constexpr float kMeaningShare = 0.5f;
constexpr float kLeastRange = 0.2f;

}  // namespace

std::string PackDirection(std::span<const float> vector) {
  float top = 0;
  for (float value : vector) top = std::max(top, std::fabs(value));
  std::string packed(vector.size(), '\0');
  if (!(top > 0) || !std::isfinite(top)) return packed;
  for (size_t i = 0; i < vector.size(); ++i)
    packed[i] = static_cast<char>(static_cast<int8_t>(std::lround(vector[i] / top * 127)));
  return packed;
}

float CosineOfPacked(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return 0;
  int64_t dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    int x = static_cast<int8_t>(a[i]), y = static_cast<int8_t>(b[i]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa == 0 || bb == 0) return 0;
  return static_cast<float>(static_cast<double>(dot) /
                            std::sqrt(static_cast<double>(aa) * static_cast<double>(bb)));
}

struct SemanticOrder::Impl {
  Impl(storage::Database& d, Documents docs) : db(d), documents(std::move(docs)) {}

  void Run();
  void FindMissing(const std::string& identity);
  bool MakeSome(const std::string& identity);
  void Enqueue(uint32_t id);
  bool Has(uint32_t id, uint64_t stamp, const std::string& identity) const;
  std::optional<std::string> VectorOf(TextEmbedder& with, const std::string& identity,
                                      std::string_view query) const;
  std::shared_ptr<TextEmbedder> Embedder() const {
    std::lock_guard lock(mutex);
    return embedder;
  }

  storage::Database& db;
  const Documents documents;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::shared_ptr<TextEmbedder> embedder;
  std::deque<uint32_t> queue;
  std::unordered_set<uint32_t> queued;
  bool comparing = false, stopping = false;
  size_t running = 0;
  std::thread thread;

  // Vectors of queries by model and text, the last used first.
  mutable std::mutex queries_mutex;
  mutable std::list<std::pair<std::string, std::string>> queries;
  mutable std::unordered_map<std::string, decltype(queries)::iterator> by_text;
};

void SemanticOrder::Impl::Enqueue(uint32_t id) {
  std::lock_guard lock(mutex);
  if (!embedder || !queued.insert(id).second) return;
  queue.push_back(id);
  changed.notify_all();
}

void SemanticOrder::Impl::FindMissing(const std::string& identity) {
  std::unordered_map<uint32_t, uint64_t> known;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT repo_id, stamp FROM semantic_vectors WHERE model = ?", {identity},
            [&](const storage::Row& row) {
              known[static_cast<uint32_t>(row.Int(0))] = static_cast<uint64_t>(row.Int(1));
            });
  });
  for (uint32_t id : documents.ids()) {
    auto found = known.find(id);
    std::optional<uint64_t> stamp = documents.stamp(id);
    if (stamp && (found == known.end() || found->second != *stamp)) Enqueue(id);
  }
}

bool SemanticOrder::Impl::Has(uint32_t id, uint64_t stamp, const std::string& identity) const {
  return db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM semantic_vectors WHERE repo_id = ? AND model = ? AND stamp = ?",
                  {int64_t{id}, identity, stamp})
        .has_value();
  });
}

// False when the model gave no answer: what was taken waits on.
bool SemanticOrder::Impl::MakeSome(const std::string& identity) {
  struct Row {
    uint32_t id;
    uint64_t stamp;
  };
  std::vector<uint32_t> taken;
  std::shared_ptr<TextEmbedder> with;
  {
    std::lock_guard lock(mutex);
    with = embedder;
    while (!queue.empty() && taken.size() < kBatch) {
      taken.push_back(queue.front());
      queued.erase(queue.front());
      queue.pop_front();
    }
    running = taken.size();
  }
  std::vector<Row> rows;
  std::vector<std::string> texts;
  for (uint32_t id : taken) {
    std::optional<uint64_t> stamp = documents.stamp(id);
    if (!stamp || Has(id, *stamp, identity)) continue;
    std::string text = documents.passage(id);
    if (text.empty()) continue;
    rows.push_back({id, *stamp});
    texts.push_back(std::move(text));
  }
  std::optional<std::vector<std::vector<float>>> vectors;
  if (!texts.empty() && with) vectors = with->Embed(texts, kBatchPatience);
  bool answered = texts.empty() || (vectors && vectors->size() == texts.size());
  if (!answered) {
    for (uint32_t id : taken) Enqueue(id);
  } else if (!texts.empty()) {
    db.Write([&](storage::Connection& c) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!c.QueryInt("SELECT 1 FROM repos WHERE id = ?", {int64_t{rows[i].id}})) continue;
        c.Exec(
            "INSERT INTO semantic_vectors (repo_id, model, stamp, vector) VALUES (?, ?, ?, ?) ON "
            "CONFLICT (repo_id) DO UPDATE SET model = excluded.model, stamp = excluded.stamp, "
            "vector = excluded.vector",
            {int64_t{rows[i].id}, identity, rows[i].stamp,
             storage::BlobValue{PackDirection((*vectors)[i])}});
      }
    });
  }
  std::lock_guard lock(mutex);
  running = 0;
  changed.notify_all();
  return answered;
}

void SemanticOrder::Impl::Run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // of this thread only
  std::string compared;
  std::unique_lock lock(mutex);
  while (!stopping) {
    std::shared_ptr<TextEmbedder> with = embedder;
    lock.unlock();
    bool answered = false;
    try {
      std::string identity = with->Identity();
      if (!identity.empty() && identity != compared) {
        FindMissing(identity);
        compared = identity;
      }
      answered = !identity.empty() && MakeSome(identity);
    } catch (const std::exception& fault) {
      log::Warning("texts could not be made into vectors for search", {{"reason", fault.what()}});
      compared.clear();  // finds again what was taken
    }
    lock.lock();
    running = 0;
    comparing = false;
    changed.notify_all();
    if (answered) {
      changed.wait_for(lock, kPause, [this] { return stopping || !queue.empty(); });
    } else {
      changed.wait_for(lock, kPause, [this] { return stopping; });
    }
  }
}

std::optional<std::string> SemanticOrder::Impl::VectorOf(TextEmbedder& with,
                                                         const std::string& identity,
                                                         std::string_view query) const {
  std::string key = identity;
  key.push_back('\0');
  key.append(query);
  {
    std::lock_guard lock(queries_mutex);
    auto found = by_text.find(key);
    if (found != by_text.end()) {
      queries.splice(queries.begin(), queries, found->second);
      return found->second->second;
    }
  }
  std::string text(query);
  auto vectors = with.Embed({&text, 1}, kQueryPatience);
  if (!vectors || vectors->size() != 1) return std::nullopt;
  std::string packed = PackDirection(vectors->front());
  std::lock_guard lock(queries_mutex);
  if (by_text.contains(key)) return packed;
  queries.emplace_front(key, packed);
  by_text[std::move(key)] = queries.begin();
  if (queries.size() > kMaxQueries) {
    by_text.erase(queries.back().first);
    queries.pop_back();
  }
  return packed;
}

SemanticOrder::SemanticOrder(storage::Database& db, Documents documents)
    : impl_(std::make_unique<Impl>(db, std::move(documents))) {}
SemanticOrder::~SemanticOrder() { Stop(); }

void SemanticOrder::Start(std::shared_ptr<TextEmbedder> embedder) {
  Stop();
  {
    std::lock_guard lock(impl_->mutex);
    impl_->embedder = std::move(embedder);
    impl_->stopping = false;
    impl_->comparing = true;
  }
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

void SemanticOrder::Stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->embedder = nullptr;
  }
  impl_->changed.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
  std::lock_guard lock(impl_->mutex);
  impl_->queue.clear();
  impl_->queued.clear();
}

void SemanticOrder::Want(uint32_t id) { impl_->Enqueue(id); }

void SemanticOrder::Blend(std::string_view query, std::span<search::SearchHit> hits) const {
  if (hits.size() < 2 || hits.size() > kReach) return;
  std::shared_ptr<TextEmbedder> with = impl_->Embedder();
  std::string identity = with ? with->Identity() : "";
  if (identity.empty()) return;
  std::optional<std::string> wanted = impl_->VectorOf(*with, identity, query);
  if (!wanted) return;
  std::vector<std::optional<float>> nearness(hits.size());
  impl_->db.Read([&](storage::Connection& c) {
    for (size_t i = 0; i < hits.size(); ++i) {
      c.Query("SELECT vector FROM semantic_vectors WHERE repo_id = ? AND model = ?",
              {int64_t{hits[i].id}, identity},
              [&](const storage::Row& row) { nearness[i] = CosineOfPacked(*wanted, row.Text(0)); });
    }
  });
  float least = 1, most = -1, top = 0;
  for (size_t i = 0; i < hits.size(); ++i) {
    if (nearness[i]) least = std::min(least, *nearness[i]);
    if (nearness[i]) most = std::max(most, *nearness[i]);
    top = std::max(top, hits[i].score);
  }
  float range = std::max(most - least, kLeastRange);
  std::vector<std::pair<float, size_t>> order;
  for (size_t i = 0; i < hits.size(); ++i) {
    float words = top > 0 ? hits[i].score / top : 0;
    // What has no vector yet is in the middle.
    float meaning = nearness[i] ? (*nearness[i] - least) / range : 0.5f;
    order.emplace_back((1 - kMeaningShare) * words + kMeaningShare * meaning, i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<search::SearchHit> blended;
  for (const auto& [value, at] : order) blended.push_back(hits[at]);
  std::copy(blended.begin(), blended.end(), hits.begin());
}

bool SemanticOrder::active() const { return impl_->Embedder() != nullptr; }

size_t SemanticOrder::Waiting() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->queue.size() + impl_->running;
}

bool SemanticOrder::WaitCurrent(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, timeout, [this] {
    return !impl_->comparing && impl_->queue.empty() && impl_->running == 0;
  });
}

}  // namespace hearth::hub
