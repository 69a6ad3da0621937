// Git's smart HTTP protocol (gitprotocol-http(5)): ref advertisement, fetch and push, served by the
// stock git programs. What is ours: access, the check of a push, and what a change of refs entails.
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/log.h"
#include "hub/push.h"
#include "server/git_http/git_process.h"
#include "server/inspector_api/quarantine.h"
#include "server/route.h"
#include "server/write_access.h"

namespace hearth::server {
namespace {

// Wants and haves: 50 bytes a line, so a million of each.
constexpr uint64_t kMaxFetchBytes = 100ull << 20;
// A little more than receive.maxInputSize: git's own message about the limit is the better one.
constexpr uint64_t kMaxPushBytes = (4ull << 30) + (64ull << 20);

// Made at the first push, because routes are registered before there is a hub.
class LazyGate {
 public:
  hub::PushGate& Get(hub::Hub& hub) {
    std::call_once(once_, [&] { gate_ = std::make_unique<hub::PushGate>(hub.commits()); });
    return *gate_;
  }

 private:
  std::once_flag once_;
  std::unique_ptr<hub::PushGate> gate_;
};

void SetNoCache(net::Response* response) {
  response->headers.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT");
  response->headers.Set("Pragma", "no-cache");
  response->headers.Set("Cache-Control", "no-cache, max-age=0, must-revalidate");
}

net::Response GitResponse(std::string_view service, std::string_view kind) {
  net::Response response;
  SetNoCache(&response);
  response.headers.Set("Content-Type",
                       "application/x-" + std::string(service) + "-" + std::string(kind));
  return response;
}

std::string PacketLine(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  size_t length = text.size() + 4;
  std::string line;
  for (int shift = 12; shift >= 0; shift -= 4) line += kHex[(length >> shift) & 15];
  return line += text;
}

GitProcess ProcessFor(const Context& context, GitService service, const hub::RepoHandle& repo) {
  GitProcess process;
  process.service = service;
  process.repository = repo.git_folder();
  process.hooks = context.hub.data() / "hooks";
  process.protocol = SafeProtocol(context.request.headers.Get("Git-Protocol"));
  return process;
}

net::Response Advertise(Context& context) {
  std::string name = context.request.QueryParam("service").value_or("");
  std::optional<GitService> service = ParseService(name);
  if (!service) {
    // The "dumb" protocol of git before 1.6.6 asks without a service.
    throw Error(Code::kForbidden, "This hub speaks only git's smart HTTP protocol");
  }
  hub::RepoHandle repo =
      *service == GitService::kReceivePack ? OpenForWrite(context) : context.repo();
  if (*service == GitService::kUploadPack) RefuseUnsafeHistory(context);
  GitProcess process = ProcessFor(context, *service, repo);
  process.advertise = true;
  net::Response response = GitResponse(name, "advertisement");
  net::ProcessBody body = MakeGitProcess(process);
  // Fetching by protocol version 2 starts with its own capability list instead.
  bool version2 = process.protocol.find("version=2") != std::string::npos;
  if (!version2 || *service == GitService::kReceivePack) {
    body.prefix = PacketLine("# service=" + name + "\n") + "0000";
  }
  response.body = std::move(body);
  return response;
}

// Git reports its own troubles inside the answer; it ends without a word when it cannot make sense
// of the packet lines that came in.
constexpr int kMalformedStatus = 400;

void RequireContentType(const Context& context, std::string_view service) {
  std::string expected = "application/x-" + std::string(service) + "-request";
  if (context.request.headers.Get("Content-Type") != expected) {
    throw Error(Code::kUnsupportedMedia, "expected Content-Type: " + expected);
  }
}

net::Response Fetch(Context& context) {
  RequireContentType(context, "git-upload-pack");
  RefuseUnsafeHistory(context);
  net::ProcessBody body =
      MakeGitProcess(ProcessFor(context, GitService::kUploadPack, context.repo()));
  body.input = std::move(context.request.body);
  body.failure_status = kMalformedStatus;
  net::Response response = GitResponse("git-upload-pack", "result");
  response.body = std::move(body);
  return response;
}

// Runs when receive-pack has ended, also when it failed in the middle: whatever refs moved, count.
void FinishPush(hub::Hub& hub, const hub::RepoHandle& repo,
                const std::vector<storage::RefInfo>& before) {
  SyncGitFolders(repo.git_folder());
  hub.repos().AfterRefsChanged(repo, before);
}

net::Response Push(Context& context, LazyGate& gate) {
  RequireContentType(context, "git-receive-pack");
  net::Response response = GitResponse("git-receive-pack", "result");
  // Git asks with an empty request whether its credentials are good before it sends a large one.
  if (context.request.body.size_bytes() <= 4) return response;
  const hub::RepoHandle& repo = context.repo();
  hub::Hub& hub = context.hub;
  std::shared_ptr<hub::PushGate::Ticket> ticket = gate.Get(hub).Admit(context.actor, repo);
  // From the check of the pushed pointers until the refs have moved.
  auto guard = std::make_shared<hub::SweepLock::Guard>(hub.repos().GuardReferences(repo.record()));
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  // A push that was killed leaves locks which stock git would wait for in vain.
  git.RemoveStaleLocks();
  std::vector<storage::RefInfo> before = git.ListRefs();
  hub.repos().MarkIndexStale(repo);
  GitProcess process = ProcessFor(context, GitService::kReceivePack, repo);
  process.extra = ticket->Environment();
  net::ProcessBody body = MakeGitProcess(process);
  body.input = std::move(context.request.body);
  body.failure_status = kMalformedStatus;
  // No lock of the repository is held meanwhile: git and the API both move refs by
  // compare-and-swap.
  body.on_exit = [&hub, repo, ticket, before, guard](int) {
    guard->Reset();
    FinishPush(hub, repo, before);
  };
  response.body = std::move(body);
  return response;
}

}  // namespace

void RegisterGitHttp(RouteTable& table) {
  auto gate = std::make_shared<LazyGate>();
  for (const char* suffix : {"", ".git"}) {
    std::string base = "/{P}{ns}/{name}" + std::string(suffix);
    table.Add({.methods = "GET",
               .pattern = base + "/info/refs",
               .access = Access::kRepoContent,
               .handle = Advertise,
               .surface = Surface::kGit,
               .summary = "Refs for git fetch or push."});
    table.Add({.methods = "POST",
               .pattern = base + "/git-upload-pack",
               .access = Access::kRepoContent,
               .handle = Fetch,
               .surface = Surface::kGit,
               .body = {.max_bytes = kMaxFetchBytes},
               .summary = "Clone and fetch."});
    table.Add({.methods = "POST",
               .pattern = base + "/git-receive-pack",
               .access = Access::kRepoWrite,
               .handle = [gate](Context& context) { return Push(context, *gate); },
               .surface = Surface::kGit,
               .body = {.max_bytes = kMaxPushBytes},
               .summary = "Push."});
  }
}

}  // namespace hearth::server
