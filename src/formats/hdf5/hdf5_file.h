// What an HDF5 file holds: its datasets with shapes and types, and the attributes of its root group
// (where Keras keeps the model's configuration). No data of a dataset is read.
//
// An HDF5 file is a graph: a superblock names the root group, a group names objects, and an object
// is a header of messages (dataspace, datatype, layout, links). Groups come in three forms: a
// symbol table (B-tree, symbol nodes and a local heap of names, the default of libhdf5), link
// messages in the header itself (new style, up to eight links) and a B-tree of version 2 over a
// fractal heap (new style, more links). Specification: HDF5 File Format Specification 3.0,
// support.hdfgroup.org/documentation. The graph may have cycles and many names for one object:
// every object is read once. Thread rule: pure apart from the source's reads. Errors:
// kInvalidArgument (damaged or not HDF5), kTooLarge; a damaged group or dataset is a warning and
// the rest is still listed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "formats/source/source.h"

namespace hearth {

struct Hdf5Limits {
  size_t max_objects = 200'000;            // groups and datasets
  size_t max_links = 500'000;              // names for them
  int max_depth = 64;                      // groups in groups
  size_t max_name_bytes = 4096;            // of a path
  uint64_t max_read_bytes = 512ull << 20;  // of headers, nodes and heaps, all together
  uint64_t max_text_bytes = 4ull << 20;    // of one attribute
};

struct Hdf5Dataset {
  std::string name;   // "model_weights/dense/kernel:0", without the root's slash
  std::string dtype;  // "float32", "int64_be", "bool", "string[12]", "string", "compound[2]", ...
  std::vector<uint64_t> shape;  // empty: a scalar
  uint64_t elements = 0;
  uint64_t bytes = 0;   // elements times their size, before filters
  uint64_t offset = 0;  // in the file; 0 when the bytes do not lie there as they are
  std::string layout;   // "contiguous", "chunked", "compact", "virtual", "external", "not written"
  std::vector<std::string> filters;  // "deflate", "shuffle", ...
  std::string same_as;               // an earlier name of the same dataset
};

struct Hdf5File {
  int superblock_version = 0;
  uint64_t superblock_offset = 0;  // above 0: the user's block comes before
  size_t groups = 0;
  std::vector<Hdf5Dataset> datasets;                     // in the order of the groups' own indexes
  std::vector<std::pair<std::string, Json>> attributes;  // of the root group; texts and numbers
  std::vector<std::string> warnings;
};

// Does a superblock stand at a place where one may (0, 512, 1024, ...) within these first bytes?
bool LooksLikeHdf5(std::string_view first);

Hdf5File ReadHdf5(ByteSource& source, const Hdf5Limits& limits = {});

}  // namespace hearth
