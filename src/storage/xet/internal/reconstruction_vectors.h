// A file of five terms over two xorbs and the plans for its ranges, as the stock client accepted
// them. Tests only.
#pragma once

#include <cstdint>
#include <vector>

namespace hearth::storage::internal {

struct VectorXorb {
  const char* hash;
  std::vector<uint32_t> chunk_bytes;
  std::vector<uint32_t> boundaries;  // of the records, 0 first
};

struct VectorTerm {
  int xorb;  // number in VectorXorbs()
  uint32_t unpacked_bytes, chunk_start, chunk_end;
};

struct VectorRange {
  int xorb;
  uint32_t chunk_start, chunk_end;
  uint64_t first_byte, last_byte;  // inclusive, as on the wire
};

struct VectorCase {
  uint64_t first, last;  // inclusive; may lie behind the end of the file
  uint64_t offset_into_first_range;
  std::vector<VectorTerm> terms;
  std::vector<VectorRange> ranges;
};

inline std::vector<VectorXorb> VectorXorbs() {
  return {
      {"efe1cadb764676e18aaf60445e99431ed15ab35d3c83c768aaa6e615fd255dc8",
       {55229, 55191, 68470, 13122, 30112, 36766, 20000, 55229, 55191, 101592, 30112, 36766},
       {0, 9527, 19038, 30770, 43900, 73259, 107936, 127944, 137471, 146982, 191961, 222081,
        258855}},
      {"3763adda41405d497b545bd03836f99240e5c3dcbb80fa06e213c1d68be8f269",
       {9000, 9500, 10000, 10500, 11000, 11500},
       {0, 9008, 18516, 28524, 39032, 50040, 61548}},
  };
}

inline std::vector<VectorTerm> VectorTerms() {
  return {
      {0, 111704, 2, 5}, {1, 19500, 1, 3}, {0, 86878, 4, 7}, {0, 168470, 9, 12}, {1, 61500, 0, 6},
  };
}

inline std::vector<VectorCase> VectorCases() {
  return {
      {0,
       448051,
       0,
       {{0, 111704, 2, 5},
        {1, 19500, 1, 3},
        {0, 86878, 4, 7},
        {0, 168470, 9, 12},
        {1, 61500, 0, 6}},
       {{0, 2, 7, 19038, 127943}, {0, 9, 12, 146982, 258854}, {1, 0, 6, 0, 61547}}},
      {0, 0, 0, {{0, 68470, 2, 3}}, {{0, 2, 3, 19038, 30769}}},
      {0,
       448051,
       0,
       {{0, 111704, 2, 5},
        {1, 19500, 1, 3},
        {0, 86878, 4, 7},
        {0, 168470, 9, 12},
        {1, 61500, 0, 6}},
       {{0, 2, 7, 19038, 127943}, {0, 9, 12, 146982, 258854}, {1, 0, 6, 0, 61547}}},
      {0,
       449052,
       0,
       {{0, 111704, 2, 5},
        {1, 19500, 1, 3},
        {0, 86878, 4, 7},
        {0, 168470, 9, 12},
        {1, 61500, 0, 6}},
       {{0, 2, 7, 19038, 127943}, {0, 9, 12, 146982, 258854}, {1, 0, 6, 0, 61547}}},
      {68469, 68470, 68469, {{0, 81592, 2, 4}}, {{0, 2, 4, 19038, 43899}}},
      {68470, 68470, 0, {{0, 13122, 3, 4}}, {{0, 3, 4, 30770, 43899}}},
      {100000,
       150000,
       18408,
       {{0, 30112, 4, 5}, {1, 19500, 1, 3}, {0, 30112, 4, 5}},
       {{0, 4, 5, 43900, 73258}, {1, 1, 3, 9008, 28523}}},
      {111704, 111704, 0, {{1, 9500, 1, 2}}, {{1, 1, 2, 9008, 18515}}},
      {111703,
       111704,
       30111,
       {{0, 30112, 4, 5}, {1, 9500, 1, 2}},
       {{0, 4, 5, 43900, 73258}, {1, 1, 2, 9008, 18515}}},
      {448051, 448051, 11499, {{1, 11500, 5, 6}}, {{1, 5, 6, 50040, 61547}}},
      {200000,
       600000,
       1918,
       {{0, 20000, 6, 7}, {0, 168470, 9, 12}, {1, 61500, 0, 6}},
       {{0, 6, 7, 107936, 127943}, {0, 9, 12, 146982, 258854}, {1, 0, 6, 0, 61547}}},
  };
}

}  // namespace hearth::storage::internal
