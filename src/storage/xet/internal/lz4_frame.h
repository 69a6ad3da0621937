// LZ4 frames as Xet clients write them, decoded straight into the caller's memory. The library's
// own frame decoder puts a block through a buffer of its own whenever the room left is less than
// the largest possible block, which is the rule for chunks.
// Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace hearth::storage::internal {

enum class FrameResult {
  kDecoded,  // one frame that fills `out` exactly and ends with the payload
  kBad,
  kOther,  // of a kind that is left to the library: linked blocks, checksums of content, dictionary
};

// After kBad the content of `out` is undefined; nothing behind it is written.
FrameResult DecodePlainFrame(std::string_view payload, char* out, size_t out_bytes);

}  // namespace hearth::storage::internal
