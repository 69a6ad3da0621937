// Turns a handler's Response into what goes on the wire: conditions and ranges are decided, framing
// headers added, the head written. Blocking-free and without sockets; runs on the worker that ran
// the handler.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/internal/source_pull.h"

namespace hearth::net {

// What the head of a reply depends on besides the Response.
struct ReplyContext {
  std::string_view method;
  const Headers* request_headers = nullptr;  // null: no conditions, no ranges
  int minor_version = 1;
  bool keep_alive = true;
  std::string_view server_name;
  std::string_view request_id;
};

// A run of body bytes: in memory, in a file, or pulled while it is sent.
struct Segment {
  std::string bytes;
  std::shared_ptr<UniqueFd> file;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;  // of the file part, or of what is pulled
  std::shared_ptr<SourcePull> pull;
};

struct Reply {
  int status = 200;
  std::string route;
  bool keep_alive = true;  // after this reply
  bool chunked = false;    // the stream below is framed in chunks
  std::string head;        // with the body behind it when that is small
  std::vector<Segment> segments;
  std::optional<StreamBody> stream;
  std::optional<ProcessBody> process;  // `head` is held back until its first output
  std::optional<LaterBody> later;      // nothing else is set but `route` and `headers`
  Headers headers;                     // for the response that comes later
};

Reply BuildReply(Response response, const ReplyContext& context);
// A short body in memory goes out with the head.
void InlineShortBody(Reply* reply);
// {"error": message} with X-Error-Message: the form of every answer net gives by itself.
Response ErrorResponse(int status, std::string_view message);
std::string_view ReasonPhrase(int status);
// The value of Date, cached per thread and second.
const std::string& HttpDateNow();

}  // namespace hearth::net
