#include "net/http.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::net {
namespace {

TEST(Http, HeadersIgnoreCaseAndKeepOrder) {
  Headers headers;
  headers.Add("Set-Cookie", "a");
  headers.Add("X", "1");
  headers.Add("set-cookie", "b");
  EXPECT_EQ(headers.Get("SET-COOKIE"), "a");
  EXPECT_EQ(headers.fields().size(), 3u);
  headers.Set("SET-COOKIE", "c");
  EXPECT_EQ(headers.fields().size(), 2u);
  EXPECT_EQ(headers.Get("set-cookie"), "c");
  headers.Erase("x");
  EXPECT_EQ(headers.Find("X"), nullptr);
}

TEST(Http, PercentDecodingTreatsPlusByContext) {
  EXPECT_EQ(PercentDecodePath("a+b%20c%2Fd%c3%A9"), "a+b c/d\xC3\xA9");
  EXPECT_EQ(PercentDecodeQuery("a+b%2Bc"), "a b+c");
}

TEST(Http, PercentDecodingRefusesBadEscapesAndNul) {
  for (const char* bad : {"%", "%2", "%zz", "a%4", "%00", "x%0gz"}) {
    EXPECT_THROW(PercentDecodePath(bad), Error) << bad;
    EXPECT_THROW(PercentDecodeQuery(bad), Error) << bad;
  }
}

TEST(Http, PercentEncodeKeepsUnreservedAndListed) {
  EXPECT_EQ(PercentEncode("a/b c~\xC3\xA9"), "a%2Fb%20c~%C3%A9");
  EXPECT_EQ(PercentEncode("a/b?", "/"), "a/b%3F");
}

TEST(Http, QueryParametersDecodeAndMatchBracketForms) {
  Request request;
  request.raw_query = "tag=a%20b&tag[]=c&expand%5B%5D=d&flag&n=1&&x=%2B+";
  EXPECT_EQ(request.QueryParam("tag"), "a b");
  EXPECT_EQ(request.QueryParams("tag"), (std::vector<std::string>{"a b", "c"}));
  EXPECT_EQ(request.QueryParam("expand"), "d");
  EXPECT_EQ(request.QueryParam("flag"), "");
  EXPECT_EQ(request.QueryParam("x"), "+ ");
  EXPECT_EQ(request.QueryParam("absent"), std::nullopt);
}

TEST(Http, QueryFlagReadsBooleans) {
  Request request;
  request.raw_query = "a=true&b=0&c=maybe&d=True";
  EXPECT_TRUE(request.QueryFlag("a", false));
  EXPECT_FALSE(request.QueryFlag("b", true));
  EXPECT_TRUE(request.QueryFlag("d", false));
  EXPECT_TRUE(request.QueryFlag("absent", true));
  EXPECT_THROW(request.QueryFlag("c", true), Error);
}

TEST(Http, CapturesDecodeOnRequest) {
  Request request;
  request.captures = {{"rev", "refs%2Fpr%2F1"}, {"bad", "%zz"}};
  EXPECT_EQ(request.RawCapture("rev"), "refs%2Fpr%2F1");
  EXPECT_EQ(request.Capture("rev"), "refs/pr/1");
  EXPECT_EQ(request.Capture("absent"), "");
  EXPECT_THROW(request.Capture("bad"), Error);
}

TEST(Http, BodyReadsTheSameFromMemoryAndFile) {
  TempFile file(std::filesystem::temp_directory_path());
  file.Append("0123456789");
  RequestBody spooled(std::move(file), std::nullopt);
  RequestBody memory(std::string("0123456789"));
  for (RequestBody* body : {&spooled, &memory}) {
    EXPECT_EQ(body->size_bytes(), 10u);
    EXPECT_EQ(body->ReadAll(), "0123456789");
    char buffer[8];
    EXPECT_EQ(body->ReadAt(7, buffer, sizeof buffer), 3u);
    EXPECT_EQ(std::string(buffer, 3), "789");
    EXPECT_EQ(body->ReadAt(10, buffer, sizeof buffer), 0u);
  }
  EXPECT_TRUE(spooled.spooled());
  EXPECT_EQ(spooled.memory(), "");
  EXPECT_EQ(memory.memory(), "0123456789");
  std::filesystem::path path;
  {
    TempFile taken = spooled.TakeFile();
    path = taken.path();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_FALSE(spooled.spooled());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THROW(memory.TakeFile(), Error);
}

}  // namespace
}  // namespace hearth::net
