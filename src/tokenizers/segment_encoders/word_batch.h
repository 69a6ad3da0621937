// Looks words up in batches: first the keys and places of up to 64 words, with a prefetch each,
// then the probes. Word by word, every probe of a table that is larger than the second-level cache
// would be waited for.
//
// `Miss` is called with (word, size, ids) for a word that the cache does not hold; it appends the
// ids and says whether they may be kept. Ids leave in the order of the Add calls. One per call of
// Encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenizers/segment_encoders/id_writer.h"
#include "tokenizers/segment_encoders/word_cache.h"

namespace hearth::tokenizers {

template <bool kFoldCase, typename Miss>
class WordBatch {
 public:
  // `end` is the first byte that must not be read. `work` is a buffer of the caller's scratch.
  WordBatch(WordCache* cache, std::vector<uint32_t>* work, IdWriter* writer, Miss miss)
      : cache_(*cache), work_(*work), writer_(*writer), miss_(std::move(miss)) {}

  // The bytes must stay until Finish, or the Add that follows 64 others. size > 0; `readable` bytes
  // may be read from `word` on.
  void AddWord(const uint8_t* word, size_t size, size_t readable) {
    Item& item = items_[count_];
    item.word = word;
    item.size = size;
    if (size <= ShortWord::kMaxBytes) {
      item.key = ShortWord::Make(word, size, readable, kFoldCase);
      item.place = cache_.short_words.Place(item.key);
      cache_.short_words.Prefetch(item.place);
    } else if (size <= LongWord::kMaxBytes) {
      item.long_key = LongWord::Make(word, size, readable, kFoldCase);
      item.place = cache_.long_words.Place(item.long_key);
      cache_.long_words.Prefetch(item.place);
    }
    if (++count_ == kItems) Resolve();
  }
  void AddId(uint32_t id) {
    items_[count_].size = 0;
    items_[count_].place = id;
    if (++count_ == kItems) Resolve();
  }
  void AddIds(const uint32_t* ids, size_t count) {
    Resolve();
    writer_.AddMany(ids, count);
  }
  void Finish() { Resolve(); }

 private:
  static constexpr size_t kItems = 64;
  static constexpr size_t kAhead = 4;  // words between asking for their ids and writing them
  struct Item {
    const uint8_t* word;
    size_t size;  // 0: an id, in `place`
    size_t place;
    ShortWord key;
    LongWord long_key;
  };

  void Resolve() {
    for (size_t i = 0; i < count_; ++i) {
      if (i + kAhead < count_) PrefetchIds(items_[i + kAhead]);
      const Item& item = items_[i];
      if (item.size == 0) {
        writer_.Add(static_cast<uint32_t>(item.place));
      } else if (item.size <= ShortWord::kMaxBytes) {
        ResolveIn(&cache_.short_words, item.key, item, &short_moved_);
      } else if (item.size <= LongWord::kMaxBytes) {
        ResolveIn(&cache_.long_words, item.long_key, item, &long_moved_);
      } else {
        Ask(item);
      }
    }
    count_ = 0;
    short_moved_ = long_moved_ = false;
  }

  void PrefetchIds(const Item& item) const {
    if (item.size == 0 || item.size > ShortWord::kMaxBytes || short_moved_) return;
    cache_.short_words.PrefetchIds(item.place);
  }

  // `*moved`: an insertion may have grown the table since the places were asked for.
  template <typename Table, typename Word>
  void ResolveIn(Table* table, const Word& word, const Item& item, bool* moved) {
    size_t place = *moved ? table->Place(word) : item.place;
    WordIds found;
    if (table->Find(word, place, &found)) [[likely]] {
      writer_.AddFew(found.ids, found.count);
    } else if (Ask(item)) {
      table->Insert(word, work_.data(), work_.size());
      *moved = true;
    }
  }

  bool Ask(const Item& item) {
    work_.clear();
    bool keep = miss_(item.word, item.size, &work_);
    writer_.AddMany(work_.data(), work_.size());
    return keep;
  }

  WordCache& cache_;
  std::vector<uint32_t>& work_;
  IdWriter& writer_;
  Miss miss_;
  size_t count_ = 0;
  bool short_moved_ = false, long_moved_ = false;
  Item items_[kItems];
};

}  // namespace hearth::tokenizers
