// Unpacks compressed bytes as far as they go: a stream that breaks off gives what came before the
// break, since a loader would have acted on that much. The result is kept in memory while it is
// small, else in a file that has no name. Pure apart from that file. Errors: kInsufficientStorage,
// kInternal; never for the content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "formats/source/source.h"

namespace hearth {

enum class Packing { kStored, kDeflate, kZlib, kGzip, kBzip2, kXz, kZipLzma, kZstd, kLz4 };

struct UnpackLimits {
  uint64_t max_bytes = 4ull << 30;  // of one result
  // Most that one packed byte may become once the result is above 64 MiB. Deflate reaches 1032 on
  // zeros, which empty tensors are; xz and zstd go far beyond.
  uint64_t max_ratio = 1100;
};

struct Unpacked {
  std::unique_ptr<ByteSource> source;
  std::string problem;      // empty when the stream was whole
  bool bomb = false;        // stopped by a limit
  uint64_t used_bytes = 0;  // of the packed input
};

// What the first bytes of a file say; nullopt when it is none of these. kDeflate and kZipLzma have
// no mark; zlib and LZMA alone have weak ones, which other data may start like.
std::optional<Packing> SniffPacking(std::string_view first);

Unpacked Unpack(ByteSource& source, Packing packing, const UnpackLimits& limits = {});

}  // namespace hearth
