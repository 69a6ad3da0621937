// Hostile and slow clients, limits, saturation and shutdown.
#include <sys/resource.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/server_fixture.h"

namespace hearth::net {
namespace {

using std::chrono::milliseconds;

// Lets a test hold handlers until it says go.
class Gate {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitWaiting(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

class LimitsTest : public ServerTest {
 protected:
  void ServeText() {
    ServePlans([](Request&) {
      Plan plan;
      plan.body.max_bytes = 100 << 20;
      plan.handle = [](Request&) { return Response::Text(200, "ok"); };
      return plan;
    });
  }
};

TEST_F(LimitsTest, MalformedHeadsAreAnsweredAndClosed) {
  ServeText();
  const std::pair<const char*, int> cases[] = {
      {"garbage\r\n\r\n", 400},
      {"GET / HTTP/1.1\n\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
  };
  for (const auto& [request, status] : cases) {
    RawClient client = Connect();
    // What follows must not be taken for a second request.
    RawResponse response = client.Ask(std::string(request) + Get("/smuggled"));
    EXPECT_EQ(response.status, status) << request;
    EXPECT_EQ(response.headers.Get("connection"), "close");
    EXPECT_EQ(response.headers.Get("content-type"), "application/json");
    EXPECT_FALSE(response.headers.Get("x-error-message").empty());
    EXPECT_TRUE(client.ClosedByPeer()) << request;
  }
  EXPECT_EQ(Connect().Ask("\r\n" + Get("/")).status, 200);  // one empty line is harmless
}

TEST_F(LimitsTest, LargeHeadsAreRefused) {
  options_.max_header_bytes = 2000;
  options_.max_headers = 10;
  options_.max_target_bytes = 500;
  ServeText();
  EXPECT_EQ(Connect().Ask(Get("/" + std::string(600, 'a'))).status, 414);
  EXPECT_EQ(Connect().Ask(Get("/", "A: " + std::string(3000, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 10; ++i) many += "A: b\r\n";
  EXPECT_EQ(Connect().Ask(Get("/", many)).status, 431);
  RawClient endless = Connect();
  while (endless.Send(std::string(1000, 'x'))) {
    if (server_->stats().requests_total >= 4) break;
  }
  EXPECT_EQ(endless.Read().status, 414);
}

TEST_F(LimitsTest, SlowHeadsAre408) {
  options_.header_timeout = milliseconds(100);
  ServeText();
  RawClient client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost:");
  RawResponse response = client.Read();
  EXPECT_EQ(response.status, 408);
  EXPECT_TRUE(client.ClosedByPeer());
}

TEST_F(LimitsTest, IdleConnectionsAreClosed) {
  options_.idle_timeout = milliseconds(100);
  ServeText();
  RawClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
  EXPECT_TRUE(client.ClosedByPeer());
  EXPECT_TRUE(Connect().ClosedByPeer());
}

TEST_F(LimitsTest, SlowBodiesAre408) {
  options_.progress_timeout = milliseconds(150);
  options_.min_rate_bytes = 100000;
  for (const char* framing : {"Content-Length: 50000000", "Transfer-Encoding: chunked"}) {
    ServeText();
    RawClient client = Connect();
    client.Send("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(framing) + "\r\n\r\n5\r\nhello\r\n");
    EXPECT_EQ(client.Read().status, 408) << framing;
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

TEST_F(LimitsTest, ReadersWhoNeverReadAreCut) {
  options_.progress_timeout = milliseconds(100);
  Serve([](Request&) { return Response::Text(200, std::string(50'000'000, 'x')); });
  RawClient client = Connect();
  client.ShrinkReceiveBuffer();
  client.Send(Get("/"));
  EXPECT_TRUE(Eventually([&] { return server_->stats().requests_active == 1; }));
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
}

TEST_F(LimitsTest, ASlowHandlerIsNotASlowClient) {
  options_.progress_timeout = milliseconds(20);
  options_.idle_timeout = milliseconds(20);
  options_.header_timeout = milliseconds(20);
  Gate gate;
  Serve([&](Request&) { return gate.Pass(), Response::Text(200, "late"); });
  RawClient client = Connect();
  client.Send(Get("/"));
  gate.AwaitWaiting(1);
  RawClient other = Connect();
  EXPECT_TRUE(other.ClosedByPeer());  // a whole idle timeout has passed
  gate.Open();
  EXPECT_EQ(client.Read().body, "late");
}

TEST_F(LimitsTest, ASaturatedPoolAnswers503) {
  options_.worker_threads = 2;
  options_.max_queued_requests = 3;
  Gate gate;
  Serve([&](Request&) { return gate.Pass(), Response::Text(200, "ok"); });
  std::vector<RawClient> clients;
  for (int i = 0; i < 2; ++i) clients.push_back(Connect());
  for (RawClient& client : clients) client.Send(Get("/"));
  gate.AwaitWaiting(2);
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect());
    clients.back().Send(Get("/"));
  }
  EXPECT_TRUE(Eventually([&] { return server_->stats().requests_active == 5; }));
  RawClient extra = Connect();
  RawResponse refused = extra.Ask(Get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("retry-after"), "1");
  gate.Open();
  for (RawClient& client : clients) EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(extra.Ask(Get("/")).status, 200);
}

TEST_F(LimitsTest, TooManyConnectionsAreTurnedAway) {
  options_.max_connections = 3;
  ServeText();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect());
    EXPECT_EQ(clients.back().Ask(Get("/")).status, 200);
  }
  RawClient extra = Connect();
  RawResponse refused = extra.Read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.complete);
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 2; }));
  EXPECT_EQ(Connect().Ask(Get("/")).status, 200);
}

TEST_F(LimitsTest, SurvivesRunningOutOfDescriptors) {
  ServeText();
  RawClient first = Connect();
  EXPECT_EQ(first.Ask(Get("/")).status, 200);
  std::vector<RawClient> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(Connect());
  for (RawClient& client : pending) EXPECT_EQ(client.Ask(Get("/")).status, 200);
  rlimit old_limit{};
  getrlimit(RLIMIT_NOFILE, &old_limit);
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit tight = old_limit;
  tight.rlim_cur = static_cast<rlim_t>(probe.get()) + 2;  // room for the client's end only
  setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<RawClient> starved;
  for (int i = 0; i < 1; ++i) starved.push_back(Connect());
  EXPECT_TRUE(starved[0].ClosedByPeer());
  EXPECT_EQ(first.Ask(Get("/")).status, 200);
  setrlimit(RLIMIT_NOFILE, &old_limit);
  EXPECT_EQ(Connect().Ask(Get("/")).status, 200);
}

TEST_F(LimitsTest, StopLetsARunningRequestFinish) {
  Gate gate;
  Serve([&](Request& r) {
    if (r.raw_path == "/slow") gate.Pass();
    return Response::Text(200, "done");
  });
  RawClient idle = Connect();
  EXPECT_EQ(idle.Ask(Get("/")).status, 200);
  RawClient busy = Connect();
  busy.Send(Get("/slow"));
  gate.AwaitWaiting(1);
  std::thread stopper([&] { server_->Stop(std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.ClosedByPeer());
  gate.Open();
  RawResponse response = busy.Read();
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.headers.Get("connection"), "close");
  busy.Close();
  stopper.join();
  EXPECT_THROW(Connect(), std::exception);
}

TEST_F(LimitsTest, StopCutsWhatDoesNotEnd) {
  Serve([](Request&) { return Response::Text(200, std::string(50'000'000, 'x')); });
  RawClient client = Connect();
  client.ShrinkReceiveBuffer();
  client.Send(Get("/"));
  EXPECT_TRUE(Eventually([&] { return server_->stats().bytes_out > 0; }));
  server_->Stop(milliseconds(50));
  EXPECT_EQ(server_->stats().connections_open, 0u);
  EXPECT_EQ(server_->stats().requests_active, 0u);
  server_->Stop(milliseconds(50));
}

TEST_F(LimitsTest, AClientThatLeavesDuringTheHandlerHarmsNobody) {
  Gate gate;
  Serve([&](Request& r) {
    if (r.raw_path == "/slow") gate.Pass();
    return Response::Text(200, std::string(1'000'000, 'x'));
  });
  {
    RawClient client = Connect();
    client.Send(Get("/slow"));
    gate.AwaitWaiting(1);
  }
  gate.Open();
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_EQ(Connect().Ask(Get("/")).status, 200);
}

TEST_F(LimitsTest, InlineHandlersServeTheSame) {
  ServePlans([](Request&) {
    Plan plan;
    plan.inline_handler = true;
    plan.admit = [](Request& r) -> std::optional<Response> {
      if (r.raw_path == "/no") return Response::Empty(403);
      return std::nullopt;
    };
    plan.handle = [](Request& r) { return Response::Text(200, r.body.ReadAll()); };
    return plan;
  });
  RawClient client = Connect();
  std::string burst;
  for (int i = 0; i < 2000; ++i) burst += Post("/", "x");
  client.Send(burst);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.Read().body, "x");
  EXPECT_EQ(client.Ask(Get("/no")).status, 403);
}

TEST_F(LimitsTest, AnAnswerInThePlanNeedsNoHandler) {
  ServePlans([](Request& r) {
    Plan plan;
    plan.answer = Response::Text(200, r.raw_path);
    return plan;
  });
  RawClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/a")).body, "/a");
  // A body that nobody wants is read all the same: what follows it is the next request.
  client.Send(Post("/b", "body") + Get("/c"));
  EXPECT_EQ(client.Read().body, "/b");
  EXPECT_EQ(client.Read().body, "/c");
}

TEST_F(LimitsTest, RenderedLinesJoinTheHeadOfAHeadAnswer) {
  Response full;
  full.allow_ranges = true;
  full.headers.Add("Content-Length", "12");
  full.headers.Add("ETag", "\"x\"\r\nEvil: 1");
  full.headers.Add("Connection", "close");
  auto lines = std::make_shared<const std::string>(RenderForHead(full));
  Serve([lines](Request&) {
    Response response;
    response.headers.Add("Link", "<a>");
    response.rendered = lines;
    return response;
  });
  RawClient client = Connect();
  for (int i = 0; i < 2; ++i) {
    RawResponse answer = client.Ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.Get("Content-Length"), "12");
    EXPECT_EQ(answer.headers.Get("Accept-Ranges"), "bytes");
    EXPECT_EQ(answer.headers.Get("Link"), "<a>");
    EXPECT_NE(answer.headers.Find("X-Request-Id"), nullptr);
    EXPECT_NE(answer.headers.Find("Date"), nullptr);
    EXPECT_EQ(answer.headers.Find("Evil"), nullptr);
    EXPECT_EQ(answer.headers.Find("Connection"), nullptr);
  }
  RawResponse old = client.Ask("HEAD / HTTP/1.0\r\n\r\n", "HEAD");
  EXPECT_EQ(old.headers.Get("Content-Length"), "12");
  EXPECT_TRUE(client.ClosedByPeer());
}

// The end of input may come together with the request and make no further edge.
TEST_F(LimitsTest, AClientThatHasEndedSendingIsAnsweredAndLeft) {
  Gate gate;
  Serve([&](Request& r) {
    if (r.raw_path == "/slow") gate.Pass();
    return Response::Text(200, std::string(r.raw_path == "/large" ? 24 << 20 : 1, 'x'));
  });
  for (const char* path : {"/", "/large"}) {
    RawClient client = Connect();
    client.Send(Get(path));
    client.EndSending();
    EXPECT_TRUE(client.Read().complete) << path;
    EXPECT_TRUE(client.ClosedByPeer()) << path;
  }
  RawClient client = Connect();
  client.Send(Get("/slow"));
  gate.AwaitWaiting(1);
  client.EndSending();
  gate.Open();
  EXPECT_TRUE(client.Read().complete);
  EXPECT_TRUE(client.ClosedByPeer());
  EXPECT_TRUE(Eventually([&] { return server_->stats().connections_open == 0; }));
}

// Requests that fill the server's read buffer to the byte look like there is more to read.
TEST_F(LimitsTest, RequestsOfEverySizeAroundTheReadBufferAreAnswered) {
  Serve([](Request& r) { return Response::Text(200, std::to_string(r.headers.Get("a").size())); });
  RawClient client = Connect();
  const size_t fixed = Get("/", "a: \r\n").size();
  for (size_t total = (16 << 10) - 2; total <= (16 << 10) + 2; ++total) {
    std::string value(total - fixed, 'x');
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(client.Ask(Get("/", "a: " + value + "\r\n")).body, std::to_string(value.size()));
    }
  }
}

}  // namespace
}  // namespace hearth::net
