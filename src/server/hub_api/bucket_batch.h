// The body of POST /api/buckets/{id}/batch: one JSON object a line,
//   {"type":"addFile","path","xetHash","mtime",?"contentType"}
//   {"type":"copyFile", the same, "sourceRepoType","sourceRepoId"}
//   {"type":"deleteFile","path"}
// Unknown keys are ignored. Pure, thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "hub/buckets.h"

namespace hearth::server {

// Clients send up to 1000 at a time.
inline constexpr size_t kMaxBucketOperations = 10'000;

// Throws kInvalidArgument with the line's number, kTooLarge for more operations than the limit.
std::vector<hub::BucketOperation> ParseBucketBatch(std::string_view body);

}  // namespace hearth::server
