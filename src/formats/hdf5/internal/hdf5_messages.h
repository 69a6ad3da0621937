// The messages of an object header that say what a dataset is. Pure; FailHdf5 for damage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/hdf5/internal/hdf5_bytes.h"

namespace hearth {

struct Hdf5Type {
  enum Kind { kInteger, kFloat, kText, kVariableText, kOther };
  Kind kind = kOther;
  std::string name;    // as Hdf5Dataset::dtype
  uint64_t bytes = 0;  // of an element
  bool is_signed = false;
  bool big_endian = false;
};

struct Hdf5Space {
  bool none = false;  // no elements at all (a null dataspace)
  std::vector<uint64_t> dims;
  uint64_t elements = 1;
};

struct Hdf5Layout {
  std::string name;  // as Hdf5Dataset::layout
  uint64_t address = 0;
  bool has_address = false;  // the data lies in one piece there
};

// Moves past the type, which may be followed by others.
Hdf5Type ParseHdf5Type(Hdf5Fields* fields, int depth = 0);
Hdf5Space ParseHdf5Space(Hdf5Fields fields);
Hdf5Layout ParseHdf5Layout(const Hdf5Bytes& bytes, Hdf5Fields fields);
std::vector<std::string> ParseHdf5Filters(Hdf5Fields fields);

}  // namespace hearth
