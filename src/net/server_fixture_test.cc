#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <fstream>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

UniqueFd Connected(int family, const sockaddr* name, socklen_t size) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), name, size) != 0) ThrowErrno("connect");
  timeval limit{20, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int on = 1;
  if (family == AF_INET) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

RawClient RawClient::Tcp(int port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(port));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return RawClient(Connected(AF_INET, reinterpret_cast<sockaddr*>(&name), sizeof name));
}

RawClient RawClient::Unix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size());
  return RawClient(Connected(AF_UNIX, reinterpret_cast<sockaddr*>(&name), sizeof name));
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t done = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(done));
  }
  return true;
}

void RawClient::EndSending() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::ShrinkReceiveBuffer() {
  int size = 4096;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

bool RawClient::Fill() {
  char buffer[65536];
  ssize_t got;
  do {
    got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) ADD_FAILURE() << "no answer from the server";
  if (got <= 0) return false;
  buffer_.append(buffer, static_cast<size_t>(got));
  return true;
}

std::string RawClient::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

RawResponse RawClient::Read(std::string_view method) {
  RawResponse out;
  while (buffer_.find("\r\n\r\n") == std::string::npos) {
    if (!Fill()) return out;
  }
  size_t end = buffer_.find("\r\n\r\n");
  std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  std::from_chars(head.data() + 9, head.data() + 12, out.status);
  for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
    size_t colon = head.find(':', at);
    size_t stop = std::min(head.find("\r\n", at + 2), head.size());
    out.headers.Add(head.substr(at + 2, colon - at - 2),
                    std::string(TrimAscii(head.substr(colon + 1, stop - colon - 1))));
  }
  out.complete = true;
  if (method == "HEAD" || out.status < 200 || out.status == 204 || out.status == 304) return out;
  auto take = [&](size_t size) {
    while (buffer_.size() < size) {
      if (!Fill()) return false;
    }
    out.body += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return true;
  };
  if (out.headers.Get("transfer-encoding") == "chunked") {
    while (true) {
      while (buffer_.find("\r\n") == std::string::npos) {
        if (!Fill()) return out.complete = false, out;
      }
      size_t size = std::strtoull(buffer_.c_str(), nullptr, 16);
      buffer_.erase(0, buffer_.find("\r\n") + 2);
      if (!take(size + 2)) return out.complete = false, out;
      out.body.resize(out.body.size() - 2);
      if (size == 0) return out;
    }
  }
  if (const std::string* length = out.headers.Find("content-length")) {
    out.complete = take(*ParseUint(*length));
    if (!out.complete) out.body += std::exchange(buffer_, {});
  } else {
    out.body = ReadToEnd();
  }
  return out;
}

RawResponse RawClient::Ask(std::string_view request, std::string_view method) {
  Send(request);
  return Read(method);
}

std::string Get(std::string_view path, std::string_view headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers) + "\r\n";
}

std::string Post(std::string_view path, std::string_view body, std::string_view headers) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

ServerTest::ServerTest()
    : folder_(std::filesystem::temp_directory_path() / ("hearth-net-" + RandomAlphanumeric(10))) {
  std::filesystem::create_directories(folder_ / "spool");
  options_.io_threads = 2;
  options_.worker_threads = 4;
  options_.spool_dir = folder_ / "spool";
  options_.access_log = false;
}

ServerTest::~ServerTest() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ServerTest::Serve(std::function<Response(Request&)> handle) {
  ServePlans([handle](Request&) {
    Plan plan;
    plan.handle = handle;
    return plan;
  });
}

void ServerTest::ServePlans(std::function<Plan(Request&)> plan) {
  plan_ = std::move(plan);
  server_ = std::make_unique<Server>(options_, *this);
  port_ = server_->Listen(listen_);
  server_->Start();
}

std::filesystem::path ServerTest::WriteTemp(const std::string& name, std::string_view content) {
  std::ofstream(folder_ / name, std::ios::binary) << content;
  return folder_ / name;
}

size_t ServerTest::SpoolFiles() const {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options_.spool_dir)) {
    (void)entry;
    ++count;
  }
  return count;
}

bool Eventually(const std::function<bool()>& condition) {
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < limit) {
    if (condition()) return true;
    ::poll(nullptr, 0, 5);
  }
  return condition();
}

}  // namespace hearth::net
