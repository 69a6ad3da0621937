// How often each word of a corpus occurs: what every trainer learns from. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

class WordCounts {
 public:
  WordCounts() : slots_(1024) {}
  // Words are valid UTF-8. Throws Error{kTooLarge} past 2^31 distinct words.
  void Add(std::string_view word, uint64_t count = 1);
  size_t size() const { return counts_.size(); }
  // By their bytes, so that results do not depend on the order of the corpus. Views live as long as
  // this object is not changed.
  std::vector<std::pair<std::string_view, uint64_t>> Sorted() const;

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = 0;  // index + 1; 0 is empty
  };

  std::string_view WordAt(size_t entry) const {
    return {text_.data() + ends_[entry], ends_[entry + 1] - ends_[entry]};
  }
  size_t FindSlot(std::string_view word, uint32_t tag) const;
  void Grow();

  std::string text_;
  std::vector<size_t> ends_ = {0};
  std::vector<uint64_t> counts_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace hearth::tokenizers
