// The schema of a Parquet file as its leaves, and how a leaf's values read. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/parquet/internal/parquet_values.h"
#include "formats/parquet/internal/thrift_compact.h"

namespace hearth::parquet {

enum class Meaning {
  kPlain,
  kString,
  kDate,
  kTime,
  kTimestamp,
  kDecimal,
  kUuid,
  kFloat16,
  kUnsigned,
  kInt96Time,
  kBytes
};

struct Leaf {
  std::string path;  // as in ParquetColumn
  std::string type;  // as in ParquetColumn
  Physical physical = Physical::kBoolean;
  size_t fixed_bytes = 0;
  Meaning meaning = Meaning::kPlain;
  int64_t unit_per_second = 1'000'000;  // of times
  int scale = 0;                        // of decimals
  int max_definition = 0;
  int max_repetition = 0;
  std::vector<int> list_definitions;  // for each repetition level from 1: the definition level of
                                      // an element that is there
};

// `elements`: the list FileMetaData.schema. kInvalidArgument, kTooLarge.
std::vector<Leaf> ReadSchema(const std::vector<ThriftValue>& elements);
// Value `index` of a page.
Json ValueOf(const Leaf& leaf, const PageValues& values, size_t index);

}  // namespace hearth::parquet
