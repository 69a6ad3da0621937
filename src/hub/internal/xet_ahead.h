// Proves the SHA-256 of files while their xorbs arrive.
//
// A shard names files only after all their xorbs were sent, and reading them back takes as long as
// the rest of the upload. But the order of the content can mostly be told before: clients ask for
// the first chunk of each file (so that chunk begins one), and one file's xorbs come in order. So
// each chunk is given to SHA-256 where it is in the processor's cache already, for the file that it
// should belong to, and the hashers are kept under what they have really taken (storage/xet/
// trail.h). A wrong guess costs time, never truth: a shard's file that went another way is read.
//
// A *line* is one upload session as far as it can be told: a scope that writes one file. A session
// with several at a time leaves no order to guess; then only files inside one xorb are hashed
// ahead. A xorb that began to arrive before the one in front of it was hashed is read back once
// that is.
//
// Thread-safe; an Arrival belongs to one thread at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "hub/xet.h"
#include "storage/xet/trail.h"
#include "storage/xet/xorb.h"
#include "storage/xet/xorb_store.h"

namespace hearth::hub {

class XetAhead {
 public:
  XetAhead(storage::XorbStore& xorbs, const Clock& clock);
  ~XetAhead();

  // A client has asked for a chunk: it looks for the first one of each file, and for those with a
  // certain kind of hash anywhere.
  void NoteAsked(const storage::XetHash& chunk);
  // The scope's next xorb will not be sent: it is stored already.
  void Skip(const XetScope& scope);
  // The scope's session is over.
  void EndSession(const XetScope& scope);
  // Of a file whose terms were checked; see storage::TrailCache.
  // What other users have sent does not count.
  storage::TrailCache::Known FindLongest(int64_t user_id,
                                         const std::vector<storage::XetTerm>& terms) {
    return trails_.FindLongest(storage::StartTrail(user_id), terms);
  }

  // One xorb on its way in, which is `xorb` if its sender does not lie. The end of the object
  // without Finish means that the xorb did not arrive.
  class Arrival;

 private:
  struct Link;
  struct Line;
  using LinePtr = std::shared_ptr<Line>;

  bool IsFileStart(const storage::XetHash& chunk);
  LinePtr LineLocked(const std::string& name);
  LinePtr NewLineLocked(const std::string& name);
  void CatchUp(const LinePtr& line);
  bool CatchUpOne(Line& line);

  storage::XorbStore& xorbs_;
  const Clock& clock_;
  storage::TrailCache trails_;
  std::mutex starts_mutex_;
  std::unordered_set<storage::XetHash> starts_;  // of the files that were asked for last
  std::deque<storage::XetHash> starts_by_age_;
  std::mutex mutex_;  // of all lines
  std::map<std::string, LinePtr> lines_;
};

class XetAhead::Arrival : public storage::ChunkSink {
 public:
  Arrival(XetAhead& ahead, const XetScope& scope, const storage::XetHash& xorb);
  ~Arrival() override;
  Arrival(const Arrival&) = delete;

  Sha256Hasher* Foresee() override;
  void TakeChunk(const storage::XetHash& hash, std::string_view bytes) override;
  // The xorb is whole and stored, in this form.
  void Finish(const storage::XorbIndex& index, uint16_t form);

 private:
  // Content of one file: behind the trail `before`, chunks [start, end) of this xorb.
  struct Run {
    storage::XetHash before;
    uint32_t start = 0;
    uint32_t end = 0;
    Sha256Hasher hasher;
  };
  void Place(const storage::XetHash& first_chunk, bool starts_file);
  void BeginFile(const storage::XetHash& first_chunk);
  void GoOnBehind(Line& line);

  XetAhead& ahead_;
  const std::string line_name_;
  const storage::XetHash file_start_;  // the trail
  const storage::XetHash xorb_;
  LinePtr line_;                          // once the first chunk is there
  std::shared_ptr<Link> link_;            // this xorb's place in it; null for none
  std::vector<Run> runs_;                 // all but the last are files that have ended
  std::optional<Sha256Hasher> foreseen_;  // the last run's, and the next chunk
  uint32_t since_start_ = 0;              // chunks behind the last one that began a file
  uint32_t chunks_ = 0;
};

}  // namespace hearth::hub
