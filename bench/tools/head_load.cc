// HEAD (or GET) requests over keep-alive connections, one in flight on each: wrk waits for bodies
// that HEAD never has, and has no fresh address for each request. Usage: head_load PORT PATH TOKEN
// SECONDS CONNECTIONS [METHOD STATUS];
// `{random}` in PATH stands for 64 hex digits, other ones in each request. Prints requests a
// second, or fails on a status that does not begin with STATUS (default 2).
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr char kRandom[] = "{random}";

// A request whose 64 digits at `digits_at` (npos: none) are other ones each time.
class Request {
 public:
  Request(const std::string& method, std::string path, const std::string& port,
          const std::string& token) {
    digits_at_ = path.find(kRandom);
    if (digits_at_ != std::string::npos) {
      path.replace(digits_at_, sizeof kRandom - 1, 64, '0');
      digits_at_ += method.size() + 1;
    }
    text_ = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + port +
            "\r\nAuthorization: Bearer " + token + "\r\n\r\n";
  }

  bool Send(int fd) {
    if (digits_at_ != std::string::npos) {
      for (size_t i = 0; i < 64; ++i) text_[digits_at_ + i] = "0123456789abcdef"[Next() >> 60];
    }
    return write(fd, text_.data(), text_.size()) == static_cast<ssize_t>(text_.size());
  }

 private:
  uint64_t Next() { return state_ = state_ * 6364136223846793005u + 1442695040888963407u; }

  std::string text_;
  size_t digits_at_;
  uint64_t state_ = static_cast<uint64_t>(getpid());
};

// Bytes of the answer that `text` begins with; 0 while it is not whole.
size_t AnswerBytes(const std::string& text, bool has_body) {
  size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  size_t body = 0;
  for (size_t at = has_body ? text.find("\r\n") : head; at < head; at = text.find("\r\n", at + 2)) {
    if (strncasecmp(text.c_str() + at + 2, "content-length:", 15) == 0)
      body = std::strtoull(text.c_str() + at + 17, nullptr, 10);
  }
  return text.size() >= head + 4 + body ? head + 4 + body : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 8) return 2;
  std::string method = argc == 8 ? argv[6] : "HEAD";
  std::string status = argc == 8 ? argv[7] : "2";
  int port = std::atoi(argv[1]);
  int seconds = std::atoi(argv[4]);
  int connections = std::atoi(argv[5]);
  Request request(method, argv[2], argv[1], argv[3]);
  int poll = epoll_create1(0);
  std::vector<std::string> pending(65536);
  for (int i = 0; i < connections; ++i) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    if (!request.Send(fd)) return 1;
  }
  auto start = std::chrono::steady_clock::now();
  auto end = start + std::chrono::seconds(seconds);
  long done = 0;
  epoll_event events[256];
  char buffer[16384];
  while (std::chrono::steady_clock::now() < end) {
    int ready = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      ssize_t got = read(fd, buffer, sizeof buffer);
      if (got <= 0) {
        std::fprintf(stderr, "connection closed by the server\n");
        return 1;
      }
      std::string& text = pending[static_cast<size_t>(fd)];
      text.append(buffer, static_cast<size_t>(got));
      if (AnswerBytes(text, method != "HEAD") != text.size()) continue;
      if (text.compare(0, 9, "HTTP/1.1 ") != 0 || text.compare(9, status.size(), status) != 0) {
        std::fprintf(stderr, "%.200s\n", text.c_str());
        return 1;
      }
      text.clear();
      ++done;
      if (!request.Send(fd)) return 1;
    }
  }
  double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.1f\n", static_cast<double>(done) / elapsed);
}
