// Bodies that are pulled from any offset: ranges, conditions, readers that pause or leave, and
// sources that fail.
#include <atomic>

#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

class SeekableTest : public ServerTest {
 protected:
  // Every source in existence is counted, so that none is left behind.
  struct Source {
    explicit Source(std::atomic<int>& c) : count(c) { ++count; }
    ~Source() { --count; }
    std::atomic<int>& count;
    uint64_t at = 0;
  };

  // Serves content_ in pieces of piece_ bytes; what "/fail" pulls ends before fail_at_.
  void ServeContent(std::string content) {
    content_ = std::move(content);
    Serve([this](Request& r) {
      bool throws = r.raw_path == "/throw", ends = r.raw_path == "/end";
      bool too_much = r.raw_path == "/more";
      Response response;
      response.headers.Add("ETag", "\"v1\"");
      response.headers.Add("Content-Type", "text/plain");
      SeekableBody body;
      body.size_bytes = content_.size();
      body.open = [=, this](uint64_t start, uint64_t end) -> SeekableBody::Puller {
        ++opened_;
        auto source = std::make_shared<Source>(sources_);
        source->at = start;
        return [=, this](std::string* chunk) {
          uint64_t& at = source->at;
          if (at >= fail_at_ && throws) throw Error(Code::kInternal, "damaged");
          if (at >= fail_at_ && ends) return false;
          uint64_t size = std::min<uint64_t>(piece_, end - at);
          chunk->append(content_, at, size);
          at += size;
          if (at == end && too_much) *chunk += "!";
          return at < end;
        };
      };
      response.body = std::move(body);
      return response;
    });
  }
  static std::string Numbers(size_t size) {
    std::string text;
    while (text.size() < size) text += std::to_string(text.size()) + " ";
    text.resize(size);
    return text;
  }

  std::string content_;
  size_t piece_ = 3;
  uint64_t fail_at_ = 0;
  std::atomic<int> sources_{0}, opened_{0};
};

TEST_F(SeekableTest, SendsTheWholeAndKeepsTheConnection) {
  piece_ = 1 << 20;
  ServeContent(Numbers(5'000'003));
  RawClient client = Connect();
  for (int i = 0; i < 3; ++i) {
    RawResponse response = client.Ask(Get("/"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.Get("content-length"), "5000003");
    EXPECT_EQ(response.headers.Get("accept-ranges"), "bytes");
    EXPECT_EQ(response.headers.Find("transfer-encoding"), nullptr);
    EXPECT_TRUE(response.body == content_);
  }
  EXPECT_TRUE(Eventually([&] { return sources_ == 0; }));
}

TEST_F(SeekableTest, PiecesOfAnySizeGiveTheSameBytes) {
  ServeContent(Numbers(40'000));
  RawClient client = Connect();
  for (size_t piece : {1u, 7u, 16384u, 39'999u, 40'000u, 100'000u}) {
    piece_ = piece;
    EXPECT_TRUE(client.Ask(Get("/")).body == content_) << piece;
  }
}

TEST_F(SeekableTest, HeadOpensNothing) {
  ServeContent("0123456789");
  RawResponse head = Connect().Ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.Get("content-length"), "10");
  EXPECT_EQ(opened_, 0);
}

TEST_F(SeekableTest, SendsOneRange) {
  ServeContent("0123456789");
  RawClient client = Connect();
  RawResponse part = client.Ask(Get("/", "Range: bytes=2-6\r\n"));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "23456");
  EXPECT_EQ(part.headers.Get("content-range"), "bytes 2-6/10");
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=-4\r\n")).body, "6789");
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=8-100\r\n")).body, "89");
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=9-9\r\n")).body, "9");
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=10-\r\n")).status, 416);
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=0-1\r\nIf-Range: \"v2\"\r\n")).body, "0123456789");
}

TEST_F(SeekableTest, SendsSeveralRangesAsMultipart) {
  ServeContent(Numbers(200'000));
  piece_ = 10'000;
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/", "Range: bytes=0-1, 50000-99999,150000-150000,-3\r\n"));
  EXPECT_EQ(response.status, 206);
  std::string type = response.headers.Get("content-type");
  ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary="));
  std::string boundary = "--" + type.substr(type.find('=') + 1);
  auto part = [&](size_t first, size_t last) {
    return boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes " +
           std::to_string(first) + "-" + std::to_string(last) + "/200000\r\n\r\n" +
           content_.substr(first, last - first + 1) + "\r\n";
  };
  EXPECT_TRUE(response.body == part(0, 1) + part(50'000, 99'999) + part(150'000, 150'000) +
                                   part(199'997, 199'999) + boundary + "--\r\n");
  EXPECT_EQ(client.Ask(Get("/", "Range: bytes=0-0\r\n")).body, "0");
  EXPECT_TRUE(Eventually([&] { return sources_ == 0; }));
}

TEST_F(SeekableTest, AnswersConditionsWithoutReading) {
  ServeContent("0123456789");
  RawClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/", "If-None-Match: \"v1\"\r\n")).status, 304);
  RawResponse failed = client.Ask(Get("/", "If-Match: \"v2\"\r\n"));
  EXPECT_EQ(failed.status, 412);
  EXPECT_EQ(failed.headers.Get("content-type"), "application/json");
  EXPECT_EQ(opened_, 0);
  EXPECT_EQ(client.Ask(Get("/", "If-None-Match: \"v2\"\r\n")).body, "0123456789");
}

TEST_F(SeekableTest, AnEmptyBodyOpensNothing) {
  ServeContent("");
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/", "Range: bytes=0-0\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-length"), "0");
  EXPECT_EQ(opened_, 0);
}

TEST_F(SeekableTest, PipelinedRequestsAreAnsweredInOrder) {
  piece_ = 50'000;
  ServeContent(Numbers(300'000));
  RawClient client = Connect();
  client.Send(Get("/") + Get("/", "Range: bytes=1-2\r\n") + Get("/"));
  EXPECT_TRUE(client.Read().body == content_);
  EXPECT_EQ(client.Read().body, content_.substr(1, 2));
  EXPECT_TRUE(client.Read().body == content_);
}

TEST_F(SeekableTest, WhatCannotBeReadAtAllIs500) {
  ServeContent(Numbers(100'000));
  RawClient client = Connect();
  for (const char* path : {"/throw", "/end"}) {
    RawResponse response = client.Ask(Get(path));
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.headers.Get("content-type"), "application/json");
  }
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
}

TEST_F(SeekableTest, ASourceThatBreaksItsPromiseEndsTheConnection) {
  piece_ = 20'000;
  fail_at_ = 60'000;
  ServeContent(Numbers(100'000));
  for (const char* path : {"/throw", "/end", "/more"}) {
    RawResponse response = Connect().Ask(Get(path));
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.complete) << path;
    EXPECT_TRUE(content_.starts_with(response.body)) << path;
  }
  EXPECT_EQ(Connect().Ask(Get("/")).body.size(), content_.size());
  EXPECT_TRUE(Eventually([&] { return sources_ == 0; }));
}

TEST_F(SeekableTest, ReadersWhoPauseOrLeaveHarmNobody) {
  piece_ = 1 << 18;
  options_.worker_threads = 2;
  ServeContent(Numbers(20'000'000));
  std::vector<RawClient> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(Connect());
    slow.back().Send(Get("/"));
  }
  EXPECT_TRUE(Connect().Ask(Get("/")).body == content_);
  EXPECT_TRUE(slow[0].Read().body == content_);
  slow.clear();
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_TRUE(Eventually([&] { return sources_ == 0; }));
  EXPECT_EQ(Connect().Ask(Get("/", "Range: bytes=0-0\r\n")).body, "0");
}

}  // namespace
}  // namespace hearth::net
