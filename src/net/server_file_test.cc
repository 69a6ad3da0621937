// File and string responses: ranges, conditions, large files, slow and leaving readers.
#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

class FileTest : public ServerTest {
 protected:
  // Serves content_ as a file (with 3 foreign bytes before and after it) or, under /string, from
  // memory.
  void ServeContent(std::string content) {
    content_ = std::move(content);
    std::filesystem::path path = WriteTemp("file", "<<<" + content_ + ">>>");
    Serve([this, path](Request& r) {
      Response response;
      response.headers.Add("ETag", "\"v1\"");
      response.headers.Add("Content-Type", "text/plain");
      response.headers.Add("X-Repo-Commit", "abc");
      if (r.raw_path == "/string") {
        response.body = content_;
        response.allow_ranges = true;
      } else if (r.raw_path == "/plain") {
        response.body = content_;
      } else {
        if (r.raw_path == "/created") response.status = 201;
        FileBody file;
        file.file = std::make_shared<UniqueFd>(OpenForRead(path));
        file.offset = 3;
        file.size_bytes = content_.size();
        response.body = file;
      }
      return response;
    });
  }
  std::string content_;
};

TEST_F(FileTest, SendsWholeFiles) {
  ServeContent(std::string(5'000'000, 'x') + "end");
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/file"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, content_);
  EXPECT_EQ(response.headers.Get("accept-ranges"), "bytes");
  EXPECT_EQ(response.headers.Get("content-length"), std::to_string(content_.size()));
  RawResponse head = client.Ask("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD");
  EXPECT_EQ(head.headers.Get("content-length"), std::to_string(content_.size()));
  EXPECT_EQ(client.Ask(Get("/file")).body, content_);
}

TEST_F(FileTest, SendsOneRange) {
  ServeContent("0123456789");
  RawClient client = Connect();
  for (const char* path : {"/file", "/string"}) {
    RawResponse part = client.Ask(Get(path, "Range: bytes=2-4\r\n"));
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "234");
    EXPECT_EQ(part.headers.Get("content-range"), "bytes 2-4/10");
    EXPECT_EQ(part.headers.Get("etag"), "\"v1\"");
    EXPECT_EQ(client.Ask(Get(path, "Range: bytes=-4\r\n")).body, "6789");
    EXPECT_EQ(client.Ask(Get(path, "Range: bytes=8-100\r\n")).body, "89");
    RawResponse beyond = client.Ask(Get(path, "Range: bytes=10-\r\n"));
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.headers.Get("content-range"), "bytes */10");
    EXPECT_EQ(beyond.headers.Get("content-type"), "application/json");
    EXPECT_EQ(client.Ask(Get(path, "Range: lines=1-2\r\n")).status, 200);
    EXPECT_EQ(client.Ask(Get(path, "Range: bytes=4-2\r\n")).body, "0123456789");
  }
}

TEST_F(FileTest, SendsSeveralRangesAsMultipart) {
  ServeContent("0123456789");
  RawClient client = Connect();
  for (const char* path : {"/file", "/string"}) {
    RawResponse response = client.Ask(Get(path, "Range: bytes=0-1, 5-6,9-\r\n"));
    EXPECT_EQ(response.status, 206);
    std::string type = response.headers.Get("content-type");
    ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary="));
    std::string boundary = "--" + type.substr(type.find('=') + 1);
    auto part = [&](std::string range, std::string bytes) {
      return boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes " + range +
             "/10\r\n\r\n" + bytes + "\r\n";
    };
    EXPECT_EQ(response.body,
              part("0-1", "01") + part("5-6", "56") + part("9-9", "9") + boundary + "--\r\n");
  }
  // Overlaps become one plain range.
  RawResponse merged = client.Ask(Get("/file", "Range: bytes=3-5,0-4\r\n"));
  EXPECT_EQ(merged.headers.Get("content-range"), "bytes 0-5/10");
  EXPECT_EQ(merged.body, "012345");
}

TEST_F(FileTest, RangesOfAnEmptyFileAre200) {
  ServeContent("");
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/file", "Range: bytes=0-0\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-range"), "bytes */0");
  EXPECT_EQ(response.headers.Get("content-length"), "0");
  EXPECT_EQ(client.Ask(Get("/file")).headers.Find("content-range"), nullptr);
}

TEST_F(FileTest, AnswersConditions) {
  ServeContent("0123456789");
  RawClient client = Connect();
  RawResponse same = client.Ask(Get("/file", "If-None-Match: \"v1\"\r\n"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.headers.Get("etag"), "\"v1\"");
  EXPECT_EQ(same.headers.Get("x-repo-commit"), "abc");
  EXPECT_EQ(same.headers.Find("content-length"), nullptr);
  EXPECT_EQ(client.Ask(Get("/file", "If-None-Match: \"v2\"\r\n")).status, 200);
  EXPECT_EQ(client.Ask(Get("/file", "If-Match: \"v2\"\r\n")).status, 412);
  EXPECT_EQ(client.Ask(Get("/file", "Range: bytes=0-1\r\nIf-Range: \"v1\"\r\n")).status, 206);
  EXPECT_EQ(client.Ask(Get("/file", "Range: bytes=0-1\r\nIf-Range: \"v2\"\r\n")).body,
            "0123456789");
  EXPECT_EQ(client.Ask(Get("/string", "If-None-Match: \"v1\"\r\n")).status, 304);
}

TEST_F(FileTest, LeavesOtherResponsesAlone) {
  ServeContent("0123456789");
  RawClient client = Connect();
  RawResponse plain = client.Ask(Get("/plain", "Range: bytes=0-1\r\nIf-None-Match: \"v1\"\r\n"));
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "0123456789");
  RawResponse created = client.Ask(Get("/created", "Range: bytes=0-1\r\n"));
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.body, "0123456789");
  EXPECT_EQ(client.Ask("HEAD /file HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n", "HEAD").status,
            200);
}

TEST_F(FileTest, ReadersWhoPauseOrLeaveHarmNobody) {
  ServeContent(std::string(20'000'000, 'y'));
  std::vector<RawClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(Connect());
    slow.back().Send(Get("/file"));
  }
  EXPECT_EQ(Connect().Ask(Get("/file")).body.size(), content_.size());
  EXPECT_EQ(slow[0].Read().body, content_);
  slow.clear();
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_EQ(Connect().Ask(Get("/file", "Range: bytes=0-0\r\n")).body, "y");
}

TEST_F(FileTest, AFileThatShrankEndsTheConnection) {
  std::filesystem::path path = WriteTemp("short", "abc");
  Serve([path](Request&) {
    Response response;
    response.body = FileBody{std::make_shared<UniqueFd>(OpenForRead(path)), 0, 10};
    return response;
  });
  RawResponse response = Connect().Ask(Get("/"));
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(response.body, "abc");
}

}  // namespace
}  // namespace hearth::net
