// The codecs of Parquet's pages. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::parquet {

// "zstd"; "codec 9" for a number that nobody knows.
std::string CodecName(int64_t codec);
// The page in its full length, which must be `size`. kInvalidArgument, kUnimplemented.
std::string Decompress(int64_t codec, std::string_view bytes, size_t size);

}  // namespace hearth::parquet
