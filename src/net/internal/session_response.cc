// Session, writing half: heads, memory and file segments, pulled streams, children.
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "net/internal/session.h"

namespace hearth::net {
namespace {

// One sendfile call.
constexpr uint64_t kSendBytes = 2 << 20;
// How much goes out before other connections of the loop get their turn: 2 to 3 ms on loopback, and
// few enough waits that a single reader gets what the kernel can move. A slower reader fills its
// socket long before.
constexpr uint64_t kTurnBytes = 8 << 20;
constexpr size_t kChildReadBytes = 128 << 10;

}  // namespace

void Session::Respond() {
  phase_ = Phase::kRespond;
  Exchange& x = *exchange_;
  x.body.reset();
  window_start_ = loop_.now();
  window_moved_ = sent_;
  if (x.child) {
    // The head waits for the first output: a child that fails at once is a 500.
    x.child->Attach(loop_, *context_.pool);
    return ReadChild();
  }
  if (x.reply.later) return AwaitAnswer();
  if (x.reply.stream) x.stream_left = x.reply.stream->length;
  x.source_done = !x.reply.stream;
  out_ = std::move(x.reply.head);
  out_at_ = 0;
  Pump();
}

void Session::Pump() {
  uint64_t turn_end = sent_ + kTurnBytes;
  while (true) {
    Exchange& x = *exchange_;
    IoResult result;
    if (out_at_ < out_.size()) {
      bool more = x.segment < x.reply.segments.size();
      result =
          stream_->Write(std::string_view(out_).substr(out_at_), more ? More::kYes : More::kNo);
      out_at_ += result.bytes;
    } else if (x.segment < x.reply.segments.size() && x.reply.segments[x.segment].pull) {
      if (!TakePulled()) return;
      continue;
    } else if (x.segment < x.reply.segments.size()) {
      std::string().swap(out_);
      out_at_ = 0;
      result = WriteSegment();
    } else if (!x.source_done && x.reply.stream && x.reply.stream->wait) {
      if (!PullReady()) return;
      continue;
    } else if (!x.source_done) {
      return NextFromSource();
    } else {
      return FinishResponse();
    }
    if (result.status == IoStatus::kWantRead || result.status == IoStatus::kWantWrite) {
      return Wait(result.status);
    }
    if (result.status != IoStatus::kOk) return Close();
    sent_ += result.bytes;
    x.bytes_out += result.bytes;
    context_.bytes_out += result.bytes;
    if (sent_ >= turn_end) return Yield();
  }
}

bool Session::MoreAfterSegment() const {
  const Exchange& x = *exchange_;
  return x.segment + 1 < x.reply.segments.size();
}

IoResult Session::WriteSegment() {
  Exchange& x = *exchange_;
  Segment& segment = x.reply.segments[x.segment];
  uint64_t size = segment.file ? segment.size_bytes : segment.bytes.size();
  IoResult result;
  if (x.segment_at < size) {
    uint64_t left = size - x.segment_at;
    if (segment.file) {
      FileSlice slice{segment.file->get(), segment.offset + x.segment_at,
                      static_cast<size_t>(std::min(left, kSendBytes)), loop_.scratch(),
                      Loop::kScratchBytes};
      result = stream_->SendFile(slice);
    } else {
      result = stream_->Write(std::string_view(segment.bytes).substr(x.segment_at),
                              MoreAfterSegment() ? More::kYes : More::kNo);
    }
    x.segment_at += result.bytes;
  }
  if (x.segment_at == size) {
    std::string().swap(segment.bytes);
    segment.file.reset();
    ++x.segment;
    x.segment_at = 0;
  }
  return result;
}

// On the worker that ran the handler: a body that cannot be read at all is still a 500, and a short
// one goes out with the head.
void Session::PullFirst() {
  Exchange& x = *exchange_;
  if (x.reply.segments.empty() || !x.reply.segments[0].pull) return;
  Segment& segment = x.reply.segments[0];
  SourcePull& pull = *segment.pull;
  pull.Fill();
  if (!pull.failure().empty()) {
    log::LogError("a response could not be read",
                  {{"request_id", x.request.request_id}, {"reason", pull.failure()}});
    Response error = ErrorResponse(500, "Internal server error");
    error.route = x.reply.route;
    x.reply = BuildReply(std::move(error), ContextFor(x));
  } else if (pull.chunk.size() == segment.size_bytes) {
    segment.bytes = std::move(pull.chunk);
    segment.pull.reset();
    InlineShortBody(&x.reply);
  } else {
    pull.full = true;
  }
}

// Puts the next chunk of the segment at hand into the (empty) output and sends for the one after
// it; false when the writer has to wait for it, or the connection was closed.
bool Session::TakePulled() {
  Exchange& x = *exchange_;
  std::shared_ptr<SourcePull> pull = x.reply.segments[x.segment].pull;
  if (!pull->full) {
    x.awaits_pull = true;
    if (!pull->running) FillAhead(pull);
    return false;
  }
  if (!pull->failure().empty()) {
    log::LogError("a response broke off",
                  {{"request_id", x.request.request_id}, {"reason", pull->failure()}});
    Close();
    return false;
  }
  out_.clear();
  out_at_ = 0;
  out_.swap(pull->chunk);  // the buffers take turns
  pull->full = false;
  if (pull->left() > 0) {
    FillAhead(pull);
    return true;
  }
  // What the source holds may be slow to close. That of the last segment goes with the exchange.
  if (MoreAfterSegment()) {
    x.reply.segments[x.segment].pull.reset();
    context_.pool->Submit([dead = std::move(pull)] {});
  }
  ++x.segment;
  return true;
}

void Session::FillAhead(const std::shared_ptr<SourcePull>& pull) {
  pull->running = true;
  auto self = shared_from_this();
  context_.pool->Submit([self, pull] {
    pull->Fill();
    self->loop_.Post([self, pull] { self->OnSegmentPulled(pull); });
  });
}

void Session::OnSegmentPulled(const std::shared_ptr<SourcePull>& pull) {
  pull->running = false;
  pull->full = true;
  if (phase_ == Phase::kClosed) return context_.pool->Submit([pull] {});
  if (!std::exchange(exchange_->awaits_pull, false)) return;
  Pump();
}

void Session::NextFromSource() {
  out_.clear();
  out_at_ = 0;
  if (exchange_->child) return ReadChild();
  busy_ = true;
  if (exchange_->pulled_nothing && exchange_->reply.stream->pause.count() > 0) {
    return PullAfterPause();
  }
  StartPull();
}

// Close cancels the timer, so that a reader who leaves does not keep the stream until its end.
void Session::PullAfterPause() {
  auto self = shared_from_this();
  pause_ = loop_.RunAfter(exchange_->reply.stream->pause, [self] {
    self->pause_.reset();
    self->StartPull();
  });
}

void Session::StartPull() {
  auto self = shared_from_this();
  context_.pool->Submit([self] {
    self->PullOnWorker();
    self->loop_.Post([self] { self->OnPulled(); });
  });
}

void Session::PullOnWorker() {
  Exchange& x = *exchange_;
  try {
    x.pull_more = x.reply.stream->next(&x.pulled);
  } catch (const std::exception& error) {
    log::LogError("a streamed response failed",
                  {{"request_id", x.request.request_id}, {"reason", error.what()}});
    x.pull_failed = true;
  }
}

void Session::OnPulled() {
  busy_ = false;
  if (phase_ == Phase::kClosed) return DisposeExchange();
  if (TakeChunk()) Pump();
}

// What was pulled becomes output; false when the connection was closed.
bool Session::TakeChunk() {
  Exchange& x = *exchange_;
  if (x.pull_failed) {
    Close();
    return false;
  }
  std::string data = std::exchange(x.pulled, {});
  x.pulled_nothing = data.empty();
  if (x.stream_left) {
    if (data.size() > *x.stream_left || (!x.pull_more && data.size() < *x.stream_left)) {
      log::LogError("a streamed response broke its promised length",
                    {{"request_id", x.request.request_id}});
      Close();
      return false;
    }
    *x.stream_left -= data.size();
  }
  Frame(data);
  if (!x.pull_more) EndSource();
  return true;
}

// Appends `data` to the output, as a chunk where the reply is chunked.
void Session::Frame(std::string_view data) {
  if (data.empty()) return;  // an empty chunk would end the body
  if (!exchange_->reply.chunked) {
    out_.append(data);
    return;
  }
  char size[20];
  auto end = std::to_chars(size, size + sizeof size, data.size(), 16);
  out_.append(size, end.ptr);
  out_ += "\r\n";
  out_ += data;
  out_ += "\r\n";
}

void Session::EndSource() {
  Exchange& x = *exchange_;
  x.source_done = true;
  if (x.reply.chunked) out_ += "0\r\n\r\n";
}

void Session::ReadChild() {
  if (phase_ != Phase::kRespond) return;
  Exchange& x = *exchange_;
  auto self = shared_from_this();
  IoResult result = x.child->ReadOutput(loop_.scratch(), kChildReadBytes);
  if (result.status == IoStatus::kWantRead)
    return x.child->WaitOutput([self] { self->ReadChild(); });
  if (result.status == IoStatus::kEnd) {
    return x.child->WaitExit([self](int status) { self->OnChildExit(status); });
  }
  if (!x.reply.head.empty()) {
    out_ = std::exchange(x.reply.head, {});
    Frame(x.child_prefix);
  }
  Frame({loop_.scratch(), result.bytes});
  Pump();
}

void Session::OnChildExit(int status) {
  if (phase_ != Phase::kRespond) return;
  Exchange& x = *exchange_;
  x.child.reset();
  if (!x.reply.head.empty()) {
    if (status != 0) {
      Response error =
          ErrorResponse(x.child_failure_status, "The program behind this request failed");
      error.route = x.reply.route;
      x.reply = BuildReply(std::move(error), ContextFor(x));
      return Respond();
    }
    out_ = std::exchange(x.reply.head, {});
    Frame(x.child_prefix);
  }
  EndSource();
  Pump();
}

void Session::FinishResponse() {
  bool linger = !exchange_->reply.keep_alive;
  std::string().swap(out_);
  out_at_ = 0;
  Account(true);
  DisposeExchange();
  if (linger) return StartLinger();
  AwaitRequest();
}

// The request is over: metrics and the access log. Queries may carry signatures and stay out of it.
void Session::Account(bool complete) {
  Exchange& x = *exchange_;
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - x.start);
  if (context_.on_done) context_.on_done(x.request.method, x.reply.route, x.reply.status, took);
  if (!context_.options.access_log) return;
  log::Info("request", {{"method", x.request.method},
                        {"path", x.request.raw_path},
                        {"status", x.reply.status},
                        {"bytes", x.bytes_out},
                        {"ms", static_cast<double>(took.count()) / 1000},
                        {"peer", x.request.peer},
                        {"request_id", x.request.request_id},
                        {"user_agent", x.request.headers.Get("user-agent")},
                        {"complete", complete}});
}

// Frees the exchange. Removing a large spool file, closing files and what handlers captured can
// take time, so those go to a worker.
void Session::DisposeExchange() {
  if (!exchange_) return;
  --context_.requests_active;
  if (phase_ == Phase::kClosed) Account(false);
  if (exchange_->child) {
    if (phase_ == Phase::kClosed && !exchange_->child->attached()) {
      exchange_->child->Attach(loop_, *context_.pool);
    }
    exchange_->child->Abort();
  }
  const std::vector<Segment>& segments = exchange_->reply.segments;
  bool pulled = std::any_of(segments.begin(), segments.end(),
                            [](const Segment& segment) { return segment.pull != nullptr; });
  bool heavy = exchange_->request.body.spooled() || exchange_->body || exchange_->reply.stream ||
               exchange_->reply.later || pulled;
  if (!heavy) return exchange_.reset();
  std::shared_ptr<Exchange> dead = std::move(exchange_);
  context_.pool->Submit([dead] {});
}

}  // namespace hearth::net
