// NumPy arrays: .npy (versions 1 to 3) and .npz, a zip archive of them.
//
// Only the header is read; the data lies as one run behind it. Arrays of Python objects are a
// pickle and are refused here (the scanner looks into them). Records (structured dtypes) are listed
// by field but not given a plain dtype. Format: numpy/lib/format.py documents it. Pure apart from
// the source's reads. Errors: kInvalidArgument; kForbidden for arrays of objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/source/source.h"

namespace hearth {

struct NumpyField {
  std::string name;
  std::string dtype;            // as in NumpyArray
  std::vector<uint64_t> shape;  // of a field that is itself an array
};

struct NumpyArray {
  std::string name;   // of the member in an .npz, without ".npy"
  std::string descr;  // as written: "<f4"; empty for records
  std::string dtype;  // "float32", "int64", "bool", "complex128", "str96", "bytes8",
                      // "datetime64[ns]", "void16", "record"
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<uint64_t> shape;
  uint64_t item_bytes = 0;
  uint64_t elements = 0;
  uint64_t data_offset = 0;  // in the source; within the member when packed
  uint64_t bytes = 0;
  bool packed = false;  // compressed inside of the .npz
  std::vector<NumpyField> fields;
  int version = 1;
  bool has_objects = false;
};

bool LooksLikeNumpy(std::string_view first);  // at least 6 bytes

// `allow_objects`: describe arrays of objects (data to the end of the source) instead of refusing
// them.
NumpyArray ReadNumpyHeader(ByteSource& source, bool allow_objects = false);

// Every .npy of the archive. Members that are no arrays are an error.
std::vector<NumpyArray> ReadNpz(ByteSource& source);

}  // namespace hearth
