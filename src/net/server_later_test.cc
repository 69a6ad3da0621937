// Responses that come later and streams that say when they go on: no worker waits for either, and
// both end when the client leaves.
#include <atomic>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/wake_up.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

// What a source of events looks like: filled by one thread, pulled by the server.
class Feed {
 public:
  void Push(std::string text) {
    Change([&] { pieces_.push_back(std::move(text)); });
  }
  void End() {
    Change([&] { ended_ = true; });
  }
  StreamBody Body(std::shared_ptr<Feed> self) {
    return {.next = [self](std::string* chunk) { return self->Next(chunk); },
            .length = std::nullopt,
            .pause = {},
            .wait = [self](std::function<void()> ready) { self->Wait(std::move(ready)); }};
  }

 private:
  template <typename Action>
  void Change(Action action) {
    std::function<void()> ready;
    {
      std::lock_guard lock(mutex_);
      action();
      ready = std::exchange(ready_, nullptr);
    }
    if (ready) ready();
  }
  bool Next(std::string* chunk) {
    std::lock_guard lock(mutex_);
    if (pieces_.empty()) return !ended_;
    *chunk += pieces_.front();
    pieces_.pop_front();
    return true;
  }
  void Wait(std::function<void()> ready) {
    bool now;
    {
      std::lock_guard lock(mutex_);
      now = !pieces_.empty() || ended_;
      if (!now) ready_ = ready;
    }
    if (now) ready();
  }
  std::mutex mutex_;
  std::deque<std::string> pieces_;
  bool ended_ = false;
  std::function<void()> ready_;
};

class LaterTest : public ServerTest {
 protected:
  LaterTest() { options_.worker_threads = 1; }
  // Keeps what a request's `start` was given.
  Response Later() {
    Response response;
    response.headers.Set("X-First", "kept");
    response.headers.Set("Content-Type", "text/overruled");
    response.body = LaterBody{[this, alive = alive_](std::function<void(Response)> answer) {
      std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }};
    return response;
  }
  size_t waiting() {
    std::lock_guard lock(mutex_);
    return answers_.size();
  }
  std::mutex mutex_;
  std::vector<std::function<void(Response)>> answers_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

TEST_F(LaterTest, AnswersFromAnyThreadWithoutHoldingAWorker) {
  Serve([this](Request& r) { return r.raw_path == "/now" ? Response::Text(200, "now") : Later(); });
  RawClient first = Connect(), second = Connect();
  ASSERT_TRUE(first.Send(Post("/a", "body")));
  ASSERT_TRUE(second.Send(Get("/b")));
  ASSERT_TRUE(Eventually([&] { return waiting() == 2; }));
  EXPECT_EQ(Connect().Ask(Get("/now")).body, "now");
  std::thread([this] {
    for (auto& answer : answers_) answer(Response::Text(201, "later"));
  }).join();
  for (RawClient* client : {&first, &second}) {
    RawResponse response = client->Read();
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.body, "later");
    EXPECT_EQ(response.headers.Get("X-First"), "kept");
    EXPECT_EQ(response.headers.Get("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(client->Ask(Get("/now")).body, "now") << "the connection lives on";
  }
}

TEST_F(LaterTest, EndsWhenTheClientLeavesAndALateAnswerIsDropped) {
  Serve([this](Request& r) { return r.raw_path == "/now" ? Response::Text(200, "now") : Later(); });
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/a")));
  ASSERT_TRUE(Eventually([&] { return waiting() == 1; }));
  long before = alive_.use_count();
  client.Close();
  EXPECT_TRUE(Eventually([&] { return alive_.use_count() < before; }));
  answers_[0](Response::Text(200, "nobody"));
  EXPECT_EQ(Connect().Ask(Get("/now")).body, "now");
}

TEST_F(LaterTest, AHandlerAtWorkIsToldThatItsClientHasLeft) {
  struct Visit {
    std::atomic<bool> works = false, told = false;
  };
  Visit plain, with_body;
  Serve([&](Request& request) {
    if (request.raw_path == "/now") return Response::Text(200, "now");
    Visit& visit = request.method == "POST" ? with_body : plain;
    std::stop_callback leaving(request.left, [&] { visit.told = true; });
    visit.works = true;
    Eventually([&] { return visit.told.load(); });
    return Response::Text(200, "nobody");
  });
  for (Visit* visit : {&plain, &with_body}) {
    RawClient client = Connect();
    ASSERT_TRUE(client.Send(visit == &plain ? Get("/slow") : Post("/slow", "body")));
    ASSERT_TRUE(Eventually([&] { return visit->works.load(); }));
    EXPECT_FALSE(visit->told) << "it still waits";
    client.Close();
    EXPECT_TRUE(Eventually([&] { return visit->told.load(); }));
  }
  EXPECT_EQ(Connect().Ask(Get("/now")).body, "now") << "the worker is free again";
}

TEST_F(LaterTest, AHandlerThatAnswersAtOnceNeedsNoWorker) {
  std::promise<void> free;
  std::shared_future<void> until = free.get_future().share();
  ServePlans([&](Request&) {
    Plan plan;
    plan.handle_at_once = [&](Request& r) -> std::optional<Response> {
      std::string body = r.body.ReadAll();
      if (body == "later") return Later();
      if (body == "fault") throw Error(Code::kInvalidArgument, "no");
      if (body == "pool") return std::nullopt;
      return Response::Text(200, body);
    };
    plan.handle = [until](Request&) {
      until.wait();
      return Response::Text(200, "from the pool");
    };
    return plan;
  });
  RawClient pool = Connect(), later = Connect(), other = Connect();
  ASSERT_TRUE(pool.Send(Post("/", "pool")));
  EXPECT_EQ(other.Ask(Post("/", "short")).body, "short");
  EXPECT_EQ(other.Ask(Post("/", "fault")).status, 400);
  ASSERT_TRUE(later.Send(Post("/", "later")));
  ASSERT_TRUE(Eventually([&] { return waiting() == 1; }));
  answers_[0](Response::Text(201, "later"));
  EXPECT_EQ(later.Read().status, 201);
  EXPECT_EQ(later.Ask(Post("/", "short")).body, "short");
  free.set_value();
  EXPECT_EQ(pool.Read().body, "from the pool");
}

TEST_F(LaterTest, AnswersThatAreHeldBackGoOutTogether) {
  Serve([this](Request&) { return Later(); });
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Send(Get("/")));
  }
  ASSERT_TRUE(Eventually([&] { return waiting() == 8; }));
  std::thread([this] {
    HeldWakeUps held;
    for (auto& answer : answers_) answer(Response::Text(200, "held"));
  }).join();
  for (RawClient& client : clients) EXPECT_EQ(client.Read().body, "held");
}

TEST_F(LaterTest, AFailingStartIs500) {
  Serve([](Request&) {
    Response response;
    response.body = LaterBody{[](std::function<void(Response)>) { throw std::runtime_error("x"); }};
    return response;
  });
  EXPECT_EQ(Connect().Ask(Get("/")).status, 500);
}

TEST_F(LaterTest, TheServerEndsWithAnswersOpen) {
  Serve([this](Request&) { return Later(); });
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/a")));
  ASSERT_TRUE(Eventually([&] { return waiting() == 1; }));
  server_->Stop(std::chrono::milliseconds(1));
  answers_[0](Response::Text(200, "nobody"));
  server_.reset();
  answers_[0](Response::Text(200, "nobody"));
}

TEST_F(LaterTest, AStreamGoesOnWhenItSaysSo) {
  auto feed = std::make_shared<Feed>();
  Serve([this, feed](Request& r) {
    if (r.raw_path == "/now") return Response::Text(200, "now");
    Response response;
    response.body = LaterBody{[feed](std::function<void(Response)> answer) {
      Response streamed;
      streamed.body = feed->Body(feed);
      answer(std::move(streamed));
    }};
    return response;
  });
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/a")));
  std::thread writer([feed] {
    for (int i = 0; i < 1000; ++i) feed->Push(std::to_string(i) + " ");
  });
  EXPECT_EQ(Connect().Ask(Get("/now")).body, "now") << "no worker is held";
  writer.join();
  feed->End();
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + " ";
  EXPECT_EQ(client.Read().body, expected);
  EXPECT_EQ(client.Ask(Get("/now")).body, "now");
}

TEST_F(LaterTest, ASleepingStreamEndsWhenItsReaderLeaves) {
  auto feed = std::make_shared<Feed>();
  std::weak_ptr<Feed> watch = feed;
  Serve([&feed](Request&) {
    Response response;
    std::shared_ptr<Feed> taken = std::exchange(feed, nullptr);
    response.body = taken->Body(taken);
    taken->Push("first");
    return response;
  });
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/a")));
  ASSERT_TRUE(Eventually([&] { return server_->stats().bytes_out > 0; }));
  client.Close();
  EXPECT_TRUE(Eventually([&] { return watch.expired(); }));
}

}  // namespace
}  // namespace hearth::net
