// The least that a Xet server can do: takes every upload of the stock client and throws it away.
// What is left is the client's own work. One thread; bodies are dropped inside the kernel
// (MSG_TRUNC), so the sink costs next to nothing. Usage: xet_sink PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>

namespace {

struct Client {
  std::string head;
  size_t body_left = 0;
  std::string answer;  // to send once the body is gone
};

std::string Answer(const char* status, const char* type, const std::string& body) {
  return std::string("HTTP/1.1 ") + status + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string AnswerTo(const std::string& head, const std::string& port) {
  std::string line = head.substr(0, head.find("\r\n"));
  auto has = [&](const char* part) { return line.find(part) != std::string::npos; };
  if (has("/xet-write-token/") || has("/xet-read-token/")) {
    return Answer("200 OK", "application/json",
                  "{\"casUrl\":\"http://127.0.0.1:" + port +
                      "\",\"accessToken\":\"sink\",\"exp\":4102444800}");
  }
  if (has("/chunks/") || has("/xorb-grants/"))
    return Answer("404 Not Found", "application/json", "{}");
  if (has("/xorbs/")) return Answer("200 OK", "application/json", "{\"was_inserted\":true}");
  if (has("/v2/shards"))
    return Answer("200 OK", "application/x-ndjson", "{\"type\":\"result\",\"result\":1}\n");
  if (has("/shards")) return Answer("200 OK", "application/json", "{\"result\":1}");
  return Answer("200 OK", "application/json", "{}");
}

size_t ContentLength(const std::string& head) {
  for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
    if (strncasecmp(head.c_str() + at + 2, "content-length:", 15) == 0)
      return std::strtoull(head.c_str() + at + 17, nullptr, 10);
  }
  return 0;
}

// False when the client is gone.
bool Serve(int fd, Client& client, const std::string& port) {
  char buffer[65536];
  for (;;) {
    if (client.body_left > 0) {
      ssize_t dropped = recv(fd, nullptr, client.body_left, MSG_TRUNC | MSG_DONTWAIT);
      if (dropped <= 0) return dropped < 0 && errno == EAGAIN;
      client.body_left -= static_cast<size_t>(dropped);
      if (client.body_left > 0) continue;
    } else if (client.answer.empty()) {
      ssize_t seen = recv(fd, buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
      if (seen <= 0) return seen < 0 && errno == EAGAIN;
      std::string text(buffer, static_cast<size_t>(seen));
      size_t end = text.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      if (recv(fd, buffer, end + 4, 0) < 0) return false;
      client.head = text.substr(0, end + 2);
      client.body_left = ContentLength(client.head);
      client.answer = AnswerTo(client.head, port);
      continue;
    }
    if (send(fd, client.answer.data(), client.answer.size(), MSG_NOSIGNAL) < 0) return false;
    client.answer.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 128) != 0)
    return 1;
  int poll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::unordered_map<int, Client> clients;
  epoll_event events[64];
  for (;;) {
    int ready = epoll_wait(poll, events, 64, -1);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        fd = accept(listener, nullptr, nullptr);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = fd;
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        clients[fd] = {};
      } else if (!Serve(fd, clients[fd], argv[1])) {
        clients.erase(fd);
        close(fd);
      }
    }
  }
}
