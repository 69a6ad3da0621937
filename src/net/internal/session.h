// One connection: a state machine on its loop's thread. Requests are read, handed to the worker
// pool, and their replies written, one at a time; bytes of pipelined requests wait in in_.
//
// While a worker holds the exchange (busy_), the loop does not touch exchange_ beyond what is said
// at its members; everything else belongs to the loop's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/internal/body_sink.h"
#include "net/internal/child_run.h"
#include "net/internal/chunk_decoder.h"
#include "net/internal/head_parser.h"
#include "net/internal/loop.h"
#include "net/internal/reply.h"
#include "net/internal/stream.h"
#include "net/internal/trusted_proxies.h"
#include "net/internal/watch.h"
#include "net/internal/worker_pool.h"
#include "net/server.h"

namespace hearth::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// What all connections of a server share. Outlives them.
struct ServerContext {
  ServerOptions options;
  HeadLimits limits;
  Dispatcher* dispatcher = nullptr;
  WorkerPool* pool = nullptr;
  TrustedProxies trusted;
  std::function<void(const std::string&, const std::string&, int, std::chrono::microseconds)>
      on_done;
  std::atomic<bool> draining{false};
  std::atomic<uint64_t> connections_total{0}, connections_open{0}, requests_total{0},
      requests_active{0}, bytes_in{0}, bytes_out{0};

  void NoteClosed();
  // True when the last connection went within `limit`.
  bool WaitUntilEmpty(std::chrono::milliseconds limit);

 private:
  std::mutex mutex_;
  std::condition_variable closed_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `peer` is an address without port or "unix".
  Session(ServerContext& context, Loop& loop, UniqueFd fd, const TlsContext* tls, std::string peer);
  ~Session();
  Session(const Session&) = delete;

  void Start();
  void Tick(SteadyTime now);
  // Shutdown: closes when between requests, otherwise lets the request finish.
  void Drain();
  void Close();

 private:
  enum class Phase { kHandshake, kHead, kWork, kBody, kRespond, kLinger, kClosed };
  enum class Work { kAdmit, kHandle, kAdmitAndHandle };
  enum class Reading { kLoop, kPipeline };
  // What the session lets the others of its loop run for. kTurn: it could go on at once.
  enum class Waiting { kNothing, kInput, kOutput, kTurn };

  // The body on its way in. kLoop: small enough to be taken on the loop's thread. kPipeline: blocks
  // are filled here and written, hashed and inflated by a worker, one block in flight while the
  // next one fills.
  struct BodyReader {
    BodyReader(const BodyPolicy& policy, const std::filesystem::path& spool,
               BodySink::Coding coding, std::shared_ptr<BodyWatch> watch)
        : sink(policy, spool, coding, std::move(watch)) {}
    BodySink sink;  // the worker's while job_running
    Reading mode = Reading::kLoop;
    bool discard = false;  // refused: read to keep the connection, then answer
    ChunkDecoder chunks;
    uint64_t remaining = 0;  // for Framing::kLength
    bool complete = false;   // the framing has ended
    size_t block_bytes = Loop::kScratchBytes;
    std::unique_ptr<char[]> fill, in_flight, spare;
    size_t filled = 0;
    bool job_running = false;
    bool finishing = false;  // the running job is the last one
    std::optional<Error> fault;
    RequestBody result;
  };

  struct Exchange {
    Request request;
    std::stop_source left{
        std::nostopstate};  // what request.left watches, while a worker handles it
    Plan plan;
    int minor_version = 1;
    bool keep_alive = true;
    Framing framing = Framing::kNone;
    uint64_t content_length = 0;
    bool expect_continue = false;
    bool body_unread = false;  // bytes of the body may still come: linger before closing
    bool refused = false;
    SteadyTime start;
    uint64_t bytes_out = 0;
    std::unique_ptr<BodyReader> body;
    Reply reply;
    // Writing.
    size_t segment = 0;
    uint64_t segment_at = 0;
    bool source_done = false;
    std::optional<uint64_t> stream_left;
    std::string pulled;
    bool pull_more = false, pull_failed = false;
    bool pulled_nothing = false;
    bool awaits_pull = false;  // the writer goes on when a segment's next chunk is there
    std::shared_ptr<ChildRun> child;
    std::string child_prefix;
    int child_failure_status = 500;
  };

  // session.cc
  void OnEvents(uint32_t events);
  void OnReady();
  // After EAGAIN only (see watch.h).
  void Wait(IoStatus want);
  // Lets the other connections of the loop have their turn.
  void Yield();
  void AbandonWait();
  IoResult Read(char* out, size_t size);
  void Handshake();
  void ReadHead();
  void ProcessInput(std::string_view bytes);
  void AwaitRequest();
  void AwaitInput();
  void StartLinger();
  void Linger();
  bool TooSlow(SteadyTime now, uint64_t moved);
  bool PeerHasLeft() const;
  void TellOfLeaving();

  // session_request.cc
  void BeginRequest(RequestHead head);
  void StartWork(Work work);
  void RunWork(Work work);
  bool HandleAtOnce();
  void OnWorkDone(Work work);
  void StartBody();
  void ReadBody();
  bool ReadBodyOnce();
  bool TakeBody(std::string_view bytes);
  bool EmitBody(std::string_view data);
  void FlushBlock();
  void RunBlock(size_t size, bool last);
  void OnBlockDone();
  void YieldReading();
  void FinishBody();
  void BodyFault(const Error& error);
  bool SendContinue();
  ReplyContext ContextFor(const Exchange& exchange) const;
  void RespondFault(int status, std::string_view message);

  // session_response.cc
  void Respond();
  void Pump();
  IoResult WriteSegment();
  bool MoreAfterSegment() const;
  void PullFirst();
  bool TakePulled();
  void FillAhead(const std::shared_ptr<SourcePull>& pull);
  void OnSegmentPulled(const std::shared_ptr<SourcePull>& pull);
  void NextFromSource();
  void PullAfterPause();
  void StartPull();
  void PullOnWorker();
  void OnPulled();
  bool TakeChunk();
  void ReadChild();
  void OnChildExit(int status);
  void Frame(std::string_view data);
  void EndSource();
  void FinishResponse();
  void Account(bool complete);
  void DisposeExchange();

  // session_later.cc
  void AwaitAnswer();
  void OnAnswer(uint64_t sleep, Response response);
  bool PullReady();
  void OnReadyToPull(uint64_t sleep);
  bool FallAsleep();

  ServerContext& context_;
  Loop& loop_;
  UniqueFd fd_;
  Watch watch_;
  std::unique_ptr<Stream> stream_;
  const std::string peer_;
  Phase phase_ = Phase::kHandshake;
  bool busy_ = false;                   // a worker holds the exchange, or a paused stream does
  std::optional<Loop::TimerId> pause_;  // of a stream that has nothing yet
  Waiting waiting_ = Waiting::kNothing;
  uint64_t turn_ = 0;     // an abandoned Yield finds another number here
  bool unread_ = false;   // a read may give something: no need to wait for an edge
  bool hung_up_ = false;  // the end of input is known to come
  bool yielded_ = false;  // ReadBody is posted
  bool asleep_ = false;   // somebody else will say when the response goes on
  uint64_t sleep_ = 0;    // a late word finds another number here
  bool head_started_ = false;
  std::string in_;
  size_t scanned_ = 0;
  std::string out_;
  size_t out_at_ = 0;
  std::unique_ptr<Exchange> exchange_;
  SteadyTime deadline_;
  // Rate check.
  uint64_t received_ = 0, sent_ = 0;
  SteadyTime window_start_;
  uint64_t window_moved_ = 0;
};

}  // namespace hearth::net
