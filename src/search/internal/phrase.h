// Documents in which words follow one another.
#pragma once

#include <string>
#include <vector>

#include "base/bitmap.h"
#include "search/segment.h"

namespace hearth::search {

// Adds the documents of one segment, of those in `among`, that have the terms in this order without
// a gap; for one term those that have it. Throws kInternal for a damaged segment.
void FindPhrase(const Segment& segment, const std::vector<std::string>& terms, const Bitmap& among,
                Bitmap* found);

}  // namespace hearth::search
