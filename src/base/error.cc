#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace hearth {
namespace {

struct CodeInfo {
  Code code;
  int status;
  std::string_view name;
};

constexpr CodeInfo kCodes[] = {
    {Code::kInvalidArgument, 400, "invalid_argument"},
    {Code::kUnauthenticated, 401, "unauthenticated"},
    {Code::kForbidden, 403, "forbidden"},
    {Code::kMoved, 307, "moved"},
    {Code::kNotFound, 404, "not_found"},
    {Code::kMethodNotAllowed, 405, "method_not_allowed"},
    {Code::kTimeout, 408, "timeout"},
    {Code::kConflict, 409, "conflict"},
    {Code::kPreconditionFailed, 412, "precondition_failed"},
    {Code::kTooLarge, 413, "too_large"},
    {Code::kUnsupportedMedia, 415, "unsupported_media"},
    {Code::kRangeNotSatisfiable, 416, "range_not_satisfiable"},
    {Code::kUnprocessable, 422, "unprocessable"},
    {Code::kTooManyRequests, 429, "too_many_requests"},
    {Code::kInternal, 500, "internal"},
    {Code::kUnimplemented, 501, "unimplemented"},
    {Code::kUnavailable, 503, "unavailable"},
    {Code::kInsufficientStorage, 507, "insufficient_storage"},
};

const CodeInfo& Info(Code code) {
  for (const CodeInfo& info : kCodes) {
    if (info.code == code) return info;
  }
  return Info(Code::kInternal);
}

}  // namespace

int HttpStatus(Code code) { return Info(code).status; }
std::string_view CodeName(Code code) { return Info(code).name; }

void ThrowErrno(std::string_view what, int error_number) {
  Code code = Code::kInternal;
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS) {
    code = Code::kInsufficientStorage;
  } else if (error_number == ENOENT) {
    code = Code::kNotFound;
  }
  throw Error(code, std::string(what) + ": " + std::strerror(error_number));
}

void ThrowErrno(std::string_view what) { ThrowErrno(what, errno); }

}  // namespace hearth
