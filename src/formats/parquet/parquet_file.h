// Parquet files: what the footer states, and the first rows, by ranges.
//
// Reads every physical and logical type, nested columns, data pages of both versions, the encodings
// PLAIN, dictionary, RLE, DELTA_* and BYTE_STREAM_SPLIT, and the codecs none, Snappy, gzip, zstd
// and LZ4_RAW. Encrypted files are refused. Whatever the bytes, nothing is allocated beyond the
// limits below. Not thread-safe. Errors: kInvalidArgument (damaged), kTooLarge, kUnimplemented (a
// codec or encoding that is not read), each with the column. Format:
// github.com/apache/parquet-format
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "formats/source/source.h"

namespace hearth {

inline constexpr uint64_t kMaxParquetFooterBytes = 32 << 20;
inline constexpr uint64_t kMaxParquetPageBytes = 64 << 20;

// One leaf of the schema. Groups that only make up a list or map have no part in `path`.
struct ParquetColumn {
  std::string path;           // "label", "address.city"
  std::string type;           // as in Arrow: "int64", "string", "list<float>", "timestamp[us]"
  uint64_t stored_bytes = 0;  // of all row groups, compressed
};

struct ParquetSummary {
  uint64_t rows = 0;
  std::string created_by;
  std::vector<uint64_t> row_group_rows;
  std::vector<ParquetColumn> columns;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> codecs;  // "zstd", in order of first use
};

class ParquetFile {
 public:
  // Reads the footer. `source` is borrowed.
  explicit ParquetFile(ByteSource& source);
  ~ParquetFile();
  const ParquetSummary& summary() const;
  // The first `count` rows of column `column` (of summary().columns): strings, numbers, booleans,
  // null, lists; times as ISO 8601, decimals and numbers that JSON has not as strings, bytes that
  // are not text as "(n bytes)".
  std::vector<Json> ReadHead(size_t column, size_t count);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
