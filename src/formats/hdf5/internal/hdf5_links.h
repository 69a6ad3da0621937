// The three forms in which a group keeps its links, and the heaps under them. Pure apart from
// reads; FailHdf5 for damage.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/hdf5/internal/hdf5_bytes.h"

namespace hearth {

struct Hdf5Link {
  enum Kind { kHard, kSoft, kExternal };
  Kind kind = kHard;
  std::string name;
  uint64_t address = 0;  // of the object's header; kHard
  std::string target;    // a path, or "file:path"; the other kinds
};

// The body of a link message.
Hdf5Link ParseHdf5Link(const Hdf5Bytes& bytes, Hdf5Fields fields);

// The old form: a B-tree of version 1 whose leaves are symbol nodes, with names in a local heap.
std::vector<Hdf5Link> ReadHdf5SymbolTable(Hdf5Bytes& bytes, uint64_t tree, uint64_t heap);

// The dense form: every message that a B-tree of version 2 points to in a fractal heap. Calls
// `take` with the body of each.
void ReadHdf5Dense(Hdf5Bytes& bytes, uint64_t tree, uint64_t heap,
                   const std::function<void(std::string_view)>& take);

// The text that a variable-length value points to in a global heap: address and index.
std::string ReadHdf5GlobalHeap(Hdf5Bytes& bytes, uint64_t address, uint64_t index, uint64_t n);

}  // namespace hearth
