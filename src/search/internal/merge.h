// Several segments into one.
#pragma once

#include <memory>
#include <vector>

#include "search/internal/segment_writer.h"
#include "search/segment.h"

namespace hearth::search {

// `segments` from the oldest to the newest: of each document the newest version stays. Of deleted
// ones nothing stays but, when `keep_deleted`, that they are gone.
void MergeSegments(const std::vector<std::shared_ptr<const Segment>>& segments, bool keep_deleted,
                   SegmentWriter* writer);

}  // namespace hearth::search
