// Session, reading half: from a parsed head over admission and the body to the handler.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "net/internal/session.h"

namespace hearth::net {
namespace {

// Of a long body: each block costs some changes of thread, which blocks of 256 KiB make one tenth
// of the time that a checked upload takes.
constexpr size_t kLongBlockBytes = 1 << 20;
constexpr uint64_t kLongBodyBytes = 8 << 20;
// A refused body up to here is read and dropped to save the connection; above, closing is cheaper.
constexpr uint64_t kDiscardBytes = 64 << 10;
// After this much the connection queues behind the others of its loop.
constexpr uint64_t kReadTurnBytes = 4 << 20;

bool IsSafeRequestId(std::string_view id) {
  if (id.empty() || id.size() > 128) return false;
  for (char c : id) {
    bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && std::strchr("=;:._-", c));
    if (!ok) return false;
  }
  return true;
}

std::string RequestIdOf(const Headers& headers, Loop& loop) {
  for (const char* name : {"x-request-id", "x-amzn-trace-id"}) {
    const std::string* id = headers.Find(name);
    if (id && IsSafeRequestId(*id)) return *id;
  }
  return loop.NextRequestId();
}

Response FromError(const Error& error) {
  Response response = ErrorResponse(HttpStatus(error.code()), error.message());
  for (const auto& [name, value] : error.headers()) response.headers.Set(name, value);
  return response;
}

// Of the exception that is being handled.
Response FromFault(const Request& request) {
  try {
    throw;
  } catch (const Error& error) {
    return FromError(error);
  } catch (const std::exception& error) {
    log::LogError("a handler failed",
                  {{"request_id", request.request_id}, {"reason", error.what()}});
    return ErrorResponse(500, "Internal server error");
  }
}

// nullopt: a coding this server does not undo.
std::optional<BodySink::Coding> CodingOf(const Headers& headers, const BodyPolicy& policy) {
  const std::string* coding = headers.Find("content-encoding");
  if (!coding || coding->empty() || AsciiEqualsIgnoreCase(*coding, "identity")) {
    return BodySink::Coding::kIdentity;
  }
  bool gzip = AsciiEqualsIgnoreCase(*coding, "gzip") || AsciiEqualsIgnoreCase(*coding, "x-gzip");
  if (gzip && policy.accept_gzip) return BodySink::Coding::kGzip;
  return std::nullopt;
}

}  // namespace

ReplyContext Session::ContextFor(const Exchange& exchange) const {
  ReplyContext context;
  context.method = exchange.request.method;
  context.request_headers = &exchange.request.headers;
  context.minor_version = exchange.minor_version;
  context.keep_alive = exchange.keep_alive && !context_.draining;
  context.server_name = context_.options.server_name;
  context.request_id = exchange.request.request_id;
  return context;
}

void Session::BeginRequest(RequestHead head) {
  ++context_.requests_total;
  ++context_.requests_active;
  exchange_ = std::make_unique<Exchange>();
  Exchange& x = *exchange_;
  x.start = std::chrono::steady_clock::now();
  x.minor_version = head.minor_version;
  x.keep_alive = head.keep_alive;
  x.framing = head.framing;
  x.content_length = head.content_length;
  x.expect_continue = head.expect_continue;
  Request& request = x.request;
  request.method = std::move(head.method);
  request.raw_target = std::move(head.target);
  size_t question = request.raw_target.find('?');
  request.raw_path = request.raw_target.substr(0, question);
  if (question != std::string::npos) request.raw_query = request.raw_target.substr(question + 1);
  request.headers = std::move(head.headers);
  request.host = std::move(head.host);
  request.peer = peer_;
  request.secure = stream_->secure();
  request.request_id = RequestIdOf(request.headers, loop_);
  context_.trusted.Apply(&request);
  bool has_body = x.framing == Framing::kChunked || x.content_length > 0;
  x.body_unread = has_body;
  try {
    x.plan = context_.dispatcher->PlanFor(request);
  } catch (const std::exception& error) {
    log::LogError("planning a request failed", {{"reason", error.what()}});
    return RespondFault(500, "Internal server error");
  }
  if (!has_body) return StartWork(Work::kAdmitAndHandle);
  if (x.plan.admit) return StartWork(Work::kAdmit);
  StartBody();
}

void Session::StartWork(Work work) {
  phase_ = Phase::kWork;
  if (exchange_->plan.inline_handler || exchange_->plan.answer) {
    RunWork(work);
    return OnWorkDone(work);
  }
  if (work == Work::kHandle && exchange_->plan.handle_at_once && HandleAtOnce()) return Respond();
  auto self = shared_from_this();
  busy_ = true;
  exchange_->left = std::stop_source();
  exchange_->request.left = exchange_->left.get_token();
  if (hung_up_) TellOfLeaving();
  bool accepted = context_.pool->TrySubmit([self, work] {
    self->RunWork(work);
    self->loop_.Post([self, work] { self->OnWorkDone(work); });
  });
  if (accepted) return;
  busy_ = false;
  RespondFault(503, "The server is overloaded, try again");
}

// On a worker (or the loop for inline handlers): admission, the handler, and the reply's head.
void Session::RunWork(Work work) {
  Exchange& x = *exchange_;
  std::optional<Response> response;
  try {
    if (x.plan.answer && work != Work::kAdmit) response = std::move(x.plan.answer);
    if (!response && work != Work::kHandle && x.plan.admit) {
      response = x.plan.admit(x.request);
      x.refused = response.has_value();
    }
    const BodyPolicy& policy = x.plan.body;
    if (!response && work == Work::kAdmitAndHandle && (policy.hash || policy.spool_always)) {
      // An absent body is an empty one: a store still gets its file and digest.
      BodySink empty(policy, context_.options.spool_dir, BodySink::Coding::kIdentity,
                     std::move(x.request.watch));
      x.request.body = empty.Finish();
    }
    if (!response && work != Work::kAdmit) response = x.plan.handle(x.request);
  } catch (const std::exception&) {
    response = FromFault(x.request);
    x.refused = work == Work::kAdmit;
  }
  if (!response) return;
  if (x.refused && x.body_unread) {
    bool small = x.framing == Framing::kLength && x.content_length <= kDiscardBytes;
    // With Expect the client may or may not send the body now; only closing is unambiguous.
    if (!small || x.expect_continue) x.keep_alive = false;
  }
  x.reply = BuildReply(std::move(*response), ContextFor(x));
  if (!x.plan.inline_handler && !x.plan.answer) PullFirst();
  if (!x.reply.process) return;
  try {
    x.child_prefix = std::move(x.reply.process->prefix);
    x.child_failure_status = x.reply.process->failure_status;
    x.child = ChildRun::Spawn(std::move(*x.reply.process));
  } catch (const Error& error) {
    log::LogError("cannot start a child", {{"reason", error.message()}});
    x.reply = BuildReply(ErrorResponse(500, "Internal server error"), ContextFor(x));
  }
}

// False: the handler has to run on a worker.
bool Session::HandleAtOnce() {
  Exchange& x = *exchange_;
  std::optional<Response> response;
  try {
    response = x.plan.handle_at_once(x.request);
  } catch (const std::exception&) {
    response = FromFault(x.request);
  }
  if (!response) return false;
  x.reply = BuildReply(std::move(*response), ContextFor(x));
  return true;
}

void Session::OnWorkDone(Work work) {
  busy_ = false;
  if (phase_ == Phase::kClosed) return DisposeExchange();
  Exchange& x = *exchange_;
  if (x.refused && x.body_unread && x.reply.keep_alive) {
    x.body = std::make_unique<BodyReader>(BodyPolicy{}, context_.options.spool_dir,
                                          BodySink::Coding::kIdentity, nullptr);
    x.body->discard = true;
    x.body->remaining = x.content_length;
    phase_ = Phase::kBody;
    return ReadBody();
  }
  if (work == Work::kAdmit && !x.refused) return StartBody();
  Respond();
}

void Session::StartBody() {
  Exchange& x = *exchange_;
  std::optional<BodySink::Coding> coding = CodingOf(x.request.headers, x.plan.body);
  if (!coding) return RespondFault(415, "Unsupported Content-Encoding");
  bool gzip = *coding == BodySink::Coding::kGzip;
  if (x.framing == Framing::kLength && !gzip && x.content_length > x.plan.body.max_bytes) {
    return RespondFault(
        413, "Request body is larger than " + std::to_string(x.plan.body.max_bytes) + " bytes");
  }
  x.body = std::make_unique<BodyReader>(x.plan.body, context_.options.spool_dir, *coding,
                                        std::move(x.request.watch));
  x.body->remaining = x.content_length;
  if (x.content_length >= kLongBodyBytes) x.body->block_bytes = kLongBlockBytes;
  if (x.body->sink.WouldBlock(x.framing == Framing::kLength ? x.content_length : 0)) {
    x.body->mode = Reading::kPipeline;
  }
  if (gzip) {
    // The handler sees decoded bytes; what described the encoded ones would mislead it.
    x.request.headers.Erase("content-encoding");
    x.request.headers.Erase("content-length");
  }
  if (x.expect_continue && in_.empty() && !SendContinue()) return Close();
  phase_ = Phase::kBody;
  window_start_ = loop_.now();
  window_moved_ = received_;
  ReadBody();
}

bool Session::SendContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // Nothing is queued on this socket, so 25 bytes fit unless the connection is broken.
  IoResult result = stream_->Write(kContinue, More::kNo);
  return result.status == IoStatus::kOk && result.bytes == kContinue.size();
}

void Session::ReadBody() {
  if (!in_.empty()) {
    std::string bytes = std::exchange(in_, {});
    if (!TakeBody(bytes)) return;
  }
  uint64_t turn_end = received_ + kReadTurnBytes;
  while (!exchange_->body->complete) {
    if (received_ >= turn_end) return YieldReading();
    if (!ReadBodyOnce()) return;
  }
  FinishBody();
}

// One read from the socket. False: stop for now (waiting, stalled on the worker, or over).
bool Session::ReadBodyOnce() {
  Exchange& x = *exchange_;
  BodyReader& body = *x.body;
  char* target = loop_.scratch();
  size_t room = Loop::kScratchBytes;
  bool direct = false;
  if (body.mode == Reading::kPipeline) {
    if (body.filled == body.block_bytes) {
      if (body.job_running) return false;  // OnBlockDone goes on
      FlushBlock();
    }
    room = body.block_bytes - body.filled;
    if (x.framing == Framing::kLength) {  // no framing bytes in between: read into place
      direct = true;
      if (!body.fill) body.fill = std::unique_ptr<char[]>(new char[body.block_bytes]);
      target = body.fill.get() + body.filled;
    }
  }
  if (x.framing == Framing::kLength) {
    room = static_cast<size_t>(std::min<uint64_t>(room, body.remaining));
  }
  IoResult result = Read(target, room);
  if (result.status == IoStatus::kWantRead || result.status == IoStatus::kWantWrite) {
    if (direct) stream_->SetLowWater(room);
    Wait(result.status);
    return false;
  }
  if (result.status != IoStatus::kOk) {
    Close();
    return false;
  }
  if (!direct) return TakeBody({target, result.bytes});
  body.filled += result.bytes;
  body.remaining -= result.bytes;
  if (body.remaining == 0) body.complete = true;
  return true;
}

// Undoes the framing of `bytes` (not a view into in_); what follows the body goes back to in_.
// False when the exchange has failed.
bool Session::TakeBody(std::string_view bytes) {
  Exchange& x = *exchange_;
  BodyReader& body = *x.body;
  if (x.framing == Framing::kLength) {
    size_t take = static_cast<size_t>(std::min<uint64_t>(body.remaining, bytes.size()));
    body.remaining -= take;
    if (body.remaining == 0) body.complete = true;
    in_ = bytes.substr(take);
    return EmitBody(bytes.substr(0, take));
  }
  while (true) {
    ChunkDecoder::Step step = body.chunks.Next(bytes);
    bytes.remove_prefix(step.consumed);
    switch (step.status) {
      case ChunkDecoder::Status::kNeedMore:
        return true;
      case ChunkDecoder::Status::kData:
        if (!EmitBody(step.data)) return false;
        break;
      case ChunkDecoder::Status::kDone:
        body.complete = true;
        in_ = bytes;
        return true;
      case ChunkDecoder::Status::kBad:
        RespondFault(400, "malformed chunked body");
        return false;
    }
  }
}

bool Session::EmitBody(std::string_view data) {
  BodyReader& body = *exchange_->body;
  if (body.discard) return true;
  if (body.mode == Reading::kLoop && body.sink.WouldBlock(data.size()))
    body.mode = Reading::kPipeline;
  if (body.mode == Reading::kLoop) {
    try {
      body.sink.Write(data);
    } catch (const Error& error) {
      BodyFault(error);
      return false;
    }
    return true;
  }
  // A read is never larger than the room left in the block, and framing only shrinks it; only bytes
  // that came with the head or before the switch of modes find a block that is new and empty.
  if (!body.fill) body.fill = std::unique_ptr<char[]>(new char[body.block_bytes]);
  std::memcpy(body.fill.get() + body.filled, data.data(), data.size());
  body.filled += data.size();
  return true;
}

// Hands the block that was filled to a worker, unless one is at work already.
void Session::FlushBlock() {
  BodyReader& body = *exchange_->body;
  bool last = body.complete;
  if (body.mode != Reading::kPipeline || body.job_running || (body.filled == 0 && !last)) return;
  body.job_running = true;
  body.finishing = last;
  busy_ = true;
  body.in_flight = std::move(body.fill);
  body.fill = std::move(body.spare);
  size_t size = std::exchange(body.filled, 0);
  auto self = shared_from_this();
  context_.pool->Submit([self, size, last] {
    self->RunBlock(size, last);
    self->loop_.Post([self] { self->OnBlockDone(); });
  });
}

// On a worker.
void Session::RunBlock(size_t size, bool last) {
  BodyReader& body = *exchange_->body;
  try {
    body.sink.Write({body.in_flight.get(), size});
    if (last) body.result = body.sink.Finish();
  } catch (const Error& error) {
    body.fault = error;
  } catch (const std::exception& error) {
    body.fault = Error(Code::kInternal, "Internal server error");
    log::LogError("taking in a body failed", {{"reason", error.what()}});
  }
}

void Session::OnBlockDone() {
  busy_ = false;
  if (phase_ == Phase::kClosed) return DisposeExchange();
  BodyReader& body = *exchange_->body;
  body.job_running = false;
  // A sender that keeps up gets its buffer back; for a slow one it would only lie around.
  if (waiting_ == Waiting::kNothing) body.spare = std::move(body.in_flight);
  body.in_flight.reset();
  if (phase_ != Phase::kBody)
    return Respond();  // a fault was found meanwhile and waited for the worker
  if (body.fault) return BodyFault(*body.fault);
  if (body.finishing) return FinishBody();
  if (body.complete) return FlushBlock();
  if (body.filled == body.block_bytes) {
    FlushBlock();
    if (waiting_ == Waiting::kNothing && !yielded_) ReadBody();
  }
}

// Lets the other connections of the loop have their turn. Not by waiting for the socket: a TLS
// stream may hold bytes that the socket no longer has.
void Session::YieldReading() {
  yielded_ = true;
  auto self = shared_from_this();
  loop_.Post([self] {
    self->yielded_ = false;
    if (self->phase_ == Phase::kBody) self->ReadBody();
  });
}

// The framing has ended: closes the sink and goes on to the handler.
void Session::FinishBody() {
  Exchange& x = *exchange_;
  BodyReader& body = *x.body;
  stream_->SetLowWater(1);
  if (body.discard) {
    x.body_unread = false;
    x.body.reset();
    return Respond();
  }
  if (body.mode == Reading::kPipeline && !body.finishing) return FlushBlock();
  try {
    x.request.body = body.mode == Reading::kPipeline ? std::move(body.result) : body.sink.Finish();
  } catch (const Error& error) {
    return BodyFault(error);
  }
  x.body_unread = false;
  x.body.reset();
  StartWork(Work::kHandle);
}

void Session::BodyFault(const Error& error) {
  RespondFault(HttpStatus(error.code()), error.message());
}

// An answer of our own; the connection closes after it. Not while a handler runs.
void Session::RespondFault(int status, std::string_view message) {
  AbandonWait();
  if (!exchange_) {  // before a head was understood
    exchange_ = std::make_unique<Exchange>();
    exchange_->start = std::chrono::steady_clock::now();
    exchange_->request.request_id = loop_.NextRequestId();
    exchange_->request.peer = peer_;
    ++context_.requests_total;
    ++context_.requests_active;
  }
  Exchange& x = *exchange_;
  x.keep_alive = status == 503 && !x.body_unread && x.keep_alive;
  Response response = ErrorResponse(status, message);
  if (status == 503) response.headers.Set("Retry-After", "1");
  x.reply = BuildReply(std::move(response), ContextFor(x));
  // A worker may hold the body's sink: its end answers.
  phase_ = Phase::kWork;
  if (!busy_) Respond();
}

}  // namespace hearth::net
