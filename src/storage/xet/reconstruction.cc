#include "storage/xet/reconstruction.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "storage/xet/internal/term_cursor.h"

namespace hearth::storage {
namespace {

class WholeTermSource : public TermSource {
 public:
  explicit WholeTermSource(std::vector<XetTerm> terms) {
    auto segment = std::make_shared<Segment>();
    segment->terms = std::move(terms);
    size_bytes_ = segment->EndOffset();
    segment_ = std::move(segment);
  }
  uint64_t size_bytes() const override { return size_bytes_; }
  std::shared_ptr<const Segment> SegmentAt(uint64_t) const override { return segment_; }

 private:
  std::shared_ptr<const Segment> segment_;
  uint64_t size_bytes_;
};

[[noreturn]] void Contradiction(const XetTerm& term) {
  throw Error(Code::kInternal, "a term does not fit xorb " + term.xorb.Text());
}

void CheckRange(const XetTerm& term, const XorbIndexPtr& index) {
  if (!index) throw Error(Code::kInternal, "xorb " + term.xorb.Text() + " is missing");
  if (term.chunk_start >= term.chunk_end || term.chunk_end > index->chunks.size()) {
    Contradiction(term);
  }
}

// Checked before a term is trimmed: its chunks make up its bytes.
void CheckSum(const XetTerm& term, const XorbIndex& index) {
  uint64_t bytes = 0;
  for (uint32_t i = term.chunk_start; i < term.chunk_end; ++i) {
    bytes += index.chunks[i].unpacked_bytes;
  }
  if (bytes != term.unpacked_bytes) Contradiction(term);
}

// Drops the chunks that lie whole in the first `skip` bytes, less than all; the bytes dropped.
uint64_t TrimFront(uint64_t skip, const XorbIndex& index, XetTerm& term) {
  uint64_t dropped = 0;
  while (dropped + index.chunks[term.chunk_start].unpacked_bytes <= skip) {
    uint32_t bytes = index.chunks[term.chunk_start++].unpacked_bytes;
    dropped += bytes;
    term.unpacked_bytes -= bytes;
  }
  return dropped;
}

// Drops the chunks that lie whole in the last `surplus` bytes, less than all.
void TrimBack(uint64_t surplus, const XorbIndex& index, XetTerm& term) {
  while (index.chunks[term.chunk_end - 1].unpacked_bytes <= surplus) {
    uint32_t bytes = index.chunks[--term.chunk_end].unpacked_bytes;
    surplus -= bytes;
    term.unpacked_bytes -= bytes;
  }
}

// Sorted, with touching and overlapping ranges joined, and the records' place filled in.
std::vector<XorbRange> Merge(std::vector<XorbRange> ranges, const XorbIndex& index) {
  std::sort(ranges.begin(), ranges.end(), [](const XorbRange& a, const XorbRange& b) {
    return std::pair(a.chunk_start, a.chunk_end) < std::pair(b.chunk_start, b.chunk_end);
  });
  std::vector<XorbRange> merged;
  for (const XorbRange& range : ranges) {
    if (!merged.empty() && range.chunk_start <= merged.back().chunk_end) {
      merged.back().chunk_end = std::max(merged.back().chunk_end, range.chunk_end);
    } else {
      merged.push_back(range);
    }
  }
  for (XorbRange& range : merged) {
    range.byte_start = range.chunk_start == 0 ? 0 : index.chunks[range.chunk_start - 1].record_end;
    range.byte_end = index.chunks[range.chunk_end - 1].record_end;
  }
  return merged;
}

}  // namespace

uint64_t TermSource::Segment::EndOffset() const {
  uint64_t end = offset;
  for (const XetTerm& term : terms) end += term.unpacked_bytes;
  return end;
}

std::shared_ptr<const TermSource> MakeTermSource(std::vector<XetTerm> terms) {
  return std::make_shared<WholeTermSource>(std::move(terms));
}

namespace internal {

TermCursor::TermCursor(const TermSource& source, uint64_t offset) : source_(source) {
  Load(offset);
}

void TermCursor::Load(uint64_t offset) {
  segment_ = source_.SegmentAt(offset);
  at_ = 0;
  start_ = segment_->offset;
  while (at_ < segment_->terms.size() && end() <= offset) {
    start_ = end();
    ++at_;
  }
  if (at_ == segment_->terms.size() || start_ > offset) {
    throw Error(Code::kInternal, "the terms of a file do not cover byte " + std::to_string(offset));
  }
}

void TermCursor::Advance() {
  start_ = end();
  if (++at_ == segment_->terms.size()) Load(start_);
}

}  // namespace internal

Reconstruction PlanReconstruction(const TermSource& terms, uint64_t start, uint64_t end,
                                  const XorbIndexLookup& index_of) {
  Reconstruction plan;
  if (start > end || end > terms.size_bytes()) {
    throw Error(Code::kInternal, "the range to rebuild is not inside the file");
  }
  if (start == end) return plan;
  for (internal::TermCursor cursor(terms, start);; cursor.Advance()) {
    XetTerm term = cursor.term();
    uint64_t term_end = cursor.end();
    if (plan.terms.empty() || term_end > end) {
      XorbIndexPtr index = index_of(term.Form());
      CheckRange(term, index);
      CheckSum(term, *index);
      if (plan.terms.empty()) {
        uint64_t skip = start - cursor.start();
        plan.offset_into_first_range = skip - TrimFront(skip, *index, term);
      }
      if (term_end > end) TrimBack(term_end - end, *index, term);
    }
    plan.xorbs[term.Form()].push_back({term.chunk_start, term.chunk_end, 0, 0});
    plan.terms.push_back(term);
    if (term_end >= end) break;
  }
  for (auto& [xorb, ranges] : plan.xorbs) {
    XorbIndexPtr index = index_of(xorb);
    for (const XorbRange& range : ranges) {
      CheckRange({xorb.hash, 0, range.chunk_start, range.chunk_end}, index);
    }
    ranges = Merge(std::move(ranges), *index);
  }
  return plan;
}

}  // namespace hearth::storage
