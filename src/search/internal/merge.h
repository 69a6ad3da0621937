// Several segments into one.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "search/internal/segment_writer.h"
#include "search/segment.h"

namespace hearth::search {

// `segments` from the oldest to the newest: of each document the newest version stays. Of deleted
// ones nothing stays but, when `keep_deleted`, that they are gone. False when `stop` became true:
// what was written is not a segment then. Takes a dozen bytes a document, and the postings of one
// term.
bool MergeSegments(const std::vector<std::shared_ptr<const Segment>>& segments, bool keep_deleted,
                   const std::atomic<bool>& stop, SegmentWriter* writer);

}  // namespace hearth::search
