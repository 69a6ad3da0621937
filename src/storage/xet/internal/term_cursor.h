// Walks the terms of a file from an offset on, holding one segment at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/xet/reconstruction.h"

namespace hearth::storage::internal {

// One thread; `source` outlives the cursor.
class TermCursor {
 public:
  // Stands on the term that holds byte `offset`, which is inside the file. Throws kInternal when
  // the source contradicts itself.
  TermCursor(const TermSource& source, uint64_t offset);

  const XetTerm& term() const { return segment_->terms[at_]; }
  // In the file, of the term's first byte.
  uint64_t start() const { return start_; }
  uint64_t end() const { return start_ + term().unpacked_bytes; }
  // To the next term. Precondition: end() is inside the file.
  void Advance();

 private:
  void Load(uint64_t offset);

  const TermSource& source_;
  std::shared_ptr<const TermSource::Segment> segment_;
  size_t at_ = 0;
  uint64_t start_ = 0;
};

}  // namespace hearth::storage::internal
