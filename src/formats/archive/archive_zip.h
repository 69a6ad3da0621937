// Zip archives, read in two ways.
//
// ReadZip is for files that we want to use: one directory at the end, and every local header agrees
// with it; anything else is refused. WalkZip is for files that we do not trust: loaders disagree
// about which bytes of a damaged archive count (Python goes by the directory at the end, miniz by
// its stored offset, streaming readers by the local headers), so it returns every member that any
// of them could see, with every reading of its bytes. Format: PKWARE APPNOTE 6.3. Pure apart from
// the source's reads. Errors: kInvalidArgument (ReadZip), kTooLarge.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source/source.h"

namespace hearth {

constexpr uint16_t kZipStored = 0;
constexpr uint16_t kZipDeflated = 8;

struct ZipLimits {
  uint64_t max_entries = 200'000;
  uint64_t max_name_bytes = 4096;
  // Bytes outside all known members that are searched for hidden ones; the rest counts as examined
  // by other means.
  uint64_t max_gap_bytes = 1ull << 36;
};

struct ZipEntry {
  std::string name;
  std::string unicode_name;  // of the extra field 0x7075, which some readers put in its place
  bool is_link = false;      // a symbolic link of Unix; known from the directory alone
  uint16_t flags = 0;
  uint16_t method = 0;  // kZipStored, kZipDeflated, ...
  uint32_t crc32 = 0;
  uint64_t packed_bytes = 0;
  uint64_t bytes = 0;
  uint64_t header_offset = 0;  // of the local header, from the start of the source
  uint64_t data_offset = 0;
  bool is_folder() const { return !name.empty() && name.back() == '/'; }
};

// Members in the order of the directory. Throws kInvalidArgument for what is not a plain, whole
// archive.
std::vector<ZipEntry> ReadZip(ByteSource& source, const ZipLimits& limits = {});

// One way to read a member's bytes.
struct ZipReading {
  uint64_t offset = 0;
  uint64_t packed_bytes = 0;
  uint16_t method = 0;
  uint32_t crc32 = 0;
  bool has_crc = false;
  // The end of the data is not known: it runs to the next header at the latest.
  bool open_end = false;
};

struct ZipMember {
  std::string name;        // as the directory says, else as the local header says
  std::string other_name;  // what the local header says, when that differs
  uint64_t header_offset = 0;
  bool encrypted = false;
  bool hidden = false;  // in no directory
  uint64_t bytes = 0;   // unpacked, as declared
  std::vector<ZipReading> readings;
};

struct ArchiveProblem {
  std::string kind;  // "zip-two-directories", ...
  uint64_t offset = 0;
  std::string text;
  bool grave = true;  // an honest writer does not make this
};

struct ZipWalk {
  bool is_zip = false;  // something that a loader takes for a zip archive is there
  std::vector<ZipMember> members;
  std::vector<ArchiveProblem> problems;
  // Ranges that belong to no member, directory or end record: [begin, end).
  std::vector<std::pair<uint64_t, uint64_t>> gaps;
};

ZipWalk WalkZip(ByteSource& source, const ZipLimits& limits = {});

}  // namespace hearth
