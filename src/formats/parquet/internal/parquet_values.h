// The encodings of values and levels inside a page. Each reader is given a page's bytes and how
// many values to read; none trusts a count. Pure. Errors: kInvalidArgument, kUnimplemented. Format:
// github.com/apache/parquet-format, Encodings.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::parquet {

enum class Physical { kBoolean, kInt32, kInt64, kInt96, kFloat, kDouble, kByteArray, kFixed };

// Values of one page: numbers as their bits in `bits`, texts (also INT96 and fixed) in `texts`.
struct PageValues {
  std::vector<uint64_t> bits;
  std::vector<std::string> texts;
  size_t size() const { return bits.empty() ? texts.size() : bits.size(); }
};

bool IsText(Physical type);

// The hybrid of runs and bit-packed groups: `count` numbers of `width` bits.
std::vector<uint32_t> ReadHybrid(std::string_view bytes, int width, size_t count);
// PLAIN.
PageValues ReadPlain(std::string_view bytes, Physical type, size_t fixed_bytes, size_t count);
// DELTA_BINARY_PACKED; `used` gets how many bytes it took.
std::vector<int64_t> ReadDelta(std::string_view bytes, size_t count, size_t* used);
// DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY.
std::vector<std::string> ReadDeltaLengths(std::string_view bytes, size_t count);
std::vector<std::string> ReadDeltaPrefixes(std::string_view bytes, size_t count);
// BYTE_STREAM_SPLIT.
PageValues ReadByteStreamSplit(std::string_view bytes, Physical type, size_t fixed_bytes,
                               size_t count);

}  // namespace hearth::parquet
