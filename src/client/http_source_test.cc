// Against a server in this process that says what each test tells it to say.
#include "client/http_source.h"

#include "base/error.h"
#include "client/test_server.h"

namespace hearth::client {
namespace {

std::string Abc(const std::string&) {
  return Answer("206 Partial Content", "Content-Range: bytes 0-2/3\r\n", "abc");
}

Code CodeOf(const std::string& address, const HttpSourceOptions& options = {}) {
  try {
    HttpSource source(address, options);
    char byte;
    source.ReadAt(source.size_bytes() - 1, &byte, 1);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kInternal;
}

TEST(HttpSource, TheTokenGoesToItsOriginAndNotAlongWithARedirect) {
  Server store(Abc);
  Server hub([&](const std::string&) {
    return Answer("302 Found", "Location: " + store.origin() + "/blob\r\n", "");
  });
  HttpSource source(hub.origin() + "/file",
                    {.token = "hf_secret", .token_origin = hub.origin() + "/some/path"});
  EXPECT_EQ(source.Read(0, 3), "abc");
  ASSERT_EQ(hub.requests().size(), 1u);
  EXPECT_NE(hub.requests()[0].find("Authorization: Bearer hf_secret"), std::string::npos);
  ASSERT_EQ(store.requests().size(), 1u);
  EXPECT_EQ(store.requests()[0].find("hf_secret"), std::string::npos);
}

TEST(HttpSource, NoNameThatOnlyLooksLikeTheOriginGetsTheToken) {
  Server store(Abc);
  std::string host = store.origin().substr(std::string("http://").size());
  HttpSourceOptions options{.token = "hf_secret", .token_origin = "http://hub.example"};
  for (const std::string& address : {"http://hub.example@" + host + "/x",
                                     "http://hub.example:80@" + host + "/http://hub.example"}) {
    HttpSource source(address, options);
    EXPECT_EQ(source.size_bytes(), 3u);
  }
  for (const std::string& request : store.requests()) {
    EXPECT_EQ(request.find("hf_secret"), std::string::npos) << request;
  }
}

TEST(HttpSource, RedirectsStayWithHttpAndEnd) {
  for (const char* place : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"}) {
    Server server([&](const std::string&) {
      return Answer("302 Found", std::string("Location: ") + place + "\r\n", "");
    });
    EXPECT_EQ(CodeOf(server.origin() + "/x"), Code::kUnavailable) << place;
  }
  Server loop([](const std::string&) { return Answer("302 Found", "Location: /again\r\n", ""); });
  EXPECT_EQ(CodeOf(loop.origin() + "/x"), Code::kUnavailable);
  EXPECT_EQ(loop.requests().size(), 6u);
}

TEST(HttpSource, AnswersThatLieAreRefused) {
  struct Case {
    const char* status;
    const char* headers;
    Code code;
  };
  for (const Case& each : {
           Case{"206 Partial Content", "Content-Range: bytes 50-52/100\r\n", Code::kUnavailable},
           Case{"206 Partial Content", "Content-Range: bytes 0-2/*\r\n", Code::kUnavailable},
           Case{"206 Partial Content", "", Code::kUnavailable},
           Case{"206 Partial Content", "Content-Range: bytes 0-2/9223372036854775808\r\n",
                Code::kUnavailable},
           Case{"206 Partial Content", "Content-Range: bytes 0-2/18446744073709551615\r\n",
                Code::kUnavailable},
           Case{"404 Not Found", "", Code::kNotFound},
           Case{"403 Forbidden", "", Code::kForbidden},
           Case{"500 Internal Server Error", "", Code::kUnavailable},
       }) {
    Server server([&](const std::string&) { return Answer(each.status, each.headers, "abc"); });
    EXPECT_EQ(CodeOf(server.origin() + "/x"), each.code) << each.status << " " << each.headers;
  }
}

TEST(HttpSource, AServerWithoutRangesIsReadOnlyWhenTheFileIsSmall) {
  Server server([](const std::string&) { return Answer("200 OK", "", std::string(5000, 'x')); });
  HttpSource small(server.origin() + "/x", {});
  EXPECT_EQ(small.Read(4999, 1), "x");
  EXPECT_EQ(CodeOf(server.origin() + "/x", {.block_bytes = 100, .max_whole_bytes = 1000}),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace hearth::client
