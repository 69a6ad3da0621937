#include "net/internal/reply.h"

#include <ctime>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"
#include "net/internal/conditional.h"

namespace hearth::net {
namespace {

// Up to here one copy into the head's buffer is cheaper than a second system call.
constexpr size_t kInlineBodyBytes = 16 << 10;

bool HasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

// Framing and identity belong to this layer; a handler's own would contradict it.
bool IsOurs(std::string_view name) {
  switch (name.size()) {
    case 4:
      return AsciiEqualsIgnoreCase(name, "date");
    case 6:
      return AsciiEqualsIgnoreCase(name, "server");
    case 10:
      return AsciiEqualsIgnoreCase(name, "connection");
    case 12:
      return AsciiEqualsIgnoreCase(name, "x-request-id");
    case 14:
      return AsciiEqualsIgnoreCase(name, "content-length");
    case 17:
      return AsciiEqualsIgnoreCase(name, "transfer-encoding");
    default:
      return false;
  }
}

// Header text from handlers can hold bytes of outside origin; a line break would let them write
// headers or a whole response.
void AppendHeaderText(std::string* out, std::string_view text) {
  size_t start = out->size();
  out->append(text);
  for (size_t i = start; i < out->size(); ++i) {
    char& c = (*out)[i];
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
}

void AppendField(std::string* out, std::string_view name, std::string_view value) {
  AppendHeaderText(out, name);
  *out += ": ";
  AppendHeaderText(out, value);
  *out += "\r\n";
}

// The representation as one run, so that ranges are cut the same way from memory and file.
struct Whole {
  std::string* bytes = nullptr;
  const FileBody* file = nullptr;
  const SeekableBody* seekable = nullptr;
  uint64_t size_bytes = 0;

  Segment Cut(const ByteRange& range) const {
    Segment segment;
    if (bytes) {
      segment.bytes = bytes->substr(range.offset, range.size_bytes);
    } else if (seekable) {
      segment.size_bytes = range.size_bytes;
      segment.pull =
          std::make_shared<SourcePull>(*seekable, range.offset, range.offset + range.size_bytes);
    } else {
      segment.file = file->file;
      segment.offset = file->offset + range.offset;
      segment.size_bytes = range.size_bytes;
    }
    return segment;
  }
  // Without a range. A string is taken out.
  Segment All() const {
    if (!bytes) return Cut({0, size_bytes});
    Segment segment;
    segment.bytes = std::move(*bytes);
    return segment;
  }
};

std::string ContentRange(const ByteRange& range, uint64_t size) {
  return "bytes " + std::to_string(range.offset) + "-" +
         std::to_string(range.offset + range.size_bytes - 1) + "/" + std::to_string(size);
}

// Of a body that goes out with the head; 0: none does.
size_t InlineBytes(const Reply& reply) {
  if (reply.segments.size() != 1) return 0;
  const Segment& only = reply.segments[0];
  return only.file || only.pull || only.bytes.size() > kInlineBodyBytes ? 0 : only.bytes.size();
}

// A file body for HEAD has a length and no file behind it.
uint64_t SegmentBytes(const Segment& segment) {
  return segment.bytes.empty() ? segment.size_bytes : segment.bytes.size();
}

// multipart/byteranges (RFC 9110, 14.6).
void CutMultipart(const Whole& whole, const RangeSet& set, Headers* headers,
                  std::vector<Segment>* out) {
  std::string boundary = "hearth-" + HexEncode(RandomBytes(12));
  std::string type = headers->Get("Content-Type");
  for (const ByteRange& range : set.ranges) {
    Segment part;
    part.bytes = (out->empty() ? "--" : "\r\n--") + boundary + "\r\n";
    if (!type.empty()) AppendField(&part.bytes, "Content-Type", type);
    AppendField(&part.bytes, "Content-Range", ContentRange(range, whole.size_bytes));
    part.bytes += "\r\n";
    out->push_back(std::move(part));
    out->push_back(whole.Cut(range));
  }
  Segment end;
  end.bytes = "\r\n--" + boundary + "--\r\n";
  out->push_back(std::move(end));
  headers->Set("Content-Type", "multipart/byteranges; boundary=" + boundary);
}

// Decides what of the representation goes out; may change status and headers.
std::vector<Segment> CutRanges(const Whole& whole, const ReplyContext& context,
                               Response* response) {
  std::vector<Segment> segments;
  response->headers.Set("Accept-Ranges", "bytes");
  const std::string* range =
      context.method == "GET" ? context.request_headers->Find("range") : nullptr;
  if (range && IfRangeHolds(*context.request_headers, response->headers)) {
    RangeSet set = ParseRange(*range, whole.size_bytes);
    if (whole.size_bytes == 0) {
      response->headers.Set("Content-Range", "bytes */0");
    } else if (set.kind == RangeSet::Kind::kUnsatisfiable) {
      Response error = ErrorResponse(416, "Requested range is not satisfiable");
      for (const auto& [name, value] : error.headers.fields()) response->headers.Set(name, value);
      response->headers.Set("Content-Range", "bytes */" + std::to_string(whole.size_bytes));
      response->status = 416;
      segments.emplace_back();
      segments.back().bytes = std::get<std::string>(std::move(error.body));
      return segments;
    } else if (set.kind == RangeSet::Kind::kPartial) {
      response->status = 206;
      if (set.ranges.size() > 1) {
        CutMultipart(whole, set, &response->headers, &segments);
      } else {
        response->headers.Set("Content-Range", ContentRange(set.ranges[0], whole.size_bytes));
        segments.push_back(whole.Cut(set.ranges[0]));
      }
      return segments;
    }
  }
  segments.push_back(whole.All());
  return segments;
}

// Applies conditions; true when the response is now one without a body.
bool ApplyConditions(const ReplyContext& context, Response* response) {
  if (context.method != "GET" && context.method != "HEAD") return false;
  switch (EvaluateConditions(*context.request_headers, response->headers)) {
    case Condition::kProceed:
      return false;
    case Condition::kNotModified:
      response->status = 304;
      response->headers.Erase("Content-Type");
      response->headers.Erase("Content-Encoding");
      return true;
    case Condition::kPreconditionFailed: {
      Response error = ErrorResponse(412, "Precondition failed");
      for (const auto& [name, value] : error.headers.fields()) response->headers.Set(name, value);
      response->status = 412;
      response->body = std::move(error.body);
      return true;
    }
  }
  return false;
}

// The segments of a string, file or seekable body, after conditions and ranges.
std::vector<Segment> CutBody(const ReplyContext& context, Response* response) {
  // Conditions may put a text in the body's place, so it is taken out.
  decltype(response->body) body = std::move(response->body);
  response->body = std::string();
  Whole whole;
  whole.bytes = std::get_if<std::string>(&body);
  whole.file = std::get_if<FileBody>(&body);
  whole.seekable = std::get_if<SeekableBody>(&body);
  whole.size_bytes = whole.bytes  ? whole.bytes->size()
                     : whole.file ? whole.file->size_bytes
                                  : whole.seekable->size_bytes;
  std::vector<Segment> segments;
  if (response->status == 200 && context.request_headers &&
      (!whole.bytes || response->allow_ranges)) {
    if (!ApplyConditions(context, response)) return CutRanges(whole, context, response);
    if (response->status == 304) return segments;
    whole = Whole{&std::get<std::string>(response->body)};
  }
  segments.push_back(whole.All());
  return segments;
}

// What follows the head and how long it is (nullopt: not known before it ends).
struct Framed {
  std::optional<uint64_t> length;
  bool unbounded = false;
};

Framed TakeBody(const ReplyContext& context, Response* response, Reply* reply) {
  Framed framed;
  if (auto* stream = std::get_if<StreamBody>(&response->body)) {
    framed.length = stream->length;
    framed.unbounded = !stream->length;
    reply->stream = std::move(*stream);
  } else if (auto* process = std::get_if<ProcessBody>(&response->body)) {
    framed.unbounded = true;
    reply->process = std::move(*process);
  } else {
    reply->segments = CutBody(context, response);
    framed.length = 0;
    for (const Segment& segment : reply->segments) *framed.length += SegmentBytes(segment);
  }
  return framed;
}

// Up to the fields that the handler gave.
void BeginHead(const Response& response, const ReplyContext& context, std::string* head) {
  *head += context.minor_version == 0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  *head += std::to_string(response.status);
  *head += ' ';
  *head += ReasonPhrase(response.status);
  *head += "\r\nDate: ";
  *head += HttpDateNow();
  *head += "\r\n";
  AppendField(head, "Server", context.server_name);
  AppendField(head, "X-Request-Id", context.request_id);
  for (const auto& [name, value] : response.headers.fields()) {
    if (!IsOurs(name)) AppendField(head, name, value);
  }
}

void EndHead(bool keep_alive, const ReplyContext& context, std::string* head) {
  if (!keep_alive) {
    *head += "Connection: close\r\n";
  } else if (context.minor_version == 0) {
    *head += "Connection: keep-alive\r\n";
  }
  *head += "\r\n";
}

Reply BuildRendered(Response& response, const ReplyContext& context) {
  Reply reply;
  reply.status = response.status;
  reply.route = std::move(response.route);
  reply.keep_alive = context.keep_alive;
  reply.head.reserve(response.rendered->size() + 512);
  BeginHead(response, context, &reply.head);
  reply.head += *response.rendered;
  EndHead(reply.keep_alive, context, &reply.head);
  return reply;
}

}  // namespace

std::string RenderForHead(const Response& response) {
  std::string lines;
  if (response.allow_ranges) AppendField(&lines, "Accept-Ranges", "bytes");
  for (const auto& [name, value] : response.headers.fields()) {
    if (!IsOurs(name) || AsciiEqualsIgnoreCase(name, "content-length")) {
      AppendField(&lines, name, value);
    }
  }
  return lines;
}

Reply BuildReply(Response response, const ReplyContext& context) {
  if (response.rendered && context.method == "HEAD") return BuildRendered(response, context);
  Reply reply;
  if (auto* later = std::get_if<LaterBody>(&response.body)) {
    reply.later = std::move(*later);
    reply.route = std::move(response.route);
    reply.headers = std::move(response.headers);
    return reply;
  }
  if (response.status < 200 || response.status > 999) response.status = 500;
  Framed framed = TakeBody(context, &response, &reply);
  reply.status = response.status;
  reply.route = std::move(response.route);
  reply.keep_alive = context.keep_alive;
  bool head_only = context.method == "HEAD";
  bool no_body = HasNoBody(reply.status);
  const std::string* own_connection = response.headers.Find("connection");
  if (own_connection && AsciiEqualsIgnoreCase(*own_connection, "close")) reply.keep_alive = false;

  std::string& head = reply.head;
  head.reserve(1024 + InlineBytes(reply));
  BeginHead(response, context, &head);
  if (!no_body && framed.length) {
    // A handler that answers HEAD without making the body says its length itself.
    const std::string* own = response.headers.Find("content-length");
    bool trust_own = head_only && own && *framed.length == 0 && ParseUint(*own);
    head += "Content-Length: ";
    head += trust_own ? *own : std::to_string(*framed.length);
    head += "\r\n";
  } else if (!no_body && framed.unbounded) {
    if (context.minor_version == 0) {
      if (!head_only) reply.keep_alive = false;
    } else {
      reply.chunked = true;
      head += "Transfer-Encoding: chunked\r\n";
    }
  }
  EndHead(reply.keep_alive, context, &head);
  if (head_only || no_body) {
    reply.segments.clear();
    reply.stream.reset();
    reply.process.reset();
    reply.chunked = false;
  }
  // The writer holds back short packets while segments follow, so none may be empty.
  std::erase_if(reply.segments, [](const Segment& s) { return SegmentBytes(s) == 0; });
  InlineShortBody(&reply);
  return reply;
}

void InlineShortBody(Reply* reply) {
  if (InlineBytes(*reply) == 0) return;
  reply->head += reply->segments[0].bytes;
  reply->segments.clear();
}

Response ErrorResponse(int status, std::string_view message) {
  Json body = Json::Obj({{"error", message}});
  Response response = Response::Bytes(status, "application/json", body.Dump());
  response.headers.Add("X-Error-Message", std::string(message));
  return response;
}

const std::string& HttpDateNow() {
  thread_local std::time_t cached_second = -1;
  thread_local std::string cached;
  std::time_t now = std::time(nullptr);
  if (now != cached_second) {
    cached_second = now;
    cached = FormatHttpDate(Clock::System().Now());
  }
  return cached;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

}  // namespace hearth::net
