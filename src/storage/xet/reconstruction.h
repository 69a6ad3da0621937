// How a file is put together from ranges of xorbs: the list of its terms, the plan that a client
// needs to rebuild a range, and the rebuilding itself.
//
// Thread rule: a TermSource is shared between threads and must be thread-safe; a XetReader belongs
// to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/xet/xet_hash.h"
#include "storage/xet/xorb_store.h"

namespace hearth::storage {

struct XetTerm {
  XetHash xorb;
  uint32_t unpacked_bytes = 0;
  uint32_t chunk_start = 0;
  uint32_t chunk_end = 0;  // exclusive
  // Of the xorb: the file is read from it. A file means one form by each xorb.
  uint16_t form = 0;

  XorbForm Form() const { return {xorb, form}; }
  bool operator==(const XetTerm&) const = default;
};

// The terms of one file, in pieces, so that a file of any size needs little memory.
class TermSource {
 public:
  struct Segment {
    uint64_t offset = 0;  // in the file, of the first term
    std::vector<XetTerm> terms;
    uint64_t EndOffset() const;
  };
  virtual ~TermSource() = default;
  virtual uint64_t size_bytes() const = 0;
  // The segment that holds `offset` (< size_bytes()); shared, immutable.
  virtual std::shared_ptr<const Segment> SegmentAt(uint64_t offset) const = 0;
};

// All terms in one piece.
std::shared_ptr<const TermSource> MakeTermSource(std::vector<XetTerm> terms);

// Chunks [chunk_start, chunk_end) of a xorb and where their records lie in its body.
struct XorbRange {
  uint32_t chunk_start = 0;
  uint32_t chunk_end = 0;
  uint64_t byte_start = 0;
  uint64_t byte_end = 0;  // exclusive

  bool operator==(const XorbRange&) const = default;
};

struct Reconstruction {
  uint64_t offset_into_first_range = 0;
  std::vector<XetTerm> terms;  // trimmed at both ends to the chunks that the range touches
  std::map<XorbForm, std::vector<XorbRange>> xorbs;  // sorted, merged, none overlap
};

// The plan for bytes [start, end) of the file, end <= size. start == end gives an empty plan. The
// same file and range always give the same plan. `index_of` throws for a xorb that is missing.
using XorbIndexLookup = std::function<XorbIndexPtr(const XorbForm&)>;
Reconstruction PlanReconstruction(const TermSource& terms, uint64_t start, uint64_t end,
                                  const XorbIndexLookup& index_of);

// Rebuilds bytes [start, end) of a file front to back. Memory: one term's batch of records.
class XetReader {
 public:
  XetReader(XorbStore& xorbs, std::shared_ptr<const TermSource> terms, uint64_t start,
            uint64_t end);
  ~XetReader();
  XetReader(XetReader&&) noexcept;
  // Appends the next piece (about `wanted` bytes; at least one while any is left) to `out`; false
  // at the end. Throws kInternal when what is stored is damaged.
  bool Next(std::string* out, size_t wanted = 1 << 20);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::storage
