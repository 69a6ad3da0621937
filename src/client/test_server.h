// A server on loopback for tests of the client: says what each test tells it to say.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace hearth::client {

// One answer per connection; `answer` gets the request's head.
class Server {
 public:
  explicit Server(std::function<std::string(const std::string&)> answer)
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    origin_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }

  const std::string& origin() const { return origin_; }
  std::vector<std::string> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Run() {
    for (;;) {
      UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      std::string head;
      char block[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        ssize_t n = ::recv(peer.get(), block, sizeof block, 0);
        if (n <= 0) break;
        head.append(block, static_cast<size_t>(n));
      }
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(head);
      }
      std::string text = answer_(head);
      ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  UniqueFd listener_;
  std::string origin_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

inline std::string Answer(const std::string& status, const std::string& headers,
                          const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

}  // namespace hearth::client
