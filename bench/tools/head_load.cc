// HEAD requests over keep-alive connections, one in flight on each: wrk waits for bodies that HEAD never has.
// Usage: head_load PORT PATH TOKEN SECONDS CONNECTIONS; prints requests a second, or fails on a status that is not 2xx.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  int port = std::atoi(argv[1]);
  int seconds = std::atoi(argv[4]);
  int connections = std::atoi(argv[5]);
  std::string request = std::string("HEAD ") + argv[2] + " HTTP/1.1\r\nHost: 127.0.0.1:" + argv[1] + "\r\nAuthorization: Bearer " +
                        argv[3] + "\r\n\r\n";
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
    if (write(fd, request.data(), request.size()) < 0) return 1;
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
      if (text.find("\r\n\r\n") == std::string::npos) continue;
      if (text.compare(0, 9, "HTTP/1.1 ") != 0 || text[9] != '2') {
        std::fprintf(stderr, "%.200s\n", text.c_str());
        return 1;
      }
      text.clear();
      ++done;
      if (write(fd, request.data(), request.size()) < 0) return 1;
    }
  }
  double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.1f\n", static_cast<double>(done) / elapsed);
}
