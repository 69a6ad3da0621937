#include <cstring>

#include "hub/inspector/weights/internal/group_sums.h"

#define HEARTH_SUM_GROUP SumGroupPortable
namespace hearth::inspector::internal {
#include "hub/inspector/weights/internal/group_sums.inc"
}  // namespace hearth::inspector::internal
