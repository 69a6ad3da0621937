#include "formats/convert/transform.h"

#include "base/error.h"

namespace hearth::convert {
namespace {

uint64_t PerHead(uint64_t rows, uint64_t heads, uint64_t parts) {
  if (heads == 0 || rows % (heads * parts) != 0) {
    throw Error(Code::kInvalidArgument, std::to_string(rows) + " rows of attention do not fit " +
                                            std::to_string(heads) + " heads");
  }
  return rows / (heads * parts);
}

// Row r of half h of each head goes to place 2r + h.
std::vector<uint64_t> Pairs(uint64_t rows, uint64_t heads) {
  uint64_t half = PerHead(rows, heads, 2);
  std::vector<uint64_t> order;
  order.reserve(rows);
  for (uint64_t head = 0; head < heads; ++head) {
    for (uint64_t row = 0; row < half; ++row) {
      order.push_back(head * 2 * half + row);
      order.push_back(head * 2 * half + half + row);
    }
  }
  return order;
}

std::vector<uint64_t> PartsFirst(uint64_t rows, uint64_t heads) {
  uint64_t size = PerHead(rows, heads, 3);
  std::vector<uint64_t> order;
  order.reserve(rows);
  for (uint64_t part = 0; part < 3; ++part) {
    for (uint64_t head = 0; head < heads; ++head) {
      for (uint64_t row = 0; row < size; ++row) order.push_back((head * 3 + part) * size + row);
    }
  }
  return order;
}

}  // namespace

std::vector<uint64_t> CheckpointRows(Transform transform, uint64_t rows,
                                     const RowParameters& parameters) {
  std::vector<uint64_t> order;
  switch (transform) {
    case Transform::kRotaryQ:
      return Pairs(rows, parameters.heads);
    case Transform::kRotaryK:
      return Pairs(rows, parameters.kv_heads);
    case Transform::kFusedHeads:
      return PartsFirst(rows, parameters.heads);
    case Transform::kSkipPositions:
      if (parameters.skipped_positions >= rows) {
        throw Error(Code::kInvalidArgument, "fewer positions than are to be skipped");
      }
      for (uint64_t row = parameters.skipped_positions; row < rows; ++row) order.push_back(row);
      return order;
    case Transform::kNone:
    case Transform::kTransposed:
    case Transform::kPlusOne:
      break;
  }
  return order;
}

}  // namespace hearth::convert
