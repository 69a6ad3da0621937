// Responses that a child process writes.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/bytes.h"
#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

class ProcessTest : public ServerTest {
 protected:
  // The request body is the child's input; `exits_` collects the statuses given to on_exit.
  void ServeScript(std::string script, std::string prefix = "") {
    ServePlans([=, this](Request&) {
      Plan plan;
      plan.body.max_bytes = 64 << 20;
      plan.body.memory_bytes = 100'000;
      plan.handle = [=, this](Request& r) {
        ProcessBody process;
        process.argv = {"sh", "-c", script};
        process.env = {"FOLDER=" + folder_.string()};
        process.input = std::move(r.body);
        process.prefix = prefix;
        process.on_exit = [this](int status) {
          last_status_ = status;
          ++exits_;
        };
        Response response;
        response.headers.Add("Content-Type", "application/x-test");
        response.body = std::move(process);
        return response;
      };
      return plan;
    });
  }
  pid_t PidFrom(const std::string& name) {
    std::string text;
    Eventually([&] {
      std::ifstream in(folder_ / name);
      return static_cast<bool>(std::getline(in, text));
    });
    return static_cast<pid_t>(*ParseUint(text));
  }
  static bool Gone(pid_t pid) {
    return Eventually([pid] { return ::kill(pid, 0) != 0 && errno == ESRCH; });
  }
  std::atomic<int> exits_{0}, last_status_{-1};
};

TEST_F(ProcessTest, StreamsOutputOfInput) {
  ServeScript("cat; echo -n .$FOLDER", "prefix:");
  RawClient client = Connect();
  for (size_t size : {0u, 5u, 99'999u, 3'000'000u}) {
    std::string body(size, 'z');
    RawResponse response = client.Ask(Post("/", body));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.Get("transfer-encoding"), "chunked");
    EXPECT_EQ(response.headers.Get("content-type"), "application/x-test");
    EXPECT_TRUE(response.body == "prefix:" + body + "." + folder_.string());
  }
  EXPECT_EQ(exits_, 4);
  EXPECT_EQ(last_status_, 0);
}

TEST_F(ProcessTest, AnEmptyOutputIsAnEmptyBody) {
  ServeScript("exit 0", "p");
  RawResponse response = Connect().Ask(Get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "p");
}

TEST_F(ProcessTest, FailureBeforeAnyOutputIs500) {
  ServeScript("echo reason >&2; exit 3", "never sent");
  RawClient client = Connect();
  RawResponse response = client.Ask(Get("/"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("reason"), std::string::npos);
  EXPECT_EQ(last_status_, 3);
  EXPECT_EQ(client.Ask(Get("/")).status, 500);  // the connection lives on
}

TEST_F(ProcessTest, OnExitIsOverBeforeTheLastChunk) {
  ServeScript("echo out; exit 4");
  RawResponse response = Connect().Ask(Get("/"));
  EXPECT_EQ(response.body, "out\n");
  EXPECT_EQ(exits_, 1);
  EXPECT_EQ(last_status_, 4);
}

TEST_F(ProcessTest, AMissingProgramIs500) {
  Serve([](Request&) {
    Response response;
    ProcessBody process;
    process.argv = {"/no/such/program"};
    response.body = std::move(process);
    return response;
  });
  EXPECT_EQ(Connect().Ask(Get("/")).status, 500);
}

TEST_F(ProcessTest, ALotOfStandardErrorDoesNotBlockTheChild) {
  ServeScript("head -c 3000000 /dev/zero | tr '\\0' e >&2; echo done");
  EXPECT_EQ(Connect().Ask(Get("/")).body, "done\n");
}

TEST_F(ProcessTest, TheChildDiesWithItsSilentClient) {
  ServeScript("echo $$ > $FOLDER/pid; sleep 1000 & echo $! > $FOLDER/helper; wait");
  RawClient client = Connect();
  client.Send(Get("/"));
  pid_t child = PidFrom("pid");
  pid_t helper = PidFrom("helper");
  client.Close();
  EXPECT_TRUE(Gone(child));
  EXPECT_TRUE(Gone(helper));
  EXPECT_TRUE(Eventually([&] { return exits_ == 1; }));
  EXPECT_EQ(last_status_, 128 + SIGTERM);
}

TEST_F(ProcessTest, TheChildDiesWithAClientThatStopsReadingInTheMiddle) {
  ServeScript("echo $$ > $FOLDER/pid; exec yes");
  RawClient client = Connect();
  client.Send(Get("/"));
  pid_t child = PidFrom("pid");
  client.Close();
  EXPECT_TRUE(Gone(child));
}

TEST_F(ProcessTest, AStubbornChildIsKilledAtShutdown) {
  ServeScript("trap '' TERM; echo $$ > $FOLDER/pid; while :; do sleep 1; done");
  RawClient client = Connect();
  client.Send(Get("/"));
  pid_t child = PidFrom("pid");
  server_->Stop(std::chrono::milliseconds(50));
  EXPECT_TRUE(Gone(child));
  EXPECT_EQ(exits_, 1);
}

TEST_F(ProcessTest, LeaksNoDescriptors) {
  ServeScript("ls /proc/self/fd | wc -l");
  RawClient client = Connect();
  auto count = [] {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      n += entry.exists() ? 1 : 0;
    return n;
  };
  std::string first = client.Ask(Post("/", "x")).body;
  // The same count as a child of this test without a server's sockets and pipes in it.
  std::unique_ptr<FILE, int (*)(FILE*)> plain(::popen("ls /proc/self/fd | wc -l", "r"), ::pclose);
  char expected[16] = "";
  ASSERT_TRUE(std::fgets(expected, sizeof expected, plain.get()));
  EXPECT_EQ(first, expected);
  plain.reset();
  size_t before = count();
  for (int i = 0; i < 30; ++i) client.Ask(Post("/", std::string(200'000, 'x')));
  EXPECT_TRUE(Eventually([&] { return count() <= before; }));
}

}  // namespace
}  // namespace hearth::net
