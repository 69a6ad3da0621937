// Data links over a real connection: what is sent must be what was checked, and that is decided in
// two places (the handler and net).
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "base/file.h"
#include "net/server.h"
#include "server/xet_api/xet_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CasWireTest : public XetFixture {
 protected:
  CasWireTest() : server_({.io_threads = 1, .worker_threads = 2, .access_log = false}, *app_) {
    port_ = server_.Listen({.address = "127.0.0.1:0"});
    server_.Start();
    std::string token = TokenFor("ada/open", "write", ada_);
    Store(upload_, token);
    // The middle one of three chunks.
    Json answer = BodyJson(Rebuild(upload_, token, "bytes=9024-9024"));
    link_ = LinkOf(answer, upload_);
    const Json& entry = answer.Find("xorbs")->Find(upload_.xorb.Text())->AsArray()->at(0);
    const Json& bytes = *entry.Find("ranges")->AsArray()->at(0).Find("bytes");
    first_ = static_cast<size_t>(*bytes.IntField("start"));
    last_ = static_cast<size_t>(*bytes.IntField("end"));
  }
  ~CasWireTest() override { server_.Stop(std::chrono::milliseconds(0)); }

  // Everything that comes back, head included.
  std::string Exchange(const std::string& method, const std::string& headers) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{60, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::string request = method + " " + link_ + " HTTP/1.1\r\nHost: hub.test\r\n" + headers +
                          "Connection: close\r\n\r\n";
    EXPECT_EQ(::send(fd.get(), request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    return answer;
  }
  static std::string Range(size_t first, size_t last) {
    return "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n";
  }
  std::string Part(size_t first, size_t last) const {
    return upload_.body.substr(first, last - first + 1);
  }

  net::Server server_;
  int port_ = 0;
  XetUpload upload_ = MakeUpload('w');
  std::string link_;
  size_t first_ = 0, last_ = 0;
};

TEST_F(CasWireTest, ARangeIsSentAsItIs) {
  std::string answer = Exchange("GET", Range(first_, last_));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 206 "));
  EXPECT_THAT(answer, HasSubstr("Content-Range: bytes " + std::to_string(first_) + "-" +
                                std::to_string(last_) + "/" + std::to_string(upload_.body.size())));
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: "));
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), Part(first_, last_));
}

TEST_F(CasWireTest, SeveralRangesComeInParts) {
  std::string range = "Range: bytes=" + std::to_string(first_) + "-" + std::to_string(first_ + 9) +
                      "," + std::to_string(last_ - 9) + "-" + std::to_string(last_) + "\r\n";
  std::string answer = Exchange("GET", range);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 206 "));
  EXPECT_THAT(answer, HasSubstr("multipart/byteranges; boundary="));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n" + Part(first_, first_ + 9) + "\r\n--"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n" + Part(last_ - 9, last_) + "\r\n--"));
}

// Each of these makes a plain file server send the whole file.
TEST_F(CasWireTest, NothingMakesItSendMoreThanTheLinkAllows) {
  std::string range = Range(first_, last_), outside = Part(0, 31);
  std::string many = "Range: bytes=";
  for (int i = 0; i < 65; ++i) {
    many +=
        (i == 0 ? "" : ",") + std::to_string(first_ + 2 * i) + "-" + std::to_string(first_ + 2 * i);
  }
  for (const std::string& headers :
       {range + "If-Range: \"x\"\r\n", range + "If-Range: Mon, 01 Jan 2001 00:00:00 GMT\r\n",
        range + "If-None-Match: *\r\n", range + "If-Match: \"x\"\r\n", range + Range(0, 31),
        Range(0, 31) + range, many + "\r\n", std::string(), std::string("Range: bytes=0-\r\n"),
        std::string("Range: chunks=0-1\r\n")}) {
    std::string answer = Exchange("GET", headers);
    EXPECT_THAT(answer, Not(HasSubstr(outside))) << headers;
    EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 200 "))) << headers;
  }
}

TEST_F(CasWireTest, HeadSendsNoBytes) {
  std::string answer = Exchange("HEAD", Range(first_, last_));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 20"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace hearth::server
