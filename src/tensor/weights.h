// The weights of one model as executors see them: named matrices, tables and vectors, each a view
// of bytes that somebody else keeps (a mapped file, mostly).
//
// A weight is `rows` x `columns` values of one type, row by row: a linear layer's rows are its
// outputs, an embedding's rows its tokens; vectors have one row. Rows of block types are whole
// blocks. Executors make of it what suits them (fp32 copies, packed panels).
//
// What a file stores another way than executors take it (turned matrices, rows in another order) is
// made when it is asked for, and lives as long as somebody holds a view of it; all other views are
// good as long as the set. Filled by one thread, then read by any number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tensor/block_types.h"

namespace hearth::tensor {

struct WeightView {
  uint64_t rows = 1;
  uint64_t columns = 0;
  BlockType type = BlockType::kF32;  // plain types included
  const uint8_t* data = nullptr;
  std::shared_ptr<const void> owner = nullptr;  // of bytes that were made; null: the set's

  uint64_t elements() const { return rows * columns; }
  uint64_t row_bytes() const;
  std::span<const uint8_t> bytes() const { return {data, rows * row_bytes()}; }
  // Rows [first, first + count) of it. Callers stay inside.
  WeightView Rows(uint64_t first, uint64_t count) const;
};

// As fp32, row by row.
std::vector<float> ToFloats(const WeightView& weight);

// A weight's place in its set; what operations name. `Weight{}` is an absent one.
struct Weight {
  int32_t index = -1;
  explicit operator bool() const { return index >= 0; }
  friend bool operator==(Weight, Weight) = default;
};

// A file that weights are read from.
struct WeightFile {
  std::filesystem::path path;
  std::span<const uint8_t> bytes;  // all of it, as it is mapped
};

class WeightSet {
 public:
  // Throws kInvalidArgument for a name that is there already or a view without rows or columns.
  Weight Add(std::string name, const WeightView& view);
  // The same for bytes that `make` makes at need: a view of the shape of `shape`, with its owner.
  // It is called by any thread and may throw.
  using Make = std::function<WeightView()>;
  Weight AddLazy(std::string name, const WeightView& shape, Make make);
  // Keeps whatever holds the bytes of views (a mapped file, a buffer) alive with the set.
  void Keep(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }

  // The same for a file that is mapped read-only and shared.
  void KeepFile(std::shared_ptr<const void> owner, WeightFile file);
  std::span<const WeightFile> files() const { return files_; }
  // Gives back the memory of mapped files that nobody will read again soon; what is read after all
  // comes from the file again.
  void ForgetPages() const;

  std::optional<Weight> Find(std::string_view name) const;
  // Rows, columns and type; the bytes may be absent.
  const WeightView& Shape(Weight weight) const { return entries_[weight.index].view; }
  WeightView View(Weight weight) const;
  const std::string& Name(Weight weight) const { return entries_[weight.index].name; }
  size_t size() const { return entries_.size(); }
  uint64_t bytes() const;

 private:
  struct Lazy;
  struct Entry {
    std::string name;
    WeightView view;
    std::shared_ptr<Lazy> lazy;
  };

  Weight AddEntry(Entry entry);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, int32_t> index_;
  std::vector<std::shared_ptr<const void>> owners_;
  std::vector<WeightFile> files_;
};

}  // namespace hearth::tensor
