// Gzip (RFC 1952) of whole buffers, over zlib. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

// Level 1 (fast) to 9 (small); anything else is kInvalidArgument. The header carries no time, so
// equal input gives equal output.
std::string GzipCompress(std::string_view bytes, int level = 6);

// Decompresses one or more concatenated gzip members. Errors: kInvalidArgument for text that is
// truncated, damaged (the checksum counts) or followed by other bytes; kTooLarge as soon as the
// output would pass `max_bytes`, so that a small body cannot fill the memory.
std::string GzipDecompress(std::string_view bytes, uint64_t max_bytes);

}  // namespace hearth
