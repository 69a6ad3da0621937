#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "hub/internal/xet_ahead.h"

namespace hearth::hub {

using storage::XetHash;

namespace {

// Five files of 1 TB each, or 80,000 small ones.
constexpr size_t kTrailBytes = 32 << 20;
// A client asks right before it sends; 64k files of one session are 4 MB here.
constexpr size_t kMaxStarts = 64 << 10;
// Clients ask for these wherever they are: they tell nothing about where a file begins.
constexpr uint64_t kAskedModulus = 1024;
// Scopes that write at the same time.
constexpr size_t kMaxLines = 4096;
// A session that was given up; the next one of the scope begins anew.
constexpr std::chrono::minutes kIdle{10};
// Xorbs that wait for the one in front of them; clients send far fewer at once.
constexpr size_t kMaxWaiting = 64;
// Xorbs that one request reads back, so that its answer is not held up: each takes 0.1 s.
constexpr int kCatchUpAtOnce = 2;

// Where files of a few chunks follow each other, a wasted SHA-256 is one of eight at most.
constexpr uint32_t kForeseeAfter = 8;

std::string LineName(const XetScope& scope) {
  return std::to_string(static_cast<int>(scope.holder)) + " " + std::to_string(scope.holder_id) +
         " " + std::to_string(scope.user_id);
}

}  // namespace

// A xorb of a line.
struct XetAhead::Link {
  explicit Link(const XetHash& hash) : xorb(hash) {}
  XetHash xorb;
  uint32_t chunks = 0, unpacked_bytes = 0;  // once it is stored
  uint16_t form = 0;
  bool stored = false, busy = false;
  // Of the file up to the end of this xorb.
  XetHash trail;
  std::shared_ptr<const Sha256Hasher> hasher;  // null until it is hashed
  std::shared_ptr<Link> next;
};

struct XetAhead::Line {
  TimePoint used;
  size_t files = 0;
  XetHash first_chunk;          // of its first file
  std::shared_ptr<Link> front;  // the last one that is hashed, or the first of all
  std::shared_ptr<Link> last;   // null: what comes next cannot be told

  size_t Waiting() const {
    size_t count = 0;
    for (const Link* link = front.get(); link != nullptr; link = link->next.get()) ++count;
    return count;
  }
  bool Has(const XetHash& xorb) const {
    const Link* link = front.get();
    while (link != nullptr && link->xorb != xorb) link = link->next.get();
    return link != nullptr;
  }
  void MoveFront() {
    while (front->hasher && front->next && front->next->hasher) front = front->next;
  }
  // Takes a xorb that did not arrive out again; behind one that others follow the line is lost.
  void GiveUp(const std::shared_ptr<Link>& link) {
    if (link != last) {
      last = nullptr;
    } else if (link == front) {
      front = last = nullptr;
      files = 0;
    } else {
      std::shared_ptr<Link> before = front;
      while (before->next != link) before = before->next;
      before->next = nullptr;
      last = before;
    }
  }
};

XetAhead::XetAhead(storage::XorbStore& xorbs, const Clock& clock)
    : xorbs_(xorbs), clock_(clock), trails_(kTrailBytes) {}
XetAhead::~XetAhead() = default;

void XetAhead::NoteAsked(const XetHash& chunk) {
  if (chunk.Tail() % kAskedModulus == 0) return;
  std::lock_guard lock(starts_mutex_);
  if (!starts_.insert(chunk).second) return;
  starts_by_age_.push_back(chunk);
  if (starts_by_age_.size() <= kMaxStarts) return;
  starts_.erase(starts_by_age_.front());
  starts_by_age_.pop_front();
}

bool XetAhead::IsFileStart(const XetHash& chunk) {
  std::lock_guard lock(starts_mutex_);
  return starts_.contains(chunk);
}

XetAhead::LinePtr XetAhead::NewLineLocked(const std::string& name) {
  if (lines_.size() >= kMaxLines) {
    lines_.erase(std::min_element(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) {
      return a.second->used < b.second->used;
    }));
  }
  auto line = std::make_shared<Line>();
  line->used = clock_.Now();
  lines_[name] = line;
  return line;
}

XetAhead::LinePtr XetAhead::LineLocked(const std::string& name) {
  auto found = lines_.find(name);
  TimePoint now = clock_.Now();
  if (found == lines_.end() || now - found->second->used > kIdle) return NewLineLocked(name);
  found->second->used = now;
  return found->second;
}

void XetAhead::Skip(const XetScope& scope) {
  std::lock_guard lock(mutex_);
  auto found = lines_.find(LineName(scope));
  if (found != lines_.end()) found->second->last = nullptr;
}

void XetAhead::EndSession(const XetScope& scope) {
  std::lock_guard lock(mutex_);
  lines_.erase(LineName(scope));
}

void XetAhead::CatchUp(const LinePtr& line) {
  for (int i = 0; i < kCatchUpAtOnce && CatchUpOne(*line); ++i) {
  }
}

// Reads the first xorb of the line that was not hashed while it arrived. False when there is none.
bool XetAhead::CatchUpOne(Line& line) {
  std::shared_ptr<Link> front, link;
  {
    std::lock_guard lock(mutex_);
    front = line.front;
    if (!front || !front->hasher) return false;
    link = front->next;
    if (!link || !link->stored || link->busy) return false;
    link->busy = true;
  }
  Sha256Hasher hasher = front->hasher->Clone();
  try {
    storage::XetTerm whole{link->xorb, link->unpacked_bytes, 0, link->chunks, link->form};
    storage::XetReader reader(xorbs_, storage::MakeTermSource({whole}), 0, link->unpacked_bytes);
    std::string piece;
    while (reader.Next(&piece)) {
      hasher.Update(piece);
      piece.clear();
    }
  } catch (const std::exception& error) {
    // The shard will tell; here only time is lost. The link stays busy: nobody tries again.
    log::Warning("cannot read a xorb back", {{"reason", error.what()}});
    return false;
  }
  XetHash trail = storage::ExtendTrail(front->trail, link->xorb, 0, link->chunks);
  trails_.Put(trail, hasher);
  std::lock_guard lock(mutex_);
  link->trail = trail;
  link->hasher = std::make_shared<const Sha256Hasher>(std::move(hasher));
  line.MoveFront();
  return true;
}

XetAhead::Arrival::Arrival(XetAhead& ahead, const XetScope& scope, const XetHash& xorb)
    : ahead_(ahead),
      line_name_(LineName(scope)),
      file_start_(storage::StartTrail(scope.user_id)),
      xorb_(xorb) {}

XetAhead::Arrival::~Arrival() {
  if (!link_) return;
  std::lock_guard lock(ahead_.mutex_);
  line_->GiveUp(link_);
}

// That a chunk begins a file is known by its hash, so that a SHA-256 which is to take it in the
// same pass is a guess, and wasted where one does.
Sha256Hasher* XetAhead::Arrival::Foresee() {
  if (runs_.empty() || since_start_ < kForeseeAfter) return nullptr;
  return &foreseen_.emplace(runs_.back().hasher.Clone());
}

void XetAhead::Arrival::TakeChunk(const XetHash& hash, std::string_view bytes) {
  std::optional<Sha256Hasher> foreseen = std::exchange(foreseen_, std::nullopt);
  bool starts_file = ahead_.IsFileStart(hash);
  since_start_ = starts_file ? 0 : since_start_ + 1;
  if (chunks_ == 0) {
    Place(hash, starts_file);
  } else if (starts_file) {
    BeginFile(hash);
  }
  ++chunks_;
  if (runs_.empty()) return;
  if (foreseen && !starts_file) {
    runs_.back().hasher = *std::move(foreseen);
  } else {
    runs_.back().hasher.Update(bytes);
  }
  runs_.back().end = chunks_;
}

void XetAhead::Arrival::Place(const XetHash& first_chunk, bool starts_file) {
  std::unique_lock lock(ahead_.mutex_);
  line_ = ahead_.LineLocked(line_name_);
  if (!starts_file) return GoOnBehind(*line_);
  // The same file once more: its first upload was broken off.
  if (line_->files == 1 && line_->first_chunk == first_chunk) {
    line_ = ahead_.NewLineLocked(line_name_);
  }
  lock.unlock();
  BeginFile(first_chunk);
}

void XetAhead::Arrival::BeginFile(const XetHash& first_chunk) {
  runs_.push_back({file_start_, chunks_, chunks_, Sha256Hasher()});
  std::lock_guard lock(ahead_.mutex_);
  line_->last = nullptr;
  if (++line_->files > 1) return;
  link_ = std::make_shared<Link>(xorb_);
  line_->first_chunk = first_chunk;
  line_->front = line_->last = link_;
}

void XetAhead::Arrival::GoOnBehind(Line& line) {
  // Sent twice: the line goes on behind the first one.
  if (line.files != 1 || !line.last || line.Has(xorb_)) return;
  if (line.Waiting() >= kMaxWaiting) {
    line.last = nullptr;
    return;
  }
  std::shared_ptr<Link> before = line.last;
  link_ = std::make_shared<Link>(xorb_);
  before->next = line.last = link_;
  if (before->hasher) runs_.push_back({before->trail, 0, 0, before->hasher->Clone()});
}

void XetAhead::Arrival::Finish(const storage::XorbIndex& index, uint16_t form) {
  XetHash trail;
  for (const Run& run : runs_) {
    trail = storage::ExtendTrail(run.before, index.hash, run.start, run.end);
    ahead_.trails_.Put(trail, run.hasher);
  }
  if (!link_) return;
  {
    std::lock_guard lock(ahead_.mutex_);
    link_->xorb = index.hash;
    link_->chunks = chunks_;
    link_->form = form;
    link_->unpacked_bytes = index.unpacked_bytes;
    link_->stored = true;
    if (!runs_.empty()) {
      link_->trail = trail;
      link_->hasher = std::make_shared<const Sha256Hasher>(std::move(runs_.back().hasher));
      line_->MoveFront();
    }
    link_ = nullptr;
  }
  ahead_.CatchUp(line_);
}

}  // namespace hearth::hub
