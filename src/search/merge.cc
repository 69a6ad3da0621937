#include "search/internal/merge.h"

#include <algorithm>
#include <deque>
#include <queue>

#include "base/bitmap.h"

namespace hearth::search {
namespace {

struct Version {
  uint32_t id;
  uint32_t segment;
  uint32_t index;
};

// The newest version of each document, by id.
std::vector<Version> NewestVersions(const std::vector<std::shared_ptr<const Segment>>& segments) {
  std::vector<Version> versions;
  for (uint32_t s = 0; s < segments.size(); ++s) {
    for (uint32_t i = 0; i < segments[s]->size(); ++i)
      versions.push_back({segments[s]->IdAt(i), s, i});
  }
  std::sort(versions.begin(), versions.end(), [](const Version& a, const Version& b) {
    return a.id != b.id ? a.id < b.id : a.segment > b.segment;
  });
  auto same = [](const Version& a, const Version& b) { return a.id == b.id; };
  versions.erase(std::unique(versions.begin(), versions.end(), same), versions.end());
  return versions;
}

// One posting with the varints of its positions.
struct MergedPosting {
  uint32_t id;
  uint8_t impact;
  size_t positions_at, positions_bytes;
};

class Merger {
 public:
  Merger(const std::vector<std::shared_ptr<const Segment>>& segments, const std::atomic<bool>& stop,
         SegmentWriter* writer)
      : segments_(segments), stop_(stop), writer_(*writer), kept_(segments.size()) {}

  // These return false when they were stopped.
  bool Documents(bool keep_deleted) {
    std::vector<Version> versions = NewestVersions(segments_);
    uint32_t end = versions.empty() ? 0 : versions.back().id + 1;
    for (Bitmap& kept : kept_) kept.Grow(end);
    for (const Version& version : versions) {
      if (stop_) return false;
      const Segment& segment = *segments_[version.segment];
      bool deleted = segment.DeletedAt(version.index);
      if (deleted && !keep_deleted) continue;
      Document document;
      document.id = version.id;
      document.stamp = segment.StampAt(version.index);
      if (!deleted) {
        document.fields = segment.ReadTexts(version.index);
        kept_[version.segment].Set(version.id);
      }
      writer_.AddDocument(document, deleted);
    }
    return true;
  }

  bool Terms() {
    for (const auto& segment : segments_) cursors_.emplace_back(*segment);
    auto later = [this](uint32_t a, uint32_t b) {
      return cursors_[a].entry().term > cursors_[b].entry().term;
    };
    std::priority_queue<uint32_t, std::vector<uint32_t>, decltype(later)> heads(later);
    for (uint32_t s = 0; s < cursors_.size(); ++s) {
      if (cursors_[s].Next()) heads.push(s);
    }
    while (!heads.empty()) {
      if (stop_) return false;
      std::string term = cursors_[heads.top()].entry().term;
      bool may_be_meant = false;
      postings_.clear();
      positions_.clear();
      while (!heads.empty() && cursors_[heads.top()].entry().term == term) {
        uint32_t s = heads.top();
        heads.pop();
        may_be_meant |= cursors_[s].entry().may_be_meant;
        Take(s, cursors_[s].entry());
        if (cursors_[s].Next()) heads.push(s);
      }
      Write(term, may_be_meant);
    }
    return true;
  }

 private:
  void Take(uint32_t s, const TermEntry& entry) {
    const Segment& segment = *segments_[s];
    PostingReader postings = segment.PostingsOf(entry);
    PositionReader positions = segment.PositionsOf(entry);
    std::vector<uint32_t> where;
    while (size_t count = postings.Next()) {
      for (size_t i = 0; i < count; ++i) {
        bool placed = positions.Next(&where);
        if (!kept_[s].Has(postings.id(i))) continue;
        size_t at = positions_.size();
        if (placed && !where.empty()) PutPositions(where, &positions_);
        postings_.push_back({postings.id(i), postings.impact(i), at, positions_.size() - at});
      }
    }
  }

  void Write(const std::string& term, bool may_be_meant) {
    std::sort(postings_.begin(), postings_.end(),
              [](const MergedPosting& a, const MergedPosting& b) { return a.id < b.id; });
    bool placed = !positions_.empty();
    static constexpr char kNone = 0;  // PutPositions of no position
    writer_.BeginTerm(term);
    for (const MergedPosting& posting : postings_) {
      std::string_view where =
          std::string_view(positions_).substr(posting.positions_at, posting.positions_bytes);
      if (placed && where.empty()) where = std::string_view(&kNone, 1);
      writer_.AddPosting(posting.id, posting.impact, where);
    }
    writer_.EndTerm(may_be_meant);
  }

  const std::vector<std::shared_ptr<const Segment>>& segments_;
  const std::atomic<bool>& stop_;
  SegmentWriter& writer_;
  std::vector<Bitmap> kept_;
  std::deque<Segment::Terms> cursors_;
  std::vector<MergedPosting> postings_;
  std::string positions_;
};

}  // namespace

bool MergeSegments(const std::vector<std::shared_ptr<const Segment>>& segments, bool keep_deleted,
                   const std::atomic<bool>& stop, SegmentWriter* writer) {
  Merger merger(segments, stop, writer);
  return merger.Documents(keep_deleted) && merger.Terms();
}

}  // namespace hearth::search
