// LZ4 frames as Xet clients write them, decoded straight into the caller's memory. The library's
// own frame decoder puts a block through a buffer of its own whenever the room left is less than
// the largest possible block, which is the rule for chunks.
// Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md Pure, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hearth::storage::internal {

enum class FrameResult {
  kDecoded,  // one frame that fills `out` exactly and ends with the payload
  kBad,
  kOther,  // of a kind that is left to the library: linked blocks, checksums of content, dictionary
};

struct PlainFrame {
  std::string_view payload;
  char* out = nullptr;
  size_t out_bytes = 0;  // at `out`, which no other frame shares
  FrameResult result = FrameResult::kBad;
};

// What is taken: all that the library takes, or only what every Xet client takes, too. Those differ
// for offsets of 0, which the library decodes to zeros.
enum class Strictness { kLibrary, kEveryClient };

// Sets the `result` of each. After kBad the content of `out` is undefined; nothing behind it is
// written. Several in one call take less time than one by one (see lz4_block.h), except strictly.
void DecodePlainFrames(std::span<PlainFrame> frames, Strictness strictness = Strictness::kLibrary);

// What a frame has that not every Xet client decodes, although the library does; null for nothing.
// The stock client refuses dictionaries, offsets of 0 and blocks of no bytes; the JavaScript one
// looks for checksums of blocks in the wrong place and gives other bytes. Offsets in frames that
// DecodePlainFrames decodes are its matter. Looks at frames that decode; of any other it may say
// either.
const char* FindUnportable(std::string_view payload);

}  // namespace hearth::storage::internal
