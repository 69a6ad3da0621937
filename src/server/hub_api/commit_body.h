// The body of POST .../commit/{rev}: newline-delimited JSON, or the older single object (wire
// reference, section 4.1).
//
// A commit may be larger than memory: lines are read one at a time from the spooled body, and the
// contents beyond a budget are not kept but read from the body again when git wants them.
#pragma once

#include <cstdint>
#include <string>

#include "hub/commits.h"
#include "net/http.h"

namespace hearth::server {

struct CommitBodyLimits {
  // 10 MiB of file in base64 and its JSON around; what is longer can only be too large a file.
  uint64_t max_line_bytes = 15u << 20;
  uint64_t max_json_bytes = 64u << 20;       // of the older form, which is read as a whole
  uint64_t memory_budget_bytes = 32u << 20;  // decoded contents kept in memory
  size_t max_operations = 1'000'000;
};

// Everything but `revision`. The result may read from `body` later, so the body must outlive it.
// Throws kInvalidArgument naming the line, kTooLarge.
hub::CommitRequest ParseCommitLines(const net::RequestBody& body,
                                    const CommitBodyLimits& limits = {});
hub::CommitRequest ParseCommitJson(const net::RequestBody& body,
                                   const CommitBodyLimits& limits = {});

}  // namespace hearth::server
