// The marks of a RAR archive that the library which unpacks it does not report: parts of a set of
// volumes, and encrypted members of version 5. Format: RAR 5.0 archive format, and technote.txt of
// RAR 4. Pure apart from reads; damage ends the walk.
#pragma once

#include <cstdint>

#include "formats/source/source.h"

namespace hearth {

struct RarMarks {
  bool encrypted = false;  // a member, or all headers
  bool volume = false;     // the rest of a member is in another file
};

RarMarks ReadRarMarks(ByteSource& source, uint64_t max_blocks = 200'000);

}  // namespace hearth
