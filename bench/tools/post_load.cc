// POST requests over loopback from several connections, each sending its next when the last is
// answered, for a bounded time.
//   post_load PORT PATH BODIES SECONDS CONNECTIONS    BODIES: a file, a JSON body a line
// Prints {"items": answers, "wall": s, "p50": s}; fails when an answer is not 200.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int Connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  return fd;
}

// Reads one answer with a Content-Length; whether it was a 200.
bool ReadAnswer(int fd) {
  std::string got;
  char part[65536];
  size_t want = 0;
  do {
    ssize_t n = read(fd, part, sizeof part);
    if (n <= 0) return false;
    got.append(part, static_cast<size_t>(n));
    size_t head = got.find("\r\n\r\n");
    if (want == 0 && head != std::string::npos) {
      const char* length = strcasestr(got.c_str(), "content-length:");
      if (length == nullptr) return false;
      want = head + 4 + std::strtoul(length + 15, nullptr, 10);
    }
  } while (want == 0 || got.size() < want);
  return got.compare(0, 12, "HTTP/1.1 200") == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int port = std::atoi(argv[1]), connections = std::atoi(argv[5]);
  const double seconds = std::atof(argv[4]);
  std::vector<std::string> requests;
  std::ifstream file(argv[3]);
  for (std::string body; std::getline(file, body);) {
    requests.push_back("POST " + std::string(argv[2]) +
                       " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Content-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{requests.empty()};
  std::vector<std::vector<double>> times(connections);
  auto start = Clock::now();
  std::vector<std::thread> all;
  for (int c = 0; c < connections; ++c) {
    all.emplace_back([&, c] {
      int fd = Connect(port);
      while (!failed && Since(start) < seconds) {
        const std::string& request = requests[next++ % requests.size()];
        auto sent = Clock::now();
        if (write(fd, request.data(), request.size()) != static_cast<ssize_t>(request.size()) ||
            !ReadAnswer(fd)) {
          failed = true;
        }
        times[c].push_back(Since(sent));
      }
      close(fd);
    });
  }
  for (std::thread& each : all) each.join();
  double wall = Since(start);
  if (failed) {
    std::fprintf(stderr, "post_load: an answer was no 200\n");
    return 1;
  }
  std::vector<double> sorted;
  for (const auto& part : times) sorted.insert(sorted.end(), part.begin(), part.end());
  std::sort(sorted.begin(), sorted.end());
  std::printf("{\"items\": %zu, \"wall\": %.6f, \"p50\": %.9f}\n", sorted.size(), wall,
              sorted[sorted.size() / 2]);
  return 0;
}
