// Collects ids in a block that stays in the first-level cache and appends whole blocks to the
// caller's vector: a vector that grew by single ids would pay a capacity check and a size update
// for each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tokenizers/internal/page_memory.h"

namespace hearth::tokenizers {

class IdWriter {
 public:
  // `expected` ids are about to come; memory that is not used costs nothing but addresses.
  explicit IdWriter(std::vector<uint32_t>* ids, size_t expected = 0) : ids_(*ids) {
    internal::ReserveIds(expected, ids);
  }
  ~IdWriter() = default;
  IdWriter(const IdWriter&) = delete;
  IdWriter& operator=(const IdWriter&) = delete;

  void Add(uint32_t id) {
    block_[count_++] = id;
    if (count_ >= kFlushAt) Flush();
  }
  // `ids` may be read up to four places, however small `count` is.
  void AddFew(const uint32_t* ids, size_t count) {
    if (count > kFew) [[unlikely]] {
      AddMany(ids, count);
      return;
    }
    // In fours, the last of which overlap: no call for a copy of so few.
    uint32_t* to = block_ + count_;
    std::memcpy(to, ids, 4 * sizeof(uint32_t));
    if (count > 4) {
      for (size_t i = 4; i + 4 < count; i += 4) std::memcpy(to + i, ids + i, 4 * sizeof(uint32_t));
      std::memcpy(to + count - 4, ids + count - 4, 4 * sizeof(uint32_t));
    }
    count_ += count;
    if (count_ >= kFlushAt) Flush();
  }
  void AddMany(const uint32_t* ids, size_t count) {
    Flush();
    ids_.insert(ids_.end(), ids, ids + count);
  }
  // Must be called before the writer goes: nothing that can throw is left to the destructor.
  void Flush() {
    ids_.insert(ids_.end(), block_, block_ + count_);
    count_ = 0;
  }

 private:
  static constexpr size_t kFlushAt = 1024;
  static constexpr size_t kFew = 32;  // a word of the cache has at most one id a byte
  std::vector<uint32_t>& ids_;
  size_t count_ = 0;
  uint32_t block_[kFlushAt + kFew];
};

}  // namespace hearth::tokenizers
