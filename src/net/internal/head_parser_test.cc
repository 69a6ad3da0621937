#include "net/internal/head_parser.h"

#include <gtest/gtest.h>

namespace hearth::net {
namespace {

// The status of the fault, or 0 when the head is accepted.
int StatusOf(std::string_view head, HeadLimits limits = {}) {
  size_t scanned = 0;
  size_t head_bytes = 0;
  if (auto fault = FindHeadEnd(head, limits, &scanned, &head_bytes)) return fault->status;
  if (head_bytes == 0) return -1;
  auto parsed = ParseHead(head.substr(0, head_bytes), limits);
  auto* fault = std::get_if<HeadFault>(&parsed);
  return fault ? fault->status : 0;
}

RequestHead Parsed(std::string_view head) {
  auto parsed = ParseHead(head, {});
  if (auto* fault = std::get_if<HeadFault>(&parsed)) {
    ADD_FAILURE() << fault->message;
    return {};
  }
  return std::get<RequestHead>(parsed);
}

std::string With(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n";
}

TEST(HeadParser, ReadsAHead) {
  RequestHead head = Parsed(
      "PUT /a/b%20c?x=1&y HTTP/1.1\r\nHost: Example.COM:80\r\nX-A:  v 1 \r\nContent-Length: 12\r\n"
      "Expect: 100-Continue\r\n\r\n");
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/a/b%20c?x=1&y");
  EXPECT_EQ(head.host, "example.com:80");
  EXPECT_EQ(head.headers.Get("x-a"), "v 1");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expect_continue);
}

TEST(HeadParser, FindsTheEndByteByByte) {
  std::string bytes = With("A: b\r\n") + "body";
  size_t scanned = 0;
  for (size_t n = 1; n <= bytes.size(); ++n) {
    size_t head_bytes = 0;
    ASSERT_FALSE(FindHeadEnd(std::string_view(bytes).substr(0, n), {}, &scanned, &head_bytes));
    if (n < bytes.size() - 4) {
      ASSERT_EQ(head_bytes, 0u);
    } else {
      ASSERT_EQ(head_bytes, bytes.size() - 4);
      break;
    }
  }
}

// Each is a shape that two parsers may read differently.
TEST(HeadParser, RefusesSmugglingShapes) {
  for (const char* lines : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length:\r\n",
           "Content-Length: 99999999999999999999\r\n",
           "Content-Length : 5\r\n",
           "Content-Length\t: 5\r\n",
           " Content-Length: 5\r\n",
           "A: b\r\n Content-Length: 5\r\n",
           "A: b\r\n\tfolded\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "A: b\rContent-Length: 5\r\n",
           "A: b\nContent-Length: 5\r\n",
           "A\x01: b\r\n",
           "A: b\x01\r\n",
           "A: b\x7f\r\n",
           ": empty\r\n",
           "NoColon\r\n",
           "Bad Name: x\r\n",
           "Host: y\r\n",
       }) {
    EXPECT_EQ(StatusOf(With(lines)), 400) << lines;
  }
  EXPECT_EQ(StatusOf(With(std::string_view("A: \0b\r\n", 7))), 400);
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked",
                             "chunked;a=b", "\"chunked\""}) {
    int status = StatusOf(With("Transfer-Encoding: " + std::string(coding) + "\r\n"));
    EXPECT_TRUE(status == 501 || status == 400) << coding << " " << status;
  }
  EXPECT_EQ(StatusOf("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(HeadParser, RefusesBadRequestLines) {
  const std::pair<const char*, int> cases[] = {
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G=T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n", 400},
      {"GET / HTTP/1\r\nHost: x\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: magic\r\n\r\n", 417},
  };
  for (const auto& [head, status] : cases) EXPECT_EQ(StatusOf(head), status) << head;
}

TEST(HeadParser, EnforcesLimits) {
  HeadLimits limits{1000, 5, 100};
  auto head = [](int target, std::string_view lines) {
    return "GET /" + std::string(static_cast<size_t>(target), 'a') + " HTTP/1.1\r\nHost: x\r\n" +
           std::string(lines) + "\r\n";
  };
  EXPECT_EQ(StatusOf(head(99, ""), limits), 0);
  EXPECT_EQ(StatusOf(head(100, ""), limits), 414);
  EXPECT_EQ(StatusOf(head(1, "A: b\r\nA: b\r\nA: b\r\nA: b\r\n"), limits), 0);
  EXPECT_EQ(StatusOf(head(1, "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"), limits), 431);
  EXPECT_EQ(StatusOf(head(1, "A: " + std::string(1000, 'b') + "\r\n"), limits), 431);
  // Before the line even ends.
  EXPECT_EQ(StatusOf("GET /" + std::string(1001, 'a'), limits), 414);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: " + std::string(1001, 'a'), limits), 431);
}

TEST(HeadParser, AbsoluteFormIsReducedAndItsHostWins) {
  RequestHead head = Parsed("GET http://Other.example:81/a?b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.host, "other.example:81");
  EXPECT_EQ(Parsed("GET https://h HTTP/1.1\r\nHost: x\r\n\r\n").target, "/");
  EXPECT_EQ(Parsed("GET http://h?q HTTP/1.1\r\nHost: x\r\n\r\n").target, "/?q");
  EXPECT_EQ(Parsed("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").target, "*");
}

TEST(HeadParser, KeepAliveFollowsVersionAndConnection) {
  EXPECT_TRUE(Parsed("GET / HTTP/1.1\r\nHost: x\r\n\r\n").keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                  .keep_alive);
}

TEST(HeadParser, KnowsValidHosts) {
  for (const char* good : {"a", "a.b-c_d", "1.2.3.4:80", "[::1]", "[::1]:8080", "a:"}) {
    EXPECT_TRUE(IsValidHost(good)) << good;
  }
  for (const char* bad :
       {"", "a:b", "[::1", "[g]", "[::1]x", "a:1:2", "a,b", "a:70000", "\xC3\xA9"}) {
    EXPECT_FALSE(IsValidHost(bad)) << bad;
  }
}

}  // namespace
}  // namespace hearth::net
