#include "search/index.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "search/internal/manifest.h"
#include "search/internal/merge.h"
#include "search/internal/segment_writer.h"

namespace hearth::search {
namespace {

// The newest segment is made anew with every change: up to here that takes a few milliseconds.
constexpr size_t kTailDocuments = 64;
constexpr size_t kTailBytes = 512 << 10;
// A batch of a full rebuild: postings of it are sorted in about half a gigabyte.
constexpr size_t kBatchDocuments = 20'000;
constexpr size_t kBatchBytes = 48 << 20;
// Segments of one size class are merged when there are so many: each document is written again once
// a class, and a query looks at a few segments of each.
constexpr size_t kMergeWidth = 8;
constexpr size_t kClassFactor = 8;
constexpr std::chrono::seconds kIdleFlush{10};
// Changes that wait before the thread takes them in; whoever puts more waits.
constexpr size_t kMaxPendingBytes = 256 << 20;
constexpr uint64_t kNone = UINT64_MAX;

struct Change {
  Document document;
  bool deleted = false;
};

size_t BytesOf(const Document& document) {
  size_t bytes = 64;
  for (const std::string& field : document.fields) bytes += field.size();
  return bytes;
}

size_t ClassOf(size_t documents) {
  size_t size_class = 0;
  for (size_t limit = kTailDocuments; documents > limit; limit *= kClassFactor) ++size_class;
  return size_class;
}

// What is visible, from segments oldest first.
SnapshotPtr MakeSnapshot(const std::vector<std::shared_ptr<const Segment>>& segments) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto& segment : segments) {
    if (segment->size() > 0)
      snapshot->id_end = std::max(snapshot->id_end, segment->IdAt(segment->size() - 1) + 1);
  }
  Bitmap seen(snapshot->id_end);
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    Snapshot::Layer layer{*segment, Bitmap(snapshot->id_end)};
    for (size_t i = 0; i < layer.segment->size(); ++i) {
      uint32_t id = layer.segment->IdAt(i);
      if (!seen.Has(id) && id < snapshot->id_end) {
        seen.Set(id);
        if (!layer.segment->DeletedAt(i)) layer.live.Set(id);
      }
    }
    snapshot->documents += layer.live.Count();
    snapshot->layers.push_back(std::move(layer));
  }
  std::reverse(snapshot->layers.begin(), snapshot->layers.end());
  return snapshot;
}

}  // namespace

struct Index::Impl {
  explicit Impl(std::filesystem::path f) : folder(std::move(f)) {}

  // --- at start
  void Open();
  void LoadSegment(const SegmentFiles& files);
  void RemoveStrays() const;

  // --- the thread that takes changes in
  void Run();
  void Absorb(std::vector<Change> batch);
  void SealTail();
  void Publish();
  void SaveManifest();
  void VerifyOne();
  std::vector<SegmentFiles> DropSegment(size_t at);
  void RemoveFiles(const std::vector<SegmentFiles>& gone) const;
  void SetStamp(uint32_t id, uint64_t stamp) {
    if (id >= stamps.size()) {
      if (stamp == kNone) return;
      stamps.resize(id + 1, kNone);
    }
    stamps[id] = stamp;
  }

  // --- the thread that merges
  void RunMerges();
  std::vector<size_t> MergeCandidates() const;
  bool MergeOnce();
  bool Replace(const std::vector<std::shared_ptr<const Segment>>& inputs,
               const SegmentFiles& merged);
  void SuspectInputs(const std::vector<std::shared_ptr<const Segment>>& inputs);

  const std::filesystem::path folder;

  // Held while these change.
  std::mutex work_mutex;
  std::vector<std::shared_ptr<const Segment>> sealed;
  std::vector<SegmentFiles> files;
  std::vector<bool> verified;
  std::unordered_map<uint32_t, Change> tail;
  size_t tail_bytes = 0;
  std::shared_ptr<const Segment> tail_segment;
  uint64_t next_number = 1;

  mutable std::mutex snapshot_mutex;
  SnapshotPtr current = std::make_shared<Snapshot>();

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::deque<Change> pending;
  size_t pending_bytes = 0;
  uint64_t put_count = 0, taken_count = 0, visible_count = 0;
  bool stopping = false;
  bool check_due = true;   // some segments are not verified
  bool merge_due = false;  // segments have come since the last look
  std::atomic<bool> stop_merging = false;
  std::vector<uint64_t> stamps;  // by id; kNone = no document
  std::vector<std::weak_ptr<const Segment>> damaged;
  std::vector<uint32_t> lost;
  uint64_t merges = 0, dropped = 0;
  std::thread thread, merger;
};

// --- at start

void Index::Impl::LoadSegment(const SegmentFiles& listed) {
  try {
    std::shared_ptr<const Segment> segment = Segment::Open(folder, listed);
    for (Part part : {Part::kDocs, Part::kTerms}) {
      if (ChecksumOf(segment->part(part)) != listed.checksums[static_cast<size_t>(part)])
        ThrowDamaged("a checksum");
    }
    sealed.push_back(segment);
    files.push_back(listed);
    verified.push_back(false);
  } catch (const Error& error) {
    ++dropped;
    log::Warning("a part of the search index is dropped and will be made again",
                 {{"segment", std::to_string(listed.number)}, {"reason", error.message()}});
  }
}

void Index::Impl::Open() {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  if (std::filesystem::exists(ManifestPath(folder))) {
    try {
      Manifest manifest = ParseManifest(ReadFile(ManifestPath(folder), 64 << 20));
      next_number = manifest.next_number;
      size_t before = dropped;
      for (const SegmentFiles& listed : manifest.segments) LoadSegment(listed);
      // A segment that is gone may have hidden older versions, or deletions: what lies below it
      // cannot be told from what is current any more.
      if (dropped > before) {
        sealed.clear();
        files.clear();
        verified.clear();
      }
    } catch (const Error& error) {
      ++dropped;
      log::Warning("the search index is made anew", {{"reason", error.message()}});
    }
  }
  RemoveStrays();
  SaveManifest();
  for (const auto& segment : sealed) {
    for (size_t i = 0; i < segment->size(); ++i) {
      if (segment->DeletedAt(i)) {
        SetStamp(segment->IdAt(i), kNone);
      } else {
        SetStamp(segment->IdAt(i), segment->StampAt(i));
      }
    }
  }
  Publish();
}

void Index::Impl::RemoveStrays() const {
  std::unordered_set<std::string> known = {ManifestPath(folder).filename().string()};
  for (const SegmentFiles& listed : files) {
    for (size_t i = 0; i < kParts; ++i)
      known.insert(SegmentPath(folder, listed.number, static_cast<Part>(i)).filename().string());
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!known.contains(entry.path().filename().string()))
      std::filesystem::remove(entry.path(), ignored);
  }
}

// --- the thread that takes changes in

void Index::Impl::SaveManifest() {
  Manifest manifest;
  manifest.next_number = next_number;
  manifest.segments = files;
  WriteFileDurably(ManifestPath(folder), FormatManifest(manifest));
}

void Index::Impl::Publish() {
  std::vector<std::shared_ptr<const Segment>> all = sealed;
  if (tail_segment) all.push_back(tail_segment);
  SnapshotPtr made = MakeSnapshot(all);
  std::lock_guard lock(snapshot_mutex);
  current = std::move(made);
}

void Index::Impl::Absorb(std::vector<Change> batch) {
  for (Change& change : batch) {
    auto [entry, fresh] = tail.try_emplace(change.document.id);
    if (!fresh) tail_bytes -= BytesOf(entry->second.document);
    tail_bytes += BytesOf(change.document);
    entry->second = std::move(change);
  }
  if (tail.size() > kTailDocuments || tail_bytes > kTailBytes) {
    SealTail();
  } else {
    std::vector<BuildInput> input;
    for (const auto& [id, change] : tail) input.push_back({&change.document, change.deleted});
    std::sort(input.begin(), input.end(), [](const BuildInput& a, const BuildInput& b) {
      return a.document->id < b.document->id;
    });
    SegmentWriter writer;
    WriteDocuments(input, &writer);
    tail_segment = writer.FinishInMemory();
  }
  Publish();
}

void Index::Impl::SealTail() {
  if (tail.empty()) return;
  std::vector<BuildInput> input;
  for (const auto& [id, change] : tail) input.push_back({&change.document, change.deleted});
  std::sort(input.begin(), input.end(), [](const BuildInput& a, const BuildInput& b) {
    return a.document->id < b.document->id;
  });
  SegmentWriter writer(folder);
  WriteDocuments(input, &writer);
  SegmentFiles made = writer.FinishFiles(next_number++);
  sealed.push_back(Segment::Open(folder, made));
  files.push_back(made);
  verified.push_back(true);
  SaveManifest();
  tail.clear();
  tail_bytes = 0;
  tail_segment.reset();
}

std::vector<SegmentFiles> Index::Impl::DropSegment(size_t at) {
  // Older segments may hold versions that this one replaced or deleted: they go as well.
  std::lock_guard lock(mutex);
  for (size_t i = 0; i <= at; ++i) {
    for (size_t d = 0; d < sealed[i]->size(); ++d) {
      uint32_t id = sealed[i]->IdAt(d);
      SetStamp(id, kNone);
      lost.push_back(id);
    }
  }
  for (size_t i = at + 1; i < sealed.size(); ++i) {
    for (size_t d = 0; d < sealed[i]->size(); ++d) {
      if (!sealed[i]->DeletedAt(d)) SetStamp(sealed[i]->IdAt(d), sealed[i]->StampAt(d));
    }
  }
  for (const auto& [id, change] : tail) {
    if (!change.deleted) SetStamp(id, change.document.stamp);
  }
  dropped += at + 1;
  auto end = static_cast<ptrdiff_t>(at + 1);
  std::vector<SegmentFiles> gone(files.begin(), files.begin() + end);
  sealed.erase(sealed.begin(), sealed.begin() + end);
  files.erase(files.begin(), files.begin() + end);
  verified.erase(verified.begin(), verified.begin() + end);
  return gone;
}

// They stay mapped as long as a snapshot holds them.
void Index::Impl::RemoveFiles(const std::vector<SegmentFiles>& gone) const {
  std::error_code ignored;
  for (const SegmentFiles& listed : gone) {
    for (size_t i = 0; i < kParts; ++i)
      std::filesystem::remove(SegmentPath(folder, listed.number, static_cast<Part>(i)), ignored);
  }
}

// One segment's parts against the manifest, so that rot is found before a search meets it.
void Index::Impl::VerifyOne() {
  std::lock_guard work(work_mutex);
  std::vector<SegmentFiles> gone;
  for (size_t i = sealed.size(); i-- > 0;) {
    bool reported = false;
    {
      std::lock_guard lock(mutex);
      for (const auto& weak : damaged) reported |= weak.lock() == sealed[i];
    }
    bool sound = !reported;
    if (sound && !verified[i]) {
      for (size_t part = 0; part < kParts && sound; ++part)
        sound = ChecksumOf(sealed[i]->part(static_cast<Part>(part))) == files[i].checksums[part];
    }
    if (!sound) {
      log::Warning("a part of the search index is damaged and will be made again",
                   {{"segment", std::to_string(files[i].number)}});
      gone = DropSegment(i);
      break;
    }
    verified[i] = true;
  }
  {
    std::lock_guard lock(mutex);
    damaged.clear();
  }
  if (gone.empty()) return;
  SaveManifest();
  RemoveFiles(gone);
  Publish();
  changed.notify_all();
}

void Index::Impl::Run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait_for(lock, kIdleFlush,
                     [&] { return stopping || !pending.empty() || check_due || !damaged.empty(); });
    bool idle = pending.empty();
    if (stopping && idle) break;
    std::vector<Change> batch;
    size_t bytes = 0;
    while (!pending.empty() && batch.size() < kBatchDocuments && bytes < kBatchBytes) {
      bytes += BytesOf(pending.front().document);
      batch.push_back(std::move(pending.front()));
      pending.pop_front();
    }
    pending_bytes -= std::min(pending_bytes, bytes);
    // Of changes that could not be made visible the next batch takes care: they are in the tail.
    taken_count += batch.size();
    bool verify = check_due || !damaged.empty();
    check_due = false;
    lock.unlock();
    try {
      if (verify) VerifyOne();
      {
        std::lock_guard work(work_mutex);
        if (!batch.empty()) {
          Absorb(std::move(batch));
        } else if (idle && !tail.empty()) {
          SealTail();
          Publish();
        }
      }
      lock.lock();
      visible_count = taken_count;
      merge_due = true;
      changed.notify_all();
    } catch (const std::exception& fault) {
      log::Warning("the search index could not be written; it will be tried again",
                   {{"reason", fault.what()}});
    }
    if (!lock.owns_lock()) lock.lock();
  }
  lock.unlock();
  try {
    std::lock_guard work(work_mutex);
    SealTail();
  } catch (const std::exception& fault) {
    log::Warning("the search index could not be saved", {{"reason", fault.what()}});
  }
}

// --- the thread that merges

// Neighbours in age, as a merge of others would let an old version hide a newer one: the last run
// of kMergeWidth or more segments none of which is of a higher class than the first of them.
std::vector<size_t> Index::Impl::MergeCandidates() const {
  for (size_t size_class = 0; size_class < 16; ++size_class) {
    size_t begin = sealed.size();
    while (begin > 0 && ClassOf(sealed[begin - 1]->size()) <= size_class) --begin;
    if (sealed.size() - begin < kMergeWidth) continue;
    std::vector<size_t> chosen;
    for (size_t i = begin; i < sealed.size(); ++i) chosen.push_back(i);
    return chosen;
  }
  return {};
}

bool Index::Impl::MergeOnce() {
  std::vector<std::shared_ptr<const Segment>> inputs;
  bool keep_deleted = false;
  uint64_t number = 0;
  {
    std::lock_guard work(work_mutex);
    std::vector<size_t> chosen = MergeCandidates();
    if (chosen.empty()) return false;
    keep_deleted = chosen.front() > 0;
    for (size_t i : chosen) inputs.push_back(sealed[i]);
    number = next_number++;
  }
  try {
    SegmentWriter writer(folder);
    if (!MergeSegments(inputs, keep_deleted, stop_merging, &writer)) return false;
    return Replace(inputs, writer.FinishFiles(number));
  } catch (const Error& error) {
    SuspectInputs(inputs);
    throw;
  }
}

// Puts the merged segment where the inputs are. Meanwhile others came behind them; when some were
// dropped as damaged, the work was for nothing.
bool Index::Impl::Replace(const std::vector<std::shared_ptr<const Segment>>& inputs,
                          const SegmentFiles& merged) {
  std::vector<SegmentFiles> old;
  {
    std::lock_guard work(work_mutex);
    auto first = std::search(sealed.begin(), sealed.end(), inputs.begin(), inputs.end());
    if (first == sealed.end()) {
      RemoveFiles({merged});
      return true;
    }
    ptrdiff_t at = first - sealed.begin(), end = at + static_cast<ptrdiff_t>(inputs.size());
    std::shared_ptr<const Segment> segment = Segment::Open(folder, merged);
    old.assign(files.begin() + at, files.begin() + end);
    sealed.erase(sealed.begin() + at, sealed.begin() + end);
    files.erase(files.begin() + at, files.begin() + end);
    verified.erase(verified.begin() + at, verified.begin() + end);
    sealed.insert(sealed.begin() + at, std::move(segment));
    files.insert(files.begin() + at, merged);
    verified.insert(verified.begin() + at, true);
    SaveManifest();
    Publish();
  }
  RemoveFiles(old);
  std::lock_guard lock(mutex);
  ++merges;
  return true;
}

// A merge that failed may have met damage: their checksums are looked at again.
void Index::Impl::SuspectInputs(const std::vector<std::shared_ptr<const Segment>>& inputs) {
  std::lock_guard work(work_mutex);
  for (size_t i = 0; i < sealed.size(); ++i) {
    if (std::find(inputs.begin(), inputs.end(), sealed[i]) != inputs.end()) verified[i] = false;
  }
  std::lock_guard lock(mutex);
  check_due = true;
  changed.notify_all();
}

void Index::Impl::RunMerges() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return stopping || merge_due; });
    if (stopping) return;
    merge_due = false;
    lock.unlock();
    try {
      while (!stop_merging && MergeOnce()) {
      }
    } catch (const std::exception& fault) {
      log::Warning("parts of the search index could not be merged; it will be tried again",
                   {{"reason", fault.what()}});
    }
    lock.lock();
  }
}

// --- the face

Index::Index(std::filesystem::path folder) : impl_(std::make_unique<Impl>(std::move(folder))) {
  impl_->Open();
  impl_->thread = std::thread([this] { impl_->Run(); });
  impl_->merger = std::thread([this] { impl_->RunMerges(); });
}

Index::~Index() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->stop_merging = true;
  }
  impl_->changed.notify_all();
  impl_->merger.join();
  impl_->thread.join();
}

void Index::Put(Document document) {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(
      lock, [this] { return impl_->pending_bytes < kMaxPendingBytes || impl_->stopping; });
  impl_->SetStamp(document.id, document.stamp);
  impl_->pending_bytes += BytesOf(document);
  impl_->pending.push_back({std::move(document), false});
  ++impl_->put_count;
  impl_->changed.notify_all();
}

void Index::Remove(uint32_t id) {
  std::lock_guard lock(impl_->mutex);
  impl_->SetStamp(id, kNone);
  Change change;
  change.document.id = id;
  change.deleted = true;
  impl_->pending_bytes += BytesOf(change.document);
  impl_->pending.push_back(std::move(change));
  ++impl_->put_count;
  impl_->changed.notify_all();
}

std::optional<uint64_t> Index::StampOf(uint32_t id) const {
  std::lock_guard lock(impl_->mutex);
  bool known = id < impl_->stamps.size() && impl_->stamps[id] != kNone;
  return known ? std::optional(impl_->stamps[id]) : std::nullopt;
}

std::vector<uint32_t> Index::Ids() const {
  std::lock_guard lock(impl_->mutex);
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < impl_->stamps.size(); ++id) {
    if (impl_->stamps[id] != kNone) ids.push_back(id);
  }
  return ids;
}

SnapshotPtr Index::snapshot() const {
  std::lock_guard lock(impl_->snapshot_mutex);
  return impl_->current;
}

IndexStats Index::stats() const {
  SnapshotPtr now = snapshot();
  IndexStats stats;
  stats.documents = now->documents;
  stats.segments = now->layers.size();
  for (const Snapshot::Layer& layer : now->layers) {
    stats.memory_bytes += layer.live.words().size() * 8;
    if (layer.segment->mapped()) {
      stats.disk_bytes += layer.segment->bytes();
    } else {
      stats.memory_bytes += layer.segment->bytes();
    }
  }
  std::lock_guard lock(impl_->mutex);
  stats.memory_bytes += impl_->stamps.capacity() * 8;
  stats.merges = impl_->merges;
  stats.dropped = impl_->dropped;
  return stats;
}

bool Index::WaitVisible(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  uint64_t wanted = impl_->put_count;
  return impl_->changed.wait_for(lock, timeout, [&] { return impl_->visible_count >= wanted; });
}

void Index::Flush() {
  std::unique_lock lock(impl_->mutex);
  uint64_t wanted = impl_->put_count;
  impl_->changed.wait(lock, [&] { return impl_->visible_count >= wanted || impl_->stopping; });
  lock.unlock();
  std::lock_guard work(impl_->work_mutex);
  impl_->SealTail();
  impl_->Publish();
}

void Index::DropDamaged(const std::shared_ptr<const Segment>& segment) {
  std::lock_guard lock(impl_->mutex);
  impl_->damaged.push_back(segment);
  impl_->changed.notify_all();
}

std::vector<uint32_t> Index::TakeLost() {
  std::lock_guard lock(impl_->mutex);
  return std::exchange(impl_->lost, {});
}

}  // namespace hearth::search
