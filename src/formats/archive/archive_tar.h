// Tar archives (v7, ustar, pax, GNU), read without trust: every header whose checksum holds is a
// member, also after the end marker, where some readers go on. Format: POSIX.1-2017 pax, and GNU
// tar's manual for its long names. Pure apart from the source's reads. Errors: kTooLarge.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/archive/archive_zip.h"

namespace hearth {

struct TarMember {
  std::string name;
  std::string link;     // target of a link
  char type = '0';      // '0' file, '1' and '2' links, '5' folder, ...
  uint64_t offset = 0;  // of the data
  uint64_t bytes = 0;
};

struct TarWalk {
  bool is_tar = false;
  std::vector<TarMember> members;
  std::vector<ArchiveProblem> problems;
};

// Does a member's name, or a link's target, lead out of the folder that it is unpacked into?
bool LeavesFolder(std::string_view path);

bool LooksLikeTar(std::string_view first512);
TarWalk WalkTar(ByteSource& source, uint64_t max_members = 200'000);

}  // namespace hearth
