// The records of a zip archive, decoded one at a time; archive_zip.cc and archive_zip_walk.cc put
// them together. Pure apart from the source's reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/archive/archive_zip.h"

namespace hearth {

constexpr std::string_view kZipLocalMagic = "PK\3\4";
constexpr std::string_view kZipCentralMagic = "PK\1\2";
constexpr std::string_view kZipEndMagic = "PK\5\6";
constexpr uint64_t kZipEndBytes = 22;
constexpr uint64_t kZip64TailBytes = 20 + 56;  // locator and end record of zip64

struct ZipEnd {
  uint64_t offset = 0;  // of the end record
  uint64_t entries = 0;
  uint64_t directory_bytes = 0;
  uint64_t directory_offset = 0;  // as stored
  uint64_t end = 0;               // first byte after the comment
  uint64_t tail_begin = 0;        // first byte of the zip64 records, or `offset`
  bool zip64 = false;
};

// Offsets of the end records in the last 64 KiB, last one first.
std::vector<uint64_t> FindZipEnds(ByteSource& source);
// Two when the 32-bit fields and the zip64 record contradict each other; none when it lies outside
// of the source.
std::vector<ZipEnd> ReadZipEnds(ByteSource& source, uint64_t offset);

struct ZipDirectory {
  std::vector<ZipEntry> entries;  // header_offset is not yet moved by a base; data_offset is 0
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Central headers from `begin` on until something else comes, at most up to `limit`.
ZipDirectory ReadZipDirectory(ByteSource& source, uint64_t begin, uint64_t limit,
                              const ZipLimits& limits);

// nullopt when there is no whole local header.
std::optional<ZipEntry> ReadZipLocal(ByteSource& source, uint64_t offset, const ZipLimits& limits);

}  // namespace hearth
