// 7z and RAR (versions 4 and 5) archives, member by member, by libarchive.
//
// These formats pack many members into one stream, so members come in their order and are unpacked
// as they come. What is encrypted, or packed in a way that the library does not know, has no bytes
// and a problem. Not thread-safe. Errors: kInternal, kInsufficientStorage, and those of the source;
// never for the content.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "formats/archive/archive_decode.h"

namespace hearth {

struct PackedMember {
  std::string name;
  std::string link;  // target of a link
  bool folder = false;
  bool encrypted = false;
  bool bomb = false;                   // stopped by a limit
  std::string problem;                 // why not all of it was unpacked
  std::unique_ptr<ByteSource> source;  // what was; never null
};

struct PackedWalk {
  std::string problem;     // why there are no further members; empty at the end of the archive
  bool encrypted = false;  // some member or the names
  bool volume = false;     // of a set of files, of which this is one
  uint64_t unpacked_bytes = 0;
};

// "7z" or "rar"; empty for anything else.
std::string_view SniffPackedArchive(std::string_view first);

// `limits.max_bytes` is of all members together. `take` says whether to go on.
PackedWalk WalkPackedArchive(ByteSource& source, const UnpackLimits& limits,
                             const std::function<bool(PackedMember&)>& take);

}  // namespace hearth
