// For tests of net: a server whose dispatcher is a function, and a client that speaks raw bytes, so
// that malformed and half-sent requests can be made. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "net/server.h"

namespace hearth::net {

// One response as read from the wire; chunked is undone.
struct RawResponse {
  int status = 0;
  Headers headers;
  std::string body;
  bool complete = false;  // false: the connection ended inside
};

// A blocking socket with a receive timeout that fails the test instead of hanging it.
class RawClient {
 public:
  static RawClient Tcp(int port);
  static RawClient Unix(const std::string& path);

  // False when the peer has closed.
  bool Send(std::string_view bytes);
  void EndSending();
  // Reads one response; `method` HEAD has no body. Interim 1xx responses are returned like others.
  RawResponse Read(std::string_view method = "GET");
  // Everything until the peer closes.
  std::string ReadToEnd();
  // True when the peer closes without another byte.
  bool ClosedByPeer() { return ReadToEnd().empty(); }
  RawResponse Ask(std::string_view request, std::string_view method = "GET");
  void Close() { fd_.Reset(); }
  void ShrinkReceiveBuffer();
  int fd() const { return fd_.get(); }

 private:
  explicit RawClient(UniqueFd fd) : fd_(std::move(fd)) {}
  bool Fill();
  UniqueFd fd_;
  std::string buffer_;
};

// "GET /path HTTP/1.1" with Host and the given further header lines ("Name: value\r\n...").
std::string Get(std::string_view path, std::string_view headers = "");
std::string Post(std::string_view path, std::string_view body, std::string_view headers = "");

class ServerTest : public ::testing::Test, public Dispatcher {
 protected:
  ServerTest();
  ~ServerTest() override;
  // The server's threads call PlanFor, so they end before any part of the fixture does.
  void TearDown() override { server_.reset(); }
  Plan PlanFor(Request& request) override { return plan_(request); }

  // Sets the handler of every request and starts the server on an ephemeral port.
  void Serve(std::function<Response(Request&)> handle);
  void ServePlans(std::function<Plan(Request&)> plan);
  RawClient Connect() { return RawClient::Tcp(port_); }
  std::filesystem::path WriteTemp(const std::string& name, std::string_view content);
  size_t SpoolFiles() const;

  std::filesystem::path folder_;  // removed at the end
  ServerOptions options_;
  ListenOptions listen_{"127.0.0.1:0", "", ""};
  std::function<Plan(Request&)> plan_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

// Waits for `condition` up to a generous bound; for effects that have no event to wait for.
bool Eventually(const std::function<bool()>& condition);

}  // namespace hearth::net
