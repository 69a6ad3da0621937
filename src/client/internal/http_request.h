// One GET over a connection that may be used again: the address rules, limits and the place of the
// token are the same for everything that the client fetches. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "client/http_source.h"

namespace hearth::client {

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::string content_range;
  std::string link;      // of a list by pages (RFC 8288)
  std::string location;  // where a redirect leads to, absolute; empty without one
};

class HttpConnection {
 public:
  HttpConnection();
  ~HttpConnection();
  // `range`: "0-99", or empty for the whole. kUnimplemented when more than `max_bytes` come,
  // kTimeout, kUnavailable. Redirects are not followed.
  HttpAnswer Get(const std::string& place, const std::string& range, uint64_t max_bytes,
                 const HttpSourceOptions& options);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// Throws for what is neither 200 nor 206, by its meaning.
void CheckStatus(long status, const std::string& address);

}  // namespace hearth::client
