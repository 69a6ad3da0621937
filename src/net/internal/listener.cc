#include "net/internal/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"

namespace hearth::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel caps it at net.core.somaxconn
constexpr auto kOutOfDescriptorsPause = std::chrono::milliseconds(100);

[[noreturn]] void BadAddress(const std::string& address) {
  throw Error(Code::kInvalidArgument, "bad listen address " + address);
}

[[noreturn]] void BindFailed(const std::string& address) {
  throw Error(Code::kUnavailable, "cannot listen on " + address + ": " + std::strerror(errno));
}

bool SomeoneListens(const sockaddr_un& name) {
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ||
         errno == EAGAIN;
}

BoundSocket BindUnix(const std::string& address, const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) BadAddress(address);
  std::memcpy(name.sun_path, path.c_str(), path.size());
  BoundSocket bound;
  bound.fd.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!bound.fd.valid()) BindFailed(address);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) BadAddress(address);
    if (SomeoneListens(name)) {
      throw Error(Code::kUnavailable, "cannot listen on " + address + ": in use");
    }
    ::unlink(path.c_str());
  }
  if (::bind(bound.fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(bound.fd.get(), kBacklog) != 0) {
    BindFailed(address);
  }
  bound.unix_path = path;
  return bound;
}

int PortOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&name)->sin_port);
  return ntohs(reinterpret_cast<sockaddr_in6*>(&name)->sin6_port);
}

// The peer's address without port; a mapped IPv4 address in its IPv4 form.
std::string PeerName(const sockaddr_storage& name) {
  char text[INET6_ADDRSTRLEN] = "";
  if (name.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&name)->sin_addr, text, sizeof text);
  } else if (name.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(&name)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      ::inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
    }
  } else {
    return "unix";
  }
  return text;
}

}  // namespace

BoundSocket BindAddress(const std::string& address) {
  if (address.starts_with("unix:")) return BindUnix(address, address.substr(5));
  size_t colon = address.rfind(':');
  if (colon == std::string::npos) BadAddress(address);
  std::string host = address.substr(0, colon);
  std::optional<uint64_t> port = ParseUint(std::string_view(address).substr(colon + 1));
  if (!port || *port > 65535) BadAddress(address);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    BadAddress(address);
  }
  if (host.empty()) host = "::";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(*port).c_str(), &hints, &found) != 0)
    BadAddress(address);
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, ::freeaddrinfo);
  BoundSocket bound;
  bound.fd.Reset(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!bound.fd.valid()) BindFailed(address);
  int on = 1;
  int off = 0;
  ::setsockopt(bound.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) {
    ::setsockopt(bound.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(bound.fd.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(bound.fd.get(), kBacklog) != 0) {
    BindFailed(address);
  }
  bound.port = PortOf(bound.fd.get());
  return bound;
}

Listener::Listener(Loop& loop, BoundSocket socket, Accepted accepted)
    : loop_(loop),
      fd_(std::move(socket.fd)),
      unix_path_(std::move(socket.unix_path)),
      accepted_(std::move(accepted)),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Listener::~Listener() { Close(); }

void Listener::Start() {
  // Level-triggered: what one turn of the loop leaves is reported in the next.
  watch_.Start<&Listener::AcceptSome>(loop_, fd_.get(), EPOLLIN, this);
}

void Listener::Close() {
  if (!fd_.valid()) return;
  watch_.Stop();
  fd_.Reset();
  if (pause_) loop_.Cancel(*pause_);
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

void Listener::AcceptSome(uint32_t) {
  // Bounded, so that a flood of connections leaves room for those already here.
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    UniqueFd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      int on = 1;
      if (name.ss_family != AF_UNIX) {
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      }
      accepted_(std::move(fd), PeerName(name));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return ShedOne();
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// No descriptor is left. The pending connection would keep the socket readable and the loop
// spinning: it is turned away through the reserve, and accepting rests a moment.
void Listener::ShedOne() {
  log::Warning("cannot accept connections", {{"reason", std::strerror(errno)}});
  reserve_.Reset();
  UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  reserve_.Reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  watch_.Stop();
  pause_ = loop_.RunAfter(kOutOfDescriptorsPause, [this] {
    pause_.reset();
    Start();
  });
}

}  // namespace hearth::net
