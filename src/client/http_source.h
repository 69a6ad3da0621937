// A file behind an http(s) address, read by ranges: what a header needs is fetched, not the file.
//
// Redirects are followed by hand, at most five, to http and https only. The access token goes to
// the origin (scheme, host and port) that it was given for and to no other, so not along with a
// redirect to a store. Ranges are kept in a cache of blocks. A server that knows no ranges is
// refused unless the file is small. Not thread-safe. Errors: kInvalidArgument (not an address),
// kNotFound, kForbidden, kUnauthenticated, kTimeout, kUnavailable (no connection, wrong answers),
// kUnimplemented (no ranges).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "formats/source/source.h"

namespace hearth::client {

struct HttpSourceOptions {
  std::string token;         // sent as a bearer token; empty = none
  std::string token_origin;  // "https://hub.example:8443": the only place that it is sent to
  int max_redirects = 5;
  uint64_t block_bytes = 128 << 10;     // of one request at least
  size_t max_blocks = 256;              // in the cache
  uint64_t max_whole_bytes = 16 << 20;  // of a file from a server without ranges
  int connect_seconds = 15;
  int stall_seconds = 30;  // an answer that brings next to nothing for so long is given up
};

// The scheme, host and port of an address, in lower case; empty when it is not http(s). Pure.
std::string OriginOf(const std::string& address);

struct HttpAnswer;
class HttpConnection;

class HttpSource : public ByteSource {
 public:
  // Makes the first request, which tells the size.
  HttpSource(const std::string& address, const HttpSourceOptions& options);
  ~HttpSource() override;
  uint64_t size_bytes() override { return size_; }
  void ReadAt(uint64_t offset, char* out, size_t n) override;
  uint64_t fetched_bytes() const { return fetched_; }

 private:
  HttpAnswer Request(uint64_t begin, uint64_t end);
  const std::string& Block(uint64_t index);

  HttpSourceOptions options_;
  std::string address_;  // as given
  std::string place_;    // where the redirects led to
  std::unique_ptr<HttpConnection> connection_;
  uint64_t size_ = 0;
  uint64_t fetched_ = 0;
  bool whole_ = false;  // the file is in whole_bytes_
  std::string whole_bytes_;
  std::map<uint64_t, std::string> blocks_;
  std::list<uint64_t> order_;  // oldest first
};

}  // namespace hearth::client
