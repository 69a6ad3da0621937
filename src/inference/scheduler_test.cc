// The states of models and the way of a request, with a worker that is a short script: what it
// answers, how often it crashes and how it fails are files in the model's repository.
#include "inference/scheduler.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "hub/hub_fixture.h"

namespace hearth::inference {
namespace {

namespace fs = std::filesystem;

// Reads what it is to do from tokenizer.json of its model: "refuse" to load, "crash" on requests,
// "stream" and crash, "once" to crash on the first request only, "echo" what it was asked, else its
// model's text.
constexpr char kWorker[] = R"(#!/usr/bin/env python3
import fcntl, os, socket, struct, sys, termios, threading
folder = sys.argv[2]
listen = sys.argv[sys.argv.index("--listen") + 1].removeprefix("unix:")
marker = folder + ".crashed"
does = open(os.path.join(folder, "tokenizer.json")).read()
if does == "refuse":
    sys.exit("error: this model is not for me")
server = socket.socket(socket.AF_UNIX)
server.bind(listen)
server.listen(64)
def read(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return None
        request += piece
    head, body = request.split(b"\r\n\r\n", 1)
    size = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
def unread(connection):
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"    "))[0]
def serve(connection):
    while (request := read(connection)) is not None:
        if does == "crash":
            os.kill(os.getpid(), 9)
        if does == "once" and not os.path.exists(marker):
            open(marker, "w").close()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf an ans")
            while unread(connection):
                pass
            os.kill(os.getpid(), 9)
        if does == "stream":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
            while unread(connection):
                pass
            os.kill(os.getpid(), 9)
        answer = request if does == "echo" else does.encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nSet-Cookie: a=b\r\nX-Own: yes\r\n\r\n" % len(answer) + answer)
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
)";

// Waits for the answer to a request that is on its way.
class Answer {
 public:
  explicit Answer(net::Response response) : response_(std::move(response)) {
    auto* later = std::get_if<net::LaterBody>(&response_.body);
    if (later == nullptr) {
      answered_ = true;
      return;
    }
    // Kept until the end, as net does.
    later_ = std::move(*later);
    later_.start([this](net::Response came) {
      std::lock_guard lock(mutex_);
      response_ = std::move(came);
      answered_ = true;
      changed_.notify_all();
    });
  }
  net::Response& Get() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return answered_; }));
    return response_;
  }
  int status() { return Get().status; }
  std::string text() { return std::get<std::string>(Get().body); }
  std::string Stream() {
    auto& body = std::get<net::StreamBody>(Get().body);
    std::string all, piece;
    bool more = true;
    while (more) {
      piece.clear();
      more = body.next(&piece);
      all += piece;
      if (!more || !piece.empty()) continue;
      std::unique_lock lock(mutex_);
      bool ready = false;
      lock.unlock();
      body.wait([&] {
        std::lock_guard inner(mutex_);
        ready = true;
        changed_.notify_all();
      });
      lock.lock();
      changed_.wait(lock, [&] { return ready; });
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answered_ = false;
  net::Response response_;
  net::LaterBody later_;
};

class SchedulerTest : public hub::HubFixture {
 protected:
  SchedulerTest() {
    options_.program = (folder_ / "worker.py").string();
    options_.folder = folder_ / "inference";
    options_.memory_bytes = 100'000'000;
    WriteFileDurably(options_.program, kWorker, 0755);
    ::chmod(options_.program.c_str(), 0755);
  }
  ~SchedulerTest() override { scheduler_.reset(); }

  Scheduler& scheduler() {
    if (!scheduler_) scheduler_ = std::make_unique<Scheduler>(*hub_, options_);
    return *scheduler_;
  }
  hub::RepoHandle Model(const std::string& name, const std::string& does) {
    hub::RepoHandle repo = MakeRepo(ada_, hub::RepoType::kModel, name);
    Commit(repo, {{"tokenizer.json", does}}, {{"model.safetensors", "weights of " + name}});
    return Reopen(repo);
  }
  std::unique_ptr<Answer> Ask(const hub::RepoHandle& repo, ForwardOptions options = kHeld) {
    net::Request request;
    request.method = "POST";
    request.body = net::RequestBody("the body");
    request.headers.Add("Content-Type", "text/x-test");
    request.headers.Add("Authorization", "Bearer hf_secret");
    request.headers.Add("Cookie", "hearth_session=secret");
    return std::make_unique<Answer>(scheduler().Forward(Reopen(repo), request, "/target", options));
  }
  ModelStatus Status(const hub::RepoHandle& repo) { return scheduler().StatusOf(repo.record()); }

  static inline const ForwardOptions kHeld = {FaultShape::kInference, std::chrono::seconds(60)};
  static inline const ForwardOptions kAtOnce = {};
  SchedulerOptions options_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, ColdThenLoadingThenWarm) {
  hub::RepoHandle repo = Model("model", "hello");
  EXPECT_EQ(Status(repo).state, ModelState::kCold);
  auto first = Ask(repo, kAtOnce);
  EXPECT_EQ(first->status(), 503);
  EXPECT_NE(first->text().find("Model ada/model is currently loading"), std::string::npos);
  EXPECT_NE(first->text().find("estimated_time"), std::string::npos);
  auto held = Ask(repo);
  EXPECT_EQ(held->text(), "hello");
  EXPECT_EQ(held->Get().headers.Get("X-Own"), "yes");
  EXPECT_EQ(held->Get().headers.Get("Set-Cookie"), "");
  EXPECT_EQ(held->Get().headers.Get("x-compute-type"), "cpu");
  EXPECT_EQ(Status(repo).state, ModelState::kWarm);
  EXPECT_EQ(Ask(repo, kAtOnce)->text(), "hello");
  EXPECT_EQ(scheduler().stats().loads, 1u);
}

TEST_F(SchedulerTest, NothingOfTheCallerIsPassedOn) {
  std::string seen = Ask(Model("model", "echo"))->text();
  EXPECT_TRUE(seen.starts_with("POST /target HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Content-Type: text/x-test"), std::string::npos);
  EXPECT_NE(seen.find("\r\n\r\nthe body"), std::string::npos);
  EXPECT_EQ(seen.find("secret"), std::string::npos) << seen;
}

TEST_F(SchedulerTest, AModelThatCannotBeLoadedSaysWhy) {
  hub::RepoHandle repo = Model("model", "refuse");
  auto answer = Ask(repo);
  EXPECT_EQ(answer->status(), 422);
  EXPECT_NE(answer->text().find("this model is not for me"), std::string::npos) << answer->text();
  EXPECT_EQ(Status(repo).state, ModelState::kFailed);
  EXPECT_EQ(Ask(repo)->status(), 422);
  EXPECT_EQ(scheduler().stats().loads, 1u) << "not tried again";
  Commit(repo, {{"tokenizer.json", "mended"}});
  EXPECT_EQ(Ask(repo)->text(), "mended");
}

TEST_F(SchedulerTest, ARequestThatLostItsWorkerIsAnsweredByTheNext) {
  for (ForwardOptions options : {kHeld, kAtOnce}) {
    hub::RepoHandle repo = Model(options.hold.count() > 0 ? "held" : "at-once", "once");
    scheduler().Warm(repo);
    while (Status(repo).state != ModelState::kWarm) std::this_thread::yield();
    uint64_t before = scheduler().stats().crashes;
    auto answer = Ask(repo, options);
    EXPECT_EQ(answer->status(), 200);
    EXPECT_EQ(answer->text(), "once") << "nothing of the answer that broke off";
    EXPECT_EQ(scheduler().stats().crashes, before + 1);
    EXPECT_EQ(Status(repo).queued_requests, 0u);
  }
}

TEST_F(SchedulerTest, ThreeCrashesAndItIsLeftAlone) {
  hub::RepoHandle repo = Model("model", "crash");
  // Each request is sent twice: it may be what ends the workers.
  for (int asked = 0; asked < 2; ++asked) EXPECT_EQ(Ask(repo)->status(), 503);
  auto after = Ask(repo);
  EXPECT_EQ(after->status(), 503);
  EXPECT_NE(after->text().find("crashed 3 times"), std::string::npos) << after->text();
  EXPECT_NE(after->Get().headers.Get("Retry-After"), "");
  EXPECT_EQ(Status(repo).state, ModelState::kFailed);
  EXPECT_EQ(scheduler().stats().crashes, 3u);
}

TEST_F(SchedulerTest, AStreamThatBreaksOffEndsWithAnErrorInTheClientsWords) {
  hub::RepoHandle repo = Model("model", "stream");
  std::string tgi = Ask(repo)->Stream();
  EXPECT_TRUE(tgi.starts_with("data: 1\n\ndata: {\"error\":\"")) << tgi;
  // A connection breaks before its process is known to be gone; who asks in between is answered by
  // the next.
  std::string open_ai = Ask(repo, {FaultShape::kOpenAi, std::chrono::seconds(60)})->Stream();
  EXPECT_TRUE(open_ai.starts_with("data: 1\n\ndata: {\"error\":{\"message\":\"")) << open_ai;
}

TEST_F(SchedulerTest, TheOldestGoesForAnotherUnlessItIsPinned) {
  hub::RepoHandle one = Model("one", "1"), two = Model("two", "2"), three = Model("three", "3");
  // Room for one at a time: each is thought to need 64 MiB beside its weights.
  options_.memory_bytes = 70'000'000;
  EXPECT_EQ(Ask(one)->text(), "1");
  EXPECT_EQ(Ask(two)->text(), "2");
  EXPECT_EQ(Status(one).state, ModelState::kCold);
  scheduler().Pin(two, true);
  EXPECT_EQ(Ask(three, kAtOnce)->status(), 503);
  EXPECT_EQ(Ask(two)->text(), "2");
  EXPECT_TRUE(Status(two).pinned);
  scheduler().Pin(two, false);
  EXPECT_EQ(Ask(three)->text(), "3");
  EXPECT_EQ(Status(two).state, ModelState::kCold);
  EXPECT_EQ(scheduler().stats().evictions, 2u);
}

TEST_F(SchedulerTest, PinsSurviveARestart) {
  hub::RepoHandle pinned = Model("pinned", "1"), unpinned = Model("unpinned", "2"),
                  gone = Model("gone", "3");
  scheduler().Pin(pinned, true);
  scheduler().Pin(unpinned, true);
  scheduler().Pin(unpinned, false);
  scheduler().Pin(gone, true);
  scheduler_.reset();
  hub_->repos().Delete(Reopen(gone));
  OpenHub();
  // Loaded without being asked.
  while (Status(pinned).state != ModelState::kWarm) std::this_thread::yield();
  EXPECT_TRUE(Status(pinned).pinned);
  EXPECT_FALSE(Status(unpinned).pinned);
  EXPECT_EQ(Status(unpinned).state, ModelState::kCold);
  EXPECT_EQ(scheduler().Loaded().size(), 1u);
}

TEST_F(SchedulerTest, WhatCannotFitIsToldAtOnce) {
  options_.memory_bytes = 10'000'000;
  auto answer = Ask(Model("model", "x"));
  EXPECT_EQ(answer->status(), 422);
  EXPECT_NE(answer->text().find("MB of memory"), std::string::npos) << answer->text();
}

TEST_F(SchedulerTest, QueuesAreBoundedPerModelAndInAll) {
  options_.max_queued_per_model = 2;
  options_.max_queued = 3;
  hub::RepoHandle one = Model("one", "1"), two = Model("two", "2");
  std::vector<std::unique_ptr<Answer>> open;
  open.push_back(Ask(one));
  open.push_back(Ask(one));
  EXPECT_THROW(scheduler().Admit(one.record()), Error);
  EXPECT_THROW(Ask(one), Error);
  open.push_back(Ask(two));
  EXPECT_THROW(Ask(two), Error);
  for (auto& answer : open) EXPECT_EQ(answer->status(), 200);
  open.clear();
  scheduler().Admit(one.record());
  EXPECT_EQ(scheduler().stats().refused, 3u);
}

TEST_F(SchedulerTest, UnloadedModelsComeBack) {
  hub::RepoHandle repo = Model("model", "hello");
  scheduler().Warm(repo);
  EXPECT_EQ(Ask(repo)->text(), "hello");
  EXPECT_EQ(scheduler().Loaded().size(), 1u);
  scheduler().Unload(repo);
  EXPECT_EQ(Ask(repo)->text(), "hello");
  EXPECT_EQ(scheduler().stats().loads, 2u);
}

TEST_F(SchedulerTest, StoppingRefusesWhatWaitsAndWhatComes) {
  hub::RepoHandle repo = Model("model", "hello");
  auto waiting = Ask(repo);
  scheduler().Stop();
  int status = waiting->status();
  EXPECT_TRUE(status == 503 || status == 200);
  EXPECT_THROW(Ask(repo), Error);
}

}  // namespace
}  // namespace hearth::inference
