// Shards: a client's last step of an upload, which says how its files are made of xorbs.
//
// Version 1 answers when all is checked. Version 2 streams lines of JSON meanwhile, because clients
// give up on a silent connection after five minutes.
#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/shard_jobs.h"
#include "storage/xet/shard.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;

// Each proves its content on one core; more at once would only be slower together.
size_t ParallelJobs() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 16); }
// A waiting job keeps its shard in a file and costs a line a second.
constexpr size_t kWaitingJobs = 256;
// Most shards are checked within this, and then errors have a proper status.
constexpr milliseconds kAnswerWithin{2000};
constexpr milliseconds kPollEvery{100};
constexpr milliseconds kReportEvery{1000};
// Of version 1, which cannot report; the client gives up after 300 s of silence.
constexpr milliseconds kVersion1Limit{280'000};
constexpr uint64_t kMemoryShardBytes = 256 << 10;

std::shared_ptr<ShardJob> StartJob(const Context& context, ShardJobs& jobs, bool* at_once) {
  hub::XetScope scope = AdmittedScope(context);
  if (context.request.body.size_bytes() == 0) {
    throw Error(Code::kInvalidArgument, "The shard is empty");
  }
  // Work is copied about as a std::function, a body is not.
  auto body = std::make_shared<net::RequestBody>(std::move(context.request.body));
  hub::Xet& xet = context.hub.xet();
  ShardJobs::Started started =
      jobs.Start(scope.user_id, [&xet, scope, body](const ShardJob::Report& report) {
        return xet.RegisterShard(scope, body->ReadAll(), report);
      });
  *at_once = started.at_once;
  return started.job;
}

std::string Line(Json json) { return json.Dump() + "\n"; }

Json ResultJson(bool is_new) { return Json::Obj({{"type", "result"}, {"result", is_new ? 1 : 0}}); }

Json ErrorJson(std::string_view message, bool retryable) {
  return Json::Obj({{"type", "error"}, {"message", message}, {"retryable", retryable}});
}

// The last line: the status has been sent, so faults are told here.
std::string LastLine(const ShardJob& job, const std::string& request_id) {
  std::string reason;
  try {
    return Line(ResultJson(job.Result()));
  } catch (const Error& error) {
    bool own_fault = HttpStatus(error.code()) >= 500;
    if (error.code() != Code::kInternal) return Line(ErrorJson(error.message(), own_fault));
    reason = error.message();
  } catch (const std::exception& error) {
    reason = error.what();
  }
  log::LogError("request failed", {{"request_id", request_id}, {"reason", reason}});
  return Line(
      ErrorJson("Internal error. The server's log has the details under request id " + request_id,
                /*retryable=*/true));
}

// One pull of the stream per poll: nothing, a report each second, or the end.
class ShardStream {
 public:
  ShardStream(std::shared_ptr<ShardJob> job, std::string request_id)
      : job_(std::move(job)), request_id_(std::move(request_id)) {}

  bool Next(std::string* out) {
    ShardJob::State state = job_->WaitFor(milliseconds(0));
    if (state.done) {
      *out += LastLine(*job_, request_id_);
      return false;
    }
    auto now = std::chrono::steady_clock::now();
    if (now - reported_ < kReportEvery) return true;
    reported_ = now;
    *out += Line(
        Json::Obj({{"type", "validating"}, {"verified", state.verified}, {"total", state.total}}));
    return true;
  }

 private:
  std::shared_ptr<ShardJob> job_;
  std::string request_id_;
  std::chrono::steady_clock::time_point reported_{};
};

net::Response RegisterV2(Context& context, ShardJobs& jobs) {
  bool at_once = false;
  std::shared_ptr<ShardJob> job = StartJob(context, jobs, &at_once);
  net::Response response;
  response.headers.Set("Content-Type", "application/x-ndjson");
  response.headers.Set("Cache-Control", "no-store");
  // Behind others it may take long to begin: no use in keeping a worker.
  if (at_once && job->WaitFor(kAnswerWithin).done) {
    response.body = Line(ResultJson(job->Result()));
    return response;
  }
  auto stream = std::make_shared<ShardStream>(job, context.request.request_id);
  response.body = net::StreamBody{.next = [stream](std::string* out) { return stream->Next(out); },
                                  .length = std::nullopt,
                                  .pause = kPollEvery};
  return response;
}

// {"result":1} when something was new. A job that is not over in time goes on; the client comes
// again and finds its work done. Only jobs that run hold a worker for long, and those are few.
net::Response RegisterV1(Context& context, ShardJobs& jobs) {
  bool at_once = false;
  std::shared_ptr<ShardJob> job = StartJob(context, jobs, &at_once);
  if (!job->WaitFor(at_once ? kVersion1Limit : kAnswerWithin).done) {
    throw Error(Code::kUnavailable, "The upload is still being verified: try again");
  }
  return JsonResponse(Json::Obj({{"result", job->Result() ? 1 : 0}}));
}

}  // namespace

void RegisterXetShards(RouteTable& table) {
  auto jobs = std::make_shared<ShardJobs>(ParallelJobs(), kWaitingJobs);
  net::BodyPolicy body = {.max_bytes = storage::kShardMaxBytes,
                          .memory_bytes = kMemoryShardBytes,
                          .accept_gzip = false};
  AddCasRoute(table,
              {.methods = "POST",
               .pattern = {},
               .access = Access::kSigned,
               .handle = [jobs](Context& context) { return RegisterV2(context, *jobs); },
               .body = body,
               .admit = AdmitWriter,
               .summary = "Xet: files of an upload; reports progress."},
              {"/v2/shards"});
  AddCasRoute(table,
              {.methods = "POST",
               .pattern = {},
               .access = Access::kSigned,
               .handle = [jobs](Context& context) { return RegisterV1(context, *jobs); },
               .body = body,
               .admit = AdmitWriter,
               .summary = "Xet: files of an upload, in the older form."},
              {"/v1/shards", "/shards", "/shard/{prefix}/{shard}"});
}

}  // namespace hearth::server
