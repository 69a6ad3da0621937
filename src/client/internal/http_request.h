// One GET over a connection that may be used again: the address rules, limits and the place of the
// token are the same for everything that the client fetches. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

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

  // Hears the body of a 200 or 206 in pieces; the answer's status and content_range are there by
  // then. False ends the transfer; what it throws goes on to the caller of Stream.
  using Sink = std::function<bool(const HttpAnswer& answer, std::string_view piece)>;
  // The same request without a body in the answer. Bodies of other statuses are dropped.
  HttpAnswer Stream(const std::string& place, const std::string& range, const Sink& sink,
                    const HttpSourceOptions& options);

 private:
  struct Incoming;
  HttpAnswer Perform(const std::string& place, const std::string& range, Incoming* incoming,
                     const HttpSourceOptions& options);

  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// A part of an address: everything but what RFC 3986 leaves alone, and `keep`, escaped. Pure.
std::string EscapePath(std::string_view text, std::string_view keep);

// Throws for what is neither 200 nor 206, by its meaning.
void CheckStatus(long status, const std::string& address);

}  // namespace hearth::client
