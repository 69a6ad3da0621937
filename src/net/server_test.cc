#include "net/server.h"

#include "base/bytes.h"
#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Serve([](Request& r) {
    return Response::Text(200, r.method + " " + r.raw_path + "?" + r.raw_query);
  });
  RawClient client = Connect();
  RawResponse first = client.Ask(Get("/a%2Fb?x=1"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "GET /a%2Fb?x=1");
  EXPECT_EQ(first.headers.Get("content-length"), "14");
  EXPECT_EQ(first.headers.Get("server"), "hearth");
  EXPECT_NE(first.headers.Get("date").find("GMT"), std::string::npos);
  EXPECT_EQ(first.headers.Find("connection"), nullptr);
  RawResponse second = client.Ask(Post("/p", "12345"));
  EXPECT_EQ(second.body, "POST /p?");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Serve([](Request& r) { return Response::Text(200, r.raw_path + r.body.ReadAll()); });
  RawClient client = Connect();
  std::string burst;
  for (int i = 0; i < 300; ++i) {
    std::string path = "/" + std::to_string(i);
    burst += i % 2 ? Get(path) : Post(path, "body");
  }
  client.Send(burst);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(client.Read().body, "/" + std::to_string(i) + (i % 2 ? "" : "body"));
  }
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  Serve([](Request&) { return Response::Text(200, "x"); });
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/", "Connection: close\r\n"));
  EXPECT_EQ(response.headers.Get("connection"), "close");
  EXPECT_TRUE(client.ClosedByPeer());
}

TEST_F(ServerTest, SpeaksHttp10) {
  Serve([](Request& r) {
    if (r.raw_path == "/stream") {
      Response response;
      auto left = std::make_shared<int>(2);
      response.body = StreamBody{[left](std::string* chunk) {
                                   *chunk += "part";
                                   return --*left > 0;
                                 },
                                 std::nullopt};
      return response;
    }
    return Response::Text(200, "x");
  });
  RawClient client = Connect();
  RawResponse kept = client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.headers.Get("connection"), "keep-alive");
  RawResponse streamed = client.Ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(streamed.headers.Find("transfer-encoding"), nullptr);
  EXPECT_EQ(streamed.headers.Get("connection"), "close");
  EXPECT_EQ(streamed.body, "partpart");
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  bool pulled = false;
  Serve([&](Request& r) {
    if (r.raw_path == "/stream") {
      Response response;
      response.body = StreamBody{[&](std::string*) { return pulled = true, false; }, 77};
      return response;
    }
    if (r.raw_path == "/own") {
      Response response;
      response.headers.Add("Content-Length", "12345");
      return response;
    }
    return Response::Text(200, "hello");
  });
  RawClient client = Connect();
  auto head = [&](std::string path) {
    return client.Ask("HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD");
  };
  EXPECT_EQ(head("/").headers.Get("content-length"), "5");
  EXPECT_EQ(head("/stream").headers.Get("content-length"), "77");
  EXPECT_EQ(head("/own").headers.Get("content-length"), "12345");
  EXPECT_EQ(client.Ask(Get("/")).body, "hello");  // nothing of a body was left behind
  EXPECT_FALSE(pulled);
}

TEST_F(ServerTest, EchoesASafeRequestIdAndReplacesOthers) {
  Serve([](Request& r) { return Response::Text(200, r.request_id); });
  RawClient client = Connect();
  RawResponse safe = client.Ask(Get("/", "X-Request-Id: Root=1-67:a_b.c\r\n"));
  EXPECT_EQ(safe.body, "Root=1-67:a_b.c");
  EXPECT_EQ(safe.headers.Get("x-request-id"), "Root=1-67:a_b.c");
  RawResponse amazon = client.Ask(Get("/", "X-Amzn-Trace-Id: trace\r\n"));
  EXPECT_EQ(amazon.body, "trace");
  RawResponse unsafe = client.Ask(Get("/", "X-Request-Id: a b\r\n"));
  EXPECT_EQ(unsafe.body.size(), 24u);
  EXPECT_NE(unsafe.body, client.Ask(Get("/")).body);
}

TEST_F(ServerTest, HandlerFaultsBecomeAnswers) {
  Serve([](Request& r) -> Response {
    if (r.raw_path == "/error") throw Error(Code::kNotFound, "no such thing");
    throw std::runtime_error("secret detail");
  });
  RawClient client = Connect();
  RawResponse known = client.Ask(Get("/error"));
  EXPECT_EQ(known.status, 404);
  EXPECT_EQ(known.headers.Get("x-error-message"), "no such thing");
  EXPECT_EQ(known.body, "{\"error\":\"no such thing\"}");
  RawResponse unknown = client.Ask(Get("/other"));
  EXPECT_EQ(unknown.status, 500);
  EXPECT_EQ(unknown.body.find("secret"), std::string::npos);
}

TEST_F(ServerTest, HeaderValuesCannotSplitTheResponse) {
  Serve([](Request&) {
    Response response = Response::Text(200, "x");
    response.headers.Add("X-Name", "a\r\nSet-Cookie: evil=1");
    return response;
  });
  RawResponse response = Connect().Ask(Get("/"));
  EXPECT_EQ(response.headers.Find("set-cookie"), nullptr);
  EXPECT_EQ(response.headers.Get("x-name"), "a  Set-Cookie: evil=1");
}

TEST_F(ServerTest, StreamsAPulledBodyInChunks) {
  Serve([](Request&) {
    Response response;
    auto count = std::make_shared<int>(0);
    response.body = StreamBody{[count](std::string* chunk) {
                                 if (*count == 200) return false;
                                 if (*count % 3 != 0)
                                   chunk->append(10000, static_cast<char>('a' + *count % 26));
                                 ++*count;
                                 return true;
                               },
                               std::nullopt};
    return response;
  });
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/"));
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.headers.Get("transfer-encoding"), "chunked");
  EXPECT_EQ(response.body.size(), 133u * 10000);
  EXPECT_EQ(response.body[0], 'b');
  EXPECT_TRUE(client.Ask(Get("/")).complete);
}

TEST_F(ServerTest, AStreamThatHasNothingYetIsAskedAgainAfterItsPause) {
  Serve([](Request&) {
    Response response;
    auto calls = std::make_shared<int>(0);
    response.body = StreamBody{.next =
                                   [calls](std::string* chunk) {
                                     if (++*calls == 4) *chunk = "ready";
                                     return *calls < 4;
                                   },
                               .length = std::nullopt,
                               .pause = std::chrono::milliseconds(1)};
    return response;
  });
  RawClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).body, "ready");
  EXPECT_EQ(client.Ask(Get("/")).body, "ready");
}

TEST_F(ServerTest, APausedStreamHoldsNoWorkerAndEndsWhenItsReaderLeaves) {
  options_.worker_threads = 1;
  auto alive = std::make_shared<int>(0);
  std::weak_ptr<int> watch = alive;
  Serve([&alive](Request& r) {
    if (r.raw_path == "/other") return Response::Text(200, "served");
    Response response;
    response.body = StreamBody{.next = [kept = std::exchange(alive, nullptr)](std::string*) {
                                 return kept != nullptr;
                               },
                               .length = std::nullopt,
                               .pause = std::chrono::hours(1)};
    return response;
  });
  RawClient waiting = Connect();
  ASSERT_TRUE(waiting.Send(Get("/stream")));
  ASSERT_TRUE(Eventually([&] { return server_->stats().requests_active == 1; }));
  EXPECT_EQ(Connect().Ask(Get("/other")).body, "served");
  waiting.Close();
  EXPECT_TRUE(Eventually([&] { return watch.expired(); }));
}

TEST_F(ServerTest, AStreamThatFailsOrLiesAboutItsLengthClosesTheConnection) {
  Serve([](Request& r) {
    Response response;
    if (r.raw_path == "/throw") {
      response.body = StreamBody{[](std::string*) -> bool { throw std::runtime_error("x"); }, {}};
    } else {
      uint64_t length = r.raw_path == "/short" ? 10 : 2;
      response.body =
          StreamBody{[](std::string* chunk) { return *chunk = "12345", false; }, length};
    }
    return response;
  });
  for (const char* path : {"/throw", "/short", "/long"}) {
    RawResponse response = Connect().Ask(Get(path));
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_FALSE(response.complete) << path;
  }
}

TEST_F(ServerTest, CountsAndReportsRequests) {
  plan_ = [](Request&) {
    Plan plan;
    plan.handle = [](Request&) {
      Response response = Response::Text(201, "x");
      response.route = "/{x}";
      return response;
    };
    return plan;
  };
  server_ = std::make_unique<Server>(options_, *this);
  std::atomic<int> done{0};
  server_->on_request_done = [&](const std::string& method, const std::string& route, int status,
                                 std::chrono::microseconds) {
    if (method == "GET" && route == "/{x}" && status == 201) ++done;
  };
  port_ = server_->Listen(listen_);
  server_->Start();
  RawClient client = Connect();
  client.Ask(Get("/"));
  client.Ask(Get("/"));
  EXPECT_TRUE(Eventually([&] { return done == 2; }));
  ServerStats stats = server_->stats();
  EXPECT_EQ(stats.requests_total, 2u);
  EXPECT_EQ(stats.connections_open, 1u);
  EXPECT_GT(stats.bytes_out, 100u);
  EXPECT_GT(stats.bytes_in, 50u);
  client.Close();
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_EQ(server_->stats().requests_active, 0u);
}

}  // namespace
}  // namespace hearth::net
