#include <algorithm>
#include <memory>

#include "hub/internal/xet_coverage.h"
#include "storage/xet/reconstruction.h"

namespace hearth::hub {

XetCoverage CoverageOf(const XetIndex& index, const std::vector<XetFile>& files,
                       const StoredXorb& xorb, size_t chunks, bool with_starts) {
  XetCoverage coverage{std::vector<bool>(chunks), {}};
  size_t left = chunks;
  for (const XetFile& file : files) {
    if (left == 0 && !with_starts) break;
    std::shared_ptr<const storage::TermSource> terms = index.TermsOf(file);
    for (uint64_t at = 0; at < file.size_bytes && (at == 0 || left > 0);) {
      auto segment = terms->SegmentAt(at);
      const storage::XetTerm& first = segment->terms.front();
      if (at == 0 && first.xorb == xorb.hash) coverage.starts.push_back(first.chunk_start);
      for (const storage::XetTerm& term : segment->terms) {
        if (term.xorb != xorb.hash) continue;
        for (size_t i = term.chunk_start; i < std::min<size_t>(term.chunk_end, chunks); ++i) {
          left -= !coverage.chunks[i];
          coverage.chunks[i] = true;
        }
      }
      at = segment->EndOffset();
    }
  }
  return coverage;
}

bool XetCoverage::MayAskFor(const storage::XorbIndex& index, const storage::XetHash& chunk) const {
  if (!MayBeAskedFor(chunk)) {
    return std::any_of(starts.begin(), starts.end(), [&](uint32_t start) {
      return start < index.chunks.size() && index.chunks[start].hash == chunk;
    });
  }
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i] && index.chunks[i].hash == chunk) return true;
  }
  return false;
}

}  // namespace hearth::hub
