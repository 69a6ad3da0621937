// The one exception type of Hearth.
//
// A fault is thrown where it is seen and mapped once per rim: HTTP status and X-Error-* headers in
// server/, exit code in cli/. Absence that is normal is std::optional, not an Error.
// Thread rule: a value type; safe to copy across threads.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

// The closed list. Names follow the meaning, not the protocol; HttpStatus() gives the usual status.
enum class Code {
  kInvalidArgument,      // 400: the request itself is wrong
  kUnauthenticated,      // 401: no or bad credentials
  kForbidden,            // 403: known caller without the right
  kMoved,                // 307: the repository has a new name (detail "to" = new id)
  kNotFound,             // 404: missing, or not visible to this caller
  kMethodNotAllowed,     // 405
  kTimeout,              // 408: the peer was too slow
  kConflict,             // 409: exists already, or the state does not allow it
  kPreconditionFailed,   // 412: parentCommit is not the head, If-Match failed
  kTooLarge,             // 413: a size limit was passed
  kUnsupportedMedia,     // 415
  kRangeNotSatisfiable,  // 416
  kUnprocessable,        // 422: well-formed, but its content is not acceptable
  kTooManyRequests,      // 429
  kInternal,             // 500: a bug or a broken store
  kUnimplemented,        // 501
  kUnavailable,          // 503: try again later
  kInsufficientStorage,  // 507: disk full or read-only
};

int HttpStatus(Code code);
std::string_view CodeName(Code code);

class Error : public std::exception {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  // Wire code for X-Error-Code ("RepoNotFound", ...); empty = none.
  Error WithWireCode(std::string wire_code) && {
    wire_code_ = std::move(wire_code);
    return std::move(*this);
  }
  // Extra key for the JSON body (for example url on a 409). Keep values free of secrets.
  Error With(std::string key, std::string value) && {
    details_.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }
  // Extra HTTP header (for example X-Repo-Commit on EntryNotFound, WWW-Authenticate on git).
  Error WithHeader(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& wire_code() const { return wire_code_; }
  const std::vector<std::pair<std::string, std::string>>& details() const { return details_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Code code_;
  std::string message_;
  std::string wire_code_;
  std::vector<std::pair<std::string, std::string>> details_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

// Throws the Error for a failed system call: ENOSPC, EDQUOT and EROFS become kInsufficientStorage,
// ENOENT kNotFound, the rest kInternal. `what` says the operation and the file ("write tmp/ab12").
[[noreturn]] void ThrowErrno(std::string_view what, int error_number);
[[noreturn]] void ThrowErrno(std::string_view what);  // uses errno

}  // namespace hearth
