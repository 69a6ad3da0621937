// What a handler sees of HTTP: a Request that has fully arrived and a Response that the network layer
// will send. Waiting (slow clients, ranges, sendfile, TLS) lives in net::Server; a handler is a plain
// synchronous function on a bounded pool.
//
// Request and Response are plain values, used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace hearth::net {

// Header fields in arrival order; names compare without case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  const std::string* Find(std::string_view name) const;  // first one; nullptr when absent
  std::string Get(std::string_view name) const;          // "" when absent
  void Add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void Set(std::string name, std::string value);  // replaces all of that name
  void Erase(std::string_view name);
  void Reserve(size_t fields) { fields_.reserve(fields); }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// Looks at a request body while it arrives, so that its bytes need not be read again. Whoever admits
// a request may leave one in it (Request::watch). Take is called in order, never two at once, on
// whatever thread takes the body in; it must not throw (the handler finds the watch in the body and
// asks it). A watch without a handler's call afterwards belongs to a body that did not arrive whole.
class BodyWatch {
 public:
  virtual ~BodyWatch() = default;
  virtual void Take(std::string_view bytes) = 0;
};

// A request body after decoding (chunked and gzip undone). Small ones are in memory, larger ones in a
// temporary file in the spool folder, which dies with this object unless the handler moves it away.
class RequestBody {
 public:
  RequestBody() = default;
  explicit RequestBody(std::string bytes) : memory_(std::move(bytes)) {}
  RequestBody(TempFile file, std::optional<Sha256> sha256)
      : file_(std::move(file)), sha256_(sha256) {}

  uint64_t size_bytes() const { return file_ ? file_->size() : memory_.size(); }
  bool spooled() const { return file_.has_value(); }
  // Whole body; reads the spool back, so only for routes with a small cap.
  std::string ReadAll() const;
  // In memory only: a view without a copy. Empty for spooled bodies.
  std::string_view memory() const { return memory_; }
  // Reads up to `size` bytes at `offset`; 0 at the end.
  size_t ReadAt(uint64_t offset, char* out, size_t size) const;
  // SHA-256 of the decoded bytes, when the route's BodyPolicy asked for it.
  const std::optional<Sha256>& sha256() const { return sha256_; }
  void set_sha256(Sha256 digest) { sha256_ = digest; }
  // The request's watch; it has seen all of this body.
  const std::shared_ptr<BodyWatch>& watch() const { return watch_; }
  void set_watch(std::shared_ptr<BodyWatch> watch) { watch_ = std::move(watch); }
  // The spool file; moves it out, so that a store can rename it into place. Requires spooled().
  TempFile TakeFile();
  int fd() const { return file_ ? file_->fd() : -1; }

 private:
  std::string memory_;
  std::optional<TempFile> file_;
  std::optional<Sha256> sha256_;
  std::shared_ptr<BodyWatch> watch_;
};

struct Request {
  std::string method;      // "GET", upper case as sent
  std::string raw_target;  // as sent, with the query
  std::string raw_path;    // raw_target up to '?': still percent-encoded
  std::string raw_query;   // after '?', without it
  Headers headers;
  RequestBody body;
  std::shared_ptr<BodyWatch> watch;  // for the body that is about to arrive; see BodyWatch
  std::string peer;        // client address without port, after trusted Forwarded headers
  bool peer_is_trusted_proxy = false;
  bool secure = false;     // TLS here, or https at a trusted proxy
  std::string host;        // Host header, lower case, with port; from a trusted proxy if it says so
  std::string request_id;
  // Asked to stop when the client leaves while a handler of the pool works. Callbacks run on an I/O
  // thread: they must be quick.
  std::stop_token left;
  // Captures of the matched route pattern, still percent-encoded, filled by the router. Names live as
  // long as the router.
  std::vector<std::pair<std::string_view, std::string>> captures;

  std::string_view RawCapture(std::string_view name) const;  // "" when absent
  std::string Capture(std::string_view name) const;          // percent-decoded; throws kInvalidArgument
  // Decoded query (or form) parameters, in order. `key` also matches `key[]`.
  std::optional<std::string> QueryParam(std::string_view key) const;
  std::vector<std::string> QueryParams(std::string_view key) const;
  // "true", "1" -> true; "false", "0" -> false; absent -> fallback; other -> kInvalidArgument.
  bool QueryFlag(std::string_view key, bool fallback) const;
  // Whether a header makes the answer depend on the representation (If-Match and its kin, Range).
  bool HasConditions() const;
};

// '+' is a space only in form/query text. Throws kInvalidArgument for bad escapes and NUL.
std::string PercentDecodePath(std::string_view raw);
std::string PercentDecodeQuery(std::string_view raw);
// Encodes everything but unreserved characters; `keep` lists further characters to leave ("/").
std::string PercentEncode(std::string_view text, std::string_view keep = "");
std::vector<std::pair<std::string, std::string>> ParseForm(std::string_view text);

// A file (or a part of one) sent with sendfile. The server evaluates If-Match, If-None-Match, If-Range and Range
// (single and multipart/byteranges) against the ETag header of the response.
struct FileBody {
  std::shared_ptr<UniqueFd> file;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
};

// Content that can be read from any offset, but only front to back from there (a file that is rebuilt
// from pieces). Conditions and ranges are evaluated as for FileBody. `open` gives, for bytes
// [start, end), start < end, what StreamBody's `next` is: it must deliver exactly end - start bytes.
// Both are called on the worker pool, `next` for one chunk while the one before is being sent; about a
// megabyte at a time serves best. What fails before the head was sent becomes a 500; later, or when the
// bytes end early, the connection closes.
struct SeekableBody {
  using Puller = std::function<bool(std::string* chunk)>;
  uint64_t size_bytes = 0;
  std::function<Puller(uint64_t start, uint64_t end)> open;
};

// Called on the worker pool whenever the client has room; appends to `chunk` and returns true, or returns false at
// the end. An exception after the head was sent closes the connection. Sent chunked unless `length` is set.
struct StreamBody {
  std::function<bool(std::string* chunk)> next;
  std::optional<uint64_t> length;
  // After a call that appended nothing, the next one comes this much later; no worker waits meanwhile.
  std::chrono::milliseconds pause{0};
  // For content that comes when it comes. After a call of `next` that appended nothing, `wait` is given
  // what to call once there is more, at most once and from any thread; it must not block. `next` is then
  // called on an I/O thread and must not block either. The body dies when the client leaves.
  std::function<void(std::function<void()> ready)> wait = {};
};

// Standard output of a child process, streamed as it comes; standard input is fed from the request body. The
// child is killed when the client goes away. `on_exit` runs on the worker pool with the exit status
// before the last chunk is sent; a non-zero status before any output becomes a 500.
struct ProcessBody {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // "KEY=value"; added to a minimal environment
  RequestBody input;
  std::string prefix;            // sent before the child's output
  int failure_status = 500;      // when the child fails before it has written anything
  std::function<void(int status)> on_exit;
};

struct Response;

// The whole response comes later, and no worker waits for it. `start` is called once, on an I/O thread,
// and must not block; `answer` at most once, from any thread, with a body of bytes, a file or a stream.
// Headers of the response that carries this body are added where the later one has none of that name.
// The body dies when the client leaves.
struct LaterBody {
  std::function<void(std::function<void(Response)> answer)> start;
};

struct Response {
  int status = 200;
  Headers headers;
  // Further header lines of an answer to HEAD, as RenderForHead made them. The request must have no
  // conditions (Request::HasConditions): none are evaluated.
  std::shared_ptr<const std::string> rendered;
  std::variant<std::string, FileBody, StreamBody, ProcessBody, SeekableBody, LaterBody> body;
  // Evaluate Range and conditions for a string body too (FileBody and SeekableBody always do).
  bool allow_ranges = false;
  std::string route;  // pattern of the route, for metrics and the access log

  static Response Text(int status, std::string text);
  static Response Bytes(int status, std::string content_type, std::string bytes);
  static Response Empty(int status) { Response response; response.status = status; return response; }
  static Response Redirect(int status, std::string location);
};

// The handler's part of the head that `response` to HEAD would get: made once for an answer that is
// given often. The response must say its Content-Length itself.
std::string RenderForHead(const Response& response);

// How the body of one request is to be taken in. Decided when the head has arrived.
struct BodyPolicy {
  uint64_t max_bytes = 1 << 20;     // after decoding; more is 413
  uint64_t memory_bytes = 1 << 20;  // up to here in memory, above it spooled to a file
  bool spool_always = false;        // even small bodies become files (LFS objects)
  bool hash = false;                // compute SHA-256 while it arrives
  bool accept_gzip = true;          // Content-Encoding: gzip is undone (max_bytes counts decoded bytes)
};

}  // namespace hearth::net
