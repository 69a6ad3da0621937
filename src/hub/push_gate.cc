#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <istream>
#include <iterator>
#include <ostream>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "hub/push.h"

namespace hearth::hub {
namespace {

// Ref updates of one push: 100 bytes each, so a hundred thousand refs fit.
constexpr size_t kMaxRequestBytes = 16 << 20;
// Checks of different pushes that may run at once; more wait in the listen queue.
constexpr int kThreads = 4;
constexpr timeval kSilence{30, 0};

// The name starts with a zero byte: the abstract namespace.
socklen_t FillAddress(const std::string& name, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  size_t length = std::min(name.size(), sizeof(address->sun_path) - 1);
  std::copy_n(name.data(), length, address->sun_path + 1);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t done = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) ThrowErrno("send to the push gate");
    bytes.remove_prefix(static_cast<size_t>(done));
  }
}

std::string ReceiveAll(int fd) {
  std::string text;
  char buffer[65536];
  for (;;) {
    ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("receive from the push gate");
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxRequestBytes) throw Error(Code::kTooLarge, "too many refs in one push");
  }
}

bool PeerIsThisUser(int connection) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == ::geteuid();
}

std::optional<GitOid> ParseOid(std::string_view hex) {
  std::optional<GitOid> oid = GitOid::FromHex(hex);
  if (!oid) throw Error(Code::kInvalidArgument, "malformed ref update");
  return *oid == GitOid() ? std::nullopt : oid;
}

RefUpdate ParseUpdate(std::string_view line) {
  size_t first = line.find(' ');
  size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) throw Error(Code::kInvalidArgument, "malformed ref update");
  return {ParseOid(line.substr(0, first)), ParseOid(line.substr(first + 1, second - first - 1)),
          std::string(line.substr(second + 1))};
}

std::string_view TakeLine(std::string_view* text) {
  size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return line;
}

}  // namespace

int RunPreReceive(std::istream& in, std::ostream& err, const PushEnvironment& environment) {
  std::string updates((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string verdict;
  try {
    if (environment.socket.empty() || environment.ticket.empty()) {
      throw Error(Code::kForbidden, "push over HTTP: this repository belongs to a running hub");
    }
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address;
    socklen_t length = FillAddress(environment.socket, &address);
    if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
      ThrowErrno("reach the hub");
    }
    SendAll(fd.get(), environment.ticket + "\n" + environment.quarantine + "\n" + updates);
    ::shutdown(fd.get(), SHUT_WR);
    verdict = ReceiveAll(fd.get());
  } catch (const Error& error) {
    err << "The push could not be checked: " << error.message() << "\n";
    return 1;
  }
  if (verdict == "ok") return 0;
  err << (verdict.empty() ? "The push could not be checked: the hub is stopping" : verdict) << "\n";
  return 1;
}

PushGate::PushGate(const Commits& commits)
    : commits_(commits), socket_name_("hearth-push-" + RandomAlphanumeric(24)) {
  listener_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address;
  socklen_t length = FillAddress(socket_name_, &address);
  if (!listener_.valid() ||
      ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), 128) != 0) {
    ThrowErrno("open the socket of the push check");
  }
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Serve(); });
}

PushGate::~PushGate() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept in every thread
  for (std::thread& thread : threads_) thread.join();
}

PushGate::Ticket::~Ticket() {
  std::lock_guard lock(gate_.mutex_);
  gate_.pushes_.erase(text_);
}

std::vector<std::string> PushGate::Ticket::Environment() const {
  return {"HEARTH_PUSH_SOCKET=" + gate_.socket_name_, "HEARTH_PUSH_TICKET=" + text_};
}

std::shared_ptr<PushGate::Ticket> PushGate::Admit(const Actor& actor, const RepoHandle& repo) {
  repo.Require(Right::kWrite);
  std::string text = HexEncode(RandomBytes(24));
  std::lock_guard lock(mutex_);
  pushes_.emplace(text, std::make_shared<const Push>(Push{actor, repo}));
  return std::shared_ptr<Ticket>(new Ticket(*this, text));
}

void PushGate::Serve() {
  for (;;) {
    UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      return;  // the listener was shut down
    }
    Answer(connection.get());
  }
}

void PushGate::Answer(int connection) {
  std::string answer;
  try {
    if (!PeerIsThisUser(connection)) return;
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kSilence, sizeof kSilence);
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &kSilence, sizeof kSilence);
    answer = Judge(ReceiveAll(connection)).value_or("ok");
  } catch (const std::exception& fault) {
    log::LogError("the check of a push failed", {{"reason", fault.what()}});
    answer = "The push could not be checked: internal error of the hub";
  }
  try {
    SendAll(connection, answer);
  } catch (const Error& error) {
    log::Warning("a push went away during its check", {{"reason", error.message()}});
  }
}

std::optional<std::string> PushGate::Judge(const std::string& request) {
  std::string_view rest = request;
  std::string ticket(TakeLine(&rest));
  std::filesystem::path quarantine(TakeLine(&rest));
  std::shared_ptr<const Push> push;
  {
    std::lock_guard lock(mutex_);
    if (auto found = pushes_.find(ticket); found != pushes_.end()) push = found->second;
  }
  if (!push) return "This push is not known to the hub any more. Try again.";
  std::vector<RefUpdate> updates;
  while (!rest.empty()) {
    std::string_view line = TakeLine(&rest);
    if (!line.empty()) updates.push_back(ParseUpdate(line));
  }
  // No quarantine when a push brings no objects (deletions only).
  std::vector<std::filesystem::path> quarantined;
  if (!quarantine.empty()) quarantined.emplace_back(quarantine);
  storage::GitRepository git =
      storage::GitRepository::Open(push->repo.git_folder(), quarantined);
  return CheckPush(commits_, push->repo, push->actor, git, updates);
}

}  // namespace hearth::hub
