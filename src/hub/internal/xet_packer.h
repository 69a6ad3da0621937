// Turns contents into Xet files: cuts them into chunks, finds the chunks that are stored already
// and packs the others into xorbs.
//
// Deduplication follows the protocol's own rule: only the first chunk of a file and one in 1024 are
// asked for in the index; a hit brings in what the readers may know of that xorb, so that its
// neighbours are found too. Everything packed by this object is remembered as well. A file is
// complete when every xorb that it needs is stored. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/internal/xet_coverage.h"
#include "hub/sweep_lock.h"
#include "hub/xet_index.h"
#include "storage/xet/chunker.h"
#include "storage/xet/xorb.h"

namespace hearth::hub {

class XetPacker {
 public:
  // What the readers of the content may know of a xorb: who reads a file learns which xorbs it is
  // made of, and of which of their chunks.
  using Coverage = std::function<XetCoverage(const StoredXorb&, const storage::XorbIndex&)>;
  XetPacker(XetIndex& index, const SweepLock& sweep_lock, Coverage coverage);

  // One file: Feed any number of times, then End. Abandon forgets what was fed since the last End.
  void Feed(std::string_view bytes);
  void End(const Sha256& oid);
  void Abandon();
  // Stores the xorb that is being filled.
  void Flush();
  // The complete files, each once.
  std::vector<XetIndex::NewFile> TakeComplete();
  // Bodies of the xorbs stored so far.
  uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  // A chunk's place; xorbs are numbered in xorbs_.
  struct Place {
    uint32_t xorb = 0;
    uint32_t position = 0;
  };
  struct Piece {
    uint32_t xorb = 0;
    uint32_t start = 0;
    uint32_t end = 0;
    uint32_t bytes = 0;
  };
  struct Draft {
    std::vector<Piece> pieces;
    std::vector<std::pair<storage::XetHash, uint32_t>> eligible;  // chunk, xorb
    storage::XetHash hash;
    uint64_t size_bytes = 0;
    Sha256 oid;
  };

  void Take(std::string_view chunk);
  const Place* FindStored(const storage::XetHash& hash, bool eligible);
  Place Pack(const storage::XetHash& hash, std::string_view chunk);
  void Remember(const storage::XetHash& hash, Place place);
  bool IsComplete(const Draft& draft) const;
  XetIndex::NewFile Resolve(const Draft& draft) const;

  XetIndex& index_;
  const SweepLock& sweep_lock_;
  Coverage coverage_;
  storage::Chunker chunker_;
  storage::Chunker::Sink sink_;
  storage::MerkleAggregator merkle_;
  storage::XorbBuilder builder_;
  uint32_t open_ = 0;                     // number of the xorb in builder_
  std::vector<storage::XorbForm> xorbs_;  // by number; the open one has no hash yet
  // A file means one form by each xorb.
  std::unordered_map<storage::XetHash, uint16_t> forms_;
  std::unordered_map<storage::XetHash, Place> places_;
  Draft draft_;
  std::vector<Draft> waiting_;
  uint64_t stored_bytes_ = 0;
};

}  // namespace hearth::hub
