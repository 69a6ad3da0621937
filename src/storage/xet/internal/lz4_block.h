// LZ4 blocks, several side by side. Where a token of a block ends is known only when the token has
// been read, so that one block keeps a processor waiting for its own loads most of the time; two
// blocks in turn fill these gaps. Weights are the case that counts: the bytes of their exponents
// compress to thousands of tokens of a few bytes each.
// Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md Pure, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hearth::storage::internal {

// At most 4 MiB each, packed and unpacked, as a frame's blocks are.
struct Lz4Block {
  std::string_view packed;
  char* out = nullptr;
  size_t room = 0;          // bytes at `out`; blocks decoded together share none
  ptrdiff_t produced = -1;  // bytes of `out` that the block gave; -1: malformed, or out of room
};

// Sets `produced` of every block: what liblz4's LZ4_decompress_safe returns, or -1 where that
// fails. After a fault the content of `out` is undefined; nothing behind `room` is written.
void DecodeBlocks(std::span<Lz4Block> blocks);

// The same for one, which is also refused when it has an offset of 0: the library takes those for
// zeros, other decoders refuse them.
void DecodeStrictly(Lz4Block& block);

// Of a block that decodes.
bool HasOffsetOfZero(std::string_view block);

}  // namespace hearth::storage::internal
