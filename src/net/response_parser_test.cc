#include "net/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth::net {
namespace {

using Status = ResponseParser::Status;

struct Seen {
  int status = 0;
  Headers headers;
  std::string body;
  std::string rest;  // behind the response
  bool done = false, bad = false, keep_alive = false;
};

Seen Feed(std::string_view bytes, size_t piece) {
  ResponseParser parser;
  Seen seen;
  size_t at = 0;
  while (at < bytes.size() || !seen.done) {
    ResponseParser::Step step = parser.Next(bytes.substr(at, piece));
    at += step.consumed;
    if (step.status == Status::kHead) {
      seen.status = parser.status();
      seen.headers = parser.headers();
      seen.keep_alive = parser.keep_alive();
    }
    if (step.status == Status::kData) seen.body += step.data;
    if (step.status == Status::kBad) return seen.bad = true, seen;
    if (step.status == Status::kDone) {
      seen.done = true;
      seen.rest = bytes.substr(at);
      return seen;
    }
    if (step.status == Status::kNeedMore && at >= bytes.size()) break;
  }
  seen.done = parser.EndsHere();
  return seen;
}

TEST(ResponseParser, LengthsChunksAndCloseInPiecesOfAnySize) {
  const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhellonext";
  const std::string chunks =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nnext";
  const std::string close = "HTTP/1.0 200 Fine\r\nX-A: b\r\n\r\nhello";
  for (size_t piece = 1; piece < 80; ++piece) {
    for (const std::string& bytes : {length, chunks, close}) {
      Seen seen = Feed(bytes, piece);
      EXPECT_TRUE(seen.done && !seen.bad) << bytes << piece;
      EXPECT_EQ(seen.status, 200);
      EXPECT_EQ(seen.headers.Get("x-a"), "b");
      EXPECT_EQ(seen.body, "hello");
      EXPECT_EQ(seen.keep_alive, bytes.starts_with("HTTP/1.1"));
    }
    EXPECT_EQ(Feed(length, piece).rest, "next");
    EXPECT_EQ(Feed(chunks, piece).rest, "next");
  }
}

TEST(ResponseParser, AnswersWithoutABodyEndWithTheirHead) {
  Seen seen = Feed("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1", 7);
  EXPECT_TRUE(seen.done);
  EXPECT_EQ(seen.rest, "HTTP/1.1");
}

TEST(ResponseParser, RefusesWhatIsNotClear) {
  for (const char* bytes : {
           "SMTP\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 200OK\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
       }) {
    EXPECT_TRUE(Feed(bytes, 4).bad) << bytes;
    EXPECT_TRUE(Feed(bytes, 1000).bad) << bytes;
  }
}

TEST(ResponseParser, HeadsAreBounded) {
  std::string endless = "HTTP/1.1 200 OK\r\nA: " + std::string(1 << 20, 'a');
  EXPECT_TRUE(Feed(endless, 4096).bad);
  EXPECT_TRUE(Feed(endless, endless.size()).bad);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  EXPECT_TRUE(Feed(many + "\r\n", 100).bad);
}

TEST(ResponseParser, EveryTruncationIsNoticed) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (size_t size = 1; size < whole.size(); ++size) {
    Seen seen = Feed(std::string_view(whole).substr(0, size), 10);
    EXPECT_FALSE(seen.done || seen.bad) << size;
  }
}

}  // namespace
}  // namespace hearth::net
