// What some files have of a xorb. Who may read those files, and no others, may know of nothing
// else in it: a xorb holds parts of files with other readers too, and the index of chunks has what
// all files of the store have entered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hub/xet_index.h"
#include "storage/xet/xorb.h"

namespace hearth::hub {

// The protocol's rule for chunks that clients ask for wherever they stand: one in 1024. Beside them
// they ask for the first chunk of a file.
inline bool MayBeAskedFor(const storage::XetHash& chunk) { return chunk.Tail() % 1024 == 0; }

struct XetCoverage {
  std::vector<bool> chunks;      // by position
  std::vector<uint32_t> starts;  // where one of the files begins

  // The xet protocol's rule, for these files alone: one of them begins with the chunk, or has it
  // and its hash is of the few that may be asked for anywhere.
  bool MayAskFor(const storage::XorbIndex& index, const storage::XetHash& chunk) const;
};

// `chunks`: how many the xorb has. Without `with_starts` reading ends when all of them are found.
// Throws what XetIndex::TermsOf throws for a file that is gone.
XetCoverage CoverageOf(const XetIndex& index, const std::vector<XetFile>& files,
                       const StoredXorb& xorb, size_t chunks, bool with_starts = true);

}  // namespace hearth::hub
