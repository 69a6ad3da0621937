// The head of an HTTP/1 request: finding its end in a growing buffer and parsing it, without
// sockets.
//
// llhttp does the tokenising; everything on which two parsers of one message could disagree (line
// ends, folding, framing headers, Host) is checked here again and refused, because a proxy in front
// of us that reads such a message differently is a request-smuggling hole (RFC 9112, section 11.2).
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "net/http.h"

namespace hearth::net {

struct HeadLimits {
  uint64_t max_header_bytes = 64 << 10;  // request line and all fields
  int max_headers = 200;
  int max_target_bytes = 16 << 10;
};

enum class Framing { kNone, kLength, kChunked };

struct RequestHead {
  std::string method;
  std::string target;  // origin form ("/a?b") or "*"; an absolute-form target is reduced to it
  std::string host;    // lower case, with port; "" for a 1.0 request without Host
  int minor_version = 1;
  Headers headers;
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;  // for kLength
  bool keep_alive = true;
  bool expect_continue = false;
};

// Why a request is refused before any route sees it; the connection closes after the answer.
struct HeadFault {
  int status = 400;
  std::string message;
};

// Searches `bytes` for the end of the head. `*scanned` (start it at 0) remembers how far the search
// came, so that a slow sender costs linear time. Sets `*head_bytes` when found (0 = need more).
std::optional<HeadFault> FindHeadEnd(std::string_view bytes, const HeadLimits& limits,
                                     size_t* scanned, size_t* head_bytes);

// Parses a whole head as found by FindHeadEnd.
std::variant<RequestHead, HeadFault> ParseHead(std::string_view head, const HeadLimits& limits);

// host[:port] with the characters RFC 3986 allows in an authority without user info.
bool IsValidHost(std::string_view host);

}  // namespace hearth::net
