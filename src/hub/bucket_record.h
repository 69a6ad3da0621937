// A bucket as the hub knows it at one moment, and the proof of a right on it. A bucket is plain
// storage without git: paths that name files of the Xet store. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/clock.h"
#include "hub/types.h"

namespace hearth::hub {

struct BucketRecord {
  int64_t id = 0;   // database id, never reused
  std::string oid;  // 24 hex digits of the wire
  int64_t owner_id = 0;
  std::string owner;  // canonical case
  std::string name;
  int64_t creator_id = 0;
  bool is_private = false;
  TimePoint created_at;
  TimePoint updated_at;
  uint64_t size_bytes = 0;  // of all files, each path counted
  uint64_t files = 0;

  std::string FullName() const { return owner + "/" + name; }
};

// A bucket that the caller was found to have `right` on. The only way to a bucket's files and
// settings: Buckets::Open makes it. Copyable; use within one request.
class BucketHandle {
 public:
  const BucketRecord& record() const { return record_; }
  Right right() const { return right_; }
  // Throws kInternal when the handle was opened for less: a route that forgot its access rule.
  void Require(Right needed) const;

 private:
  friend class Buckets;
  BucketHandle(BucketRecord record, Right right) : record_(std::move(record)), right_(right) {}
  BucketRecord record_;
  Right right_;
};

}  // namespace hearth::hub
