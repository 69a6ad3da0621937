// Request bodies: framing, gzip, caps, spooling, Expect.
#include <sys/resource.h>
#include <zlib.h>

#include <csignal>

#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Pattern(size_t size) {
  std::string out(size, '\0');
  uint32_t state = 12345;
  for (char& c : out) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return out;
}

std::string Chunked(std::string_view body, size_t piece) {
  std::string out;
  for (size_t at = 0; at < body.size(); at += piece) {
    std::string_view part = body.substr(at, piece);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size;
    out += part;
    out += "\r\n";
  }
  return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + out + "0\r\n\r\n";
}

class BodyTest : public ServerTest {
 protected:
  // Answers with size, where the body was, and its digest.
  void ServePolicy(BodyPolicy policy) {
    ServePlans([policy](Request&) {
      Plan plan;
      plan.body = policy;
      plan.handle = [](Request& r) {
        std::string digest = r.body.sha256() ? r.body.sha256()->Hex() : "-";
        std::string check = Sha256Of(r.body.ReadAll()).Hex();
        std::string text =
            std::to_string(r.body.size_bytes()) + (r.body.spooled() ? " file " : " memory ");
        return Response::Text(200, text + digest + " " + check + r.headers.Get("content-encoding"));
      };
      return plan;
    });
  }
  static std::string Expected(std::string_view body, std::string_view where, bool hashed) {
    std::string digest = Sha256Of(body).Hex();
    return std::to_string(body.size()) + " " + std::string(where) + " " + (hashed ? digest : "-") +
           " " + digest;
  }
};

TEST_F(BodyTest, SmallInMemoryLargeInAFile) {
  BodyPolicy policy;
  policy.max_bytes = 64 << 20;
  policy.memory_bytes = 1000;
  policy.hash = true;
  ServePolicy(policy);
  RawClient client = Connect();
  for (size_t size : {0, 1, 999, 1000, 1001, 70000, 262144, 262145, 9000001}) {
    std::string body = Pattern(size);
    std::string expected = Expected(body, size <= 1000 ? "memory" : "file", true);
    EXPECT_EQ(client.Ask(Post("/", body)).body, expected);
    EXPECT_EQ(client.Ask(Chunked(body, 50000)).body, expected);
  }
  EXPECT_TRUE(Eventually([&] { return SpoolFiles() == 0; }));
}

// Of a long body the server wants much at once, but what is there is taken in all the same.
TEST_F(BodyTest, ALongBodyMayComeInPiecesOfAnySize) {
  BodyPolicy policy;
  policy.max_bytes = 64 << 20;
  policy.memory_bytes = 1000;
  ServePolicy(policy);
  std::string body = Pattern(9 << 20);
  std::string request = Post("/", body);
  RawClient client = Connect();
  size_t sent = 0;
  for (size_t piece : {1000, 100'000, 3'000'000}) {
    client.Send(std::string_view(request).substr(sent, piece));
    sent += piece;
    EXPECT_TRUE(Eventually([&] { return server_->stats().bytes_in == sent; })) << sent;
  }
  client.Send(std::string_view(request).substr(sent));
  EXPECT_EQ(client.Read().body, Expected(body, "file", false));
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(client.Ask(Post("/", "x")).body, Expected("x", "memory", false));
}

TEST_F(BodyTest, AWatchThatAdmissionLeftSeesTheBody) {
  struct Adder : BodyWatch {
    void Take(std::string_view bytes) override { seen += bytes; }
    std::string seen;
  };
  ServePlans([](Request&) {
    Plan plan;
    plan.body = {.max_bytes = 1 << 20, .memory_bytes = 1000};
    plan.admit = [](Request& r) -> std::optional<Response> {
      r.watch = std::make_shared<Adder>();
      return std::nullopt;
    };
    plan.handle = [](Request& r) {
      return Response::Text(200, dynamic_cast<Adder&>(*r.body.watch()).seen);
    };
    return plan;
  });
  for (size_t size : {10, 300'000}) {
    std::string body = Pattern(size);
    RawClient client = Connect();
    EXPECT_EQ(client.Ask(Post("/", body)).body, body) << size;
    EXPECT_EQ(client.Ask(Post("/", "next")).body, "next");
  }
}

TEST_F(BodyTest, SpoolsAlwaysWhenAsked) {
  BodyPolicy policy;
  policy.spool_always = true;
  policy.hash = true;
  ServePolicy(policy);
  EXPECT_EQ(Connect().Ask(Post("/", "abc")).body, Expected("abc", "file", true));
  EXPECT_EQ(Connect().Ask(Post("/", "")).body, Expected("", "file", true));
}

TEST_F(BodyTest, ChunksMayArriveByteByByte) {
  ServePolicy({});
  RawClient client = Connect();
  std::string request = Chunked("hello chunked world", 4) + Get("/next");
  for (char c : request) client.Send({&c, 1});
  EXPECT_EQ(client.Read().body, Expected("hello chunked world", "memory", false));
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(BodyTest, TheHandlerMayKeepTheSpoolFile) {
  std::filesystem::path kept = folder_ / "kept";
  ServePlans([kept](Request&) {
    Plan plan;
    plan.body.spool_always = true;
    plan.handle = [kept](Request& r) {
      r.body.TakeFile().CommitTo(kept);
      return Response::Empty(201);
    };
    return plan;
  });
  EXPECT_EQ(Connect().Ask(Post("/", "keep me")).status, 201);
  EXPECT_EQ(ReadFile(kept), "keep me");
  EXPECT_EQ(SpoolFiles(), 0u);
}

TEST_F(BodyTest, UndoesGzip) {
  BodyPolicy policy;
  policy.max_bytes = 8 << 20;
  policy.memory_bytes = 1 << 20;
  policy.hash = true;
  ServePolicy(policy);
  RawClient client = Connect();
  std::string body = Pattern(300000);
  std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(client.Ask(Post("/", Gzip(body), gzip)).body, Expected(body, "memory", true));
  std::string two_members = Gzip("first,") + Gzip("second");
  EXPECT_EQ(client.Ask(Post("/", two_members, gzip)).body,
            Expected("first,second", "memory", true));
  std::string large = Pattern(3 << 20);
  EXPECT_EQ(client.Ask(Post("/", Gzip(large), gzip)).body, Expected(large, "file", true));
  EXPECT_EQ(client.Ask(Post("/", "", gzip)).status, 200);
}

TEST_F(BodyTest, RefusesBrokenGzipAndUnknownCodings) {
  ServePolicy({});
  std::string good = Gzip(Pattern(5000));
  std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(Connect().Ask(Post("/", "this is not gzip", gzip)).status, 400);
  EXPECT_EQ(Connect().Ask(Post("/", good.substr(0, good.size() - 3), gzip)).status, 400);
  EXPECT_EQ(Connect().Ask(Post("/", good.substr(0, 100), gzip)).status, 400);
  std::string flipped = good;
  flipped[flipped.size() - 6] ^= 1;  // in the checksum
  EXPECT_EQ(Connect().Ask(Post("/", flipped, gzip)).status, 400);
  EXPECT_EQ(Connect().Ask(Post("/", good + "trailing garbage", gzip)).status, 400);
  EXPECT_EQ(Connect().Ask(Post("/", "x", "Content-Encoding: br\r\n")).status, 415);
}

TEST_F(BodyTest, StopsGzipBombs) {
  BodyPolicy policy;
  policy.max_bytes = 4ull << 30;
  policy.memory_bytes = 1 << 20;
  ServePolicy(policy);
  std::string bomb = Gzip(std::string(100 << 20, '\0'));  // about 100 KB
  RawClient client = Connect();
  RawResponse response = client.Ask(Post("/", bomb, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(response.status, 413);
  EXPECT_TRUE(Eventually([&] { return SpoolFiles() == 0; }));
}

TEST_F(BodyTest, CapsDecodedBytes) {
  BodyPolicy policy;
  policy.max_bytes = 1000;
  ServePolicy(policy);
  EXPECT_EQ(Connect().Ask(Post("/", Pattern(1000))).status, 200);
  RawResponse declared = Connect().Ask(Post("/", Pattern(1001)));
  EXPECT_EQ(declared.status, 413);
  EXPECT_EQ(declared.headers.Get("connection"), "close");
  EXPECT_FALSE(declared.headers.Get("x-error-message").empty());
  EXPECT_EQ(declared.headers.Get("content-type"), "application/json");
  EXPECT_EQ(Connect().Ask(Chunked(Pattern(1000), 100)).status, 200);
  EXPECT_EQ(Connect().Ask(Chunked(Pattern(1001), 100)).status, 413);
  EXPECT_EQ(
      Connect().Ask(Post("/", Gzip(std::string(1001, 'a')), "Content-Encoding: gzip\r\n")).status,
      413);
}

TEST_F(BodyTest, TheAnswerSurvivesAnUploadThatGoesOn) {
  BodyPolicy policy;
  policy.max_bytes = 1000;
  ServePolicy(policy);
  RawClient client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  std::string block = Pattern(1 << 20);
  for (int i = 0; i < 7; ++i) client.Send(block);
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(BodyTest, MalformedChunksAre400) {
  ServePolicy({});
  for (const char* chunks : {"xyz\r\n", "5\r\nhelloX\r\n", "-5\r\nhello\r\n"}) {
    RawClient client = Connect();
    RawResponse response = client.Ask(
        std::string("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") + chunks);
    EXPECT_EQ(response.status, 400) << chunks;
    EXPECT_EQ(response.headers.Get("connection"), "close");
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

TEST_F(BodyTest, ATruncatedBodyNeverReachesTheHandler) {
  std::atomic<int> handled{0};
  ServePlans([&](Request&) {
    Plan plan;
    plan.body.spool_always = true;
    plan.handle = [&](Request&) { return ++handled, Response::Empty(200); };
    return plan;
  });
  for (const char* request :
       {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\n"}) {
    RawClient client = Connect();
    client.Send(request);
    client.EndSending();
    EXPECT_TRUE(client.ClosedByPeer());
  }
  EXPECT_EQ(handled, 0);
  EXPECT_TRUE(Eventually([&] { return SpoolFiles() == 0; }));
}

class AdmitTest : public ServerTest {
 protected:
  void ServeAdmission(std::atomic<int>* handled) {
    ServePlans([handled](Request&) {
      Plan plan;
      plan.body.max_bytes = 1 << 20;
      plan.admit = [](Request& r) -> std::optional<Response> {
        if (r.raw_path == "/no") return Response::Text(403, "refused");
        if (r.raw_path == "/error") throw Error(Code::kNotFound, "gone");
        return std::nullopt;
      };
      plan.handle = [handled](Request& r) {
        return ++*handled, Response::Text(200, r.body.ReadAll());
      };
      return plan;
    });
  }
  std::atomic<int> handled_{0};
};

TEST_F(AdmitTest, ContinueComesAfterAdmission) {
  ServeAdmission(&handled_);
  RawClient client = Connect();
  client.Send("POST /yes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  client.Send("body");
  EXPECT_EQ(client.Read().body, "body");
  RawResponse refused = client.Ask(
      "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.headers.Get("connection"), "close");
  EXPECT_TRUE(client.ClosedByPeer());
  EXPECT_EQ(handled_, 1);
}

TEST_F(AdmitTest, ASmallRefusedBodyKeepsTheConnection) {
  ServeAdmission(&handled_);
  RawClient client = Connect();
  EXPECT_EQ(client.Ask(Post("/no", std::string(50000, 'x'))).body, "refused");
  EXPECT_EQ(client.Ask(Post("/error", "x")).status, 404);
  EXPECT_EQ(client.Ask(Post("/yes", "next")).body, "next");
  EXPECT_EQ(client.Ask(Get("/no")).status, 403);
  EXPECT_EQ(client.Ask(Get("/yes")).status, 200);
}

TEST_F(AdmitTest, ALargeRefusedBodyClosesIt) {
  ServeAdmission(&handled_);
  RawClient client = Connect();
  RawResponse response = client.Ask(Post("/no", std::string(300000, 'x')));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.headers.Get("connection"), "close");
  EXPECT_EQ(handled_, 0);
}

TEST_F(AdmitTest, OtherExpectationsAre417) {
  ServeAdmission(&handled_);
  EXPECT_EQ(Connect().Ask(Post("/yes", "x", "Expect: the-unexpected\r\n")).status, 417);
}

TEST_F(BodyTest, AFailingSpoolIs507AndLeavesNothing) {
  BodyPolicy policy;
  policy.max_bytes = 64 << 20;
  policy.memory_bytes = 1000;
  options_.spool_dir = folder_ / "missing";
  ServePolicy(policy);
  RawResponse response = Connect().Ask(Post("/", Pattern(3000000)));
  EXPECT_EQ(response.status, 507);
  EXPECT_FALSE(response.headers.Get("x-error-message").empty());
  EXPECT_EQ(Connect().Ask(Post("/", "small")).status, 200);
}

// A file size limit stands in for a full disk: writes fail after part of the body was spooled.
TEST_F(BodyTest, ADiskThatFillsUpMidwayIs507AndLeavesNothing) {
  BodyPolicy policy;
  policy.max_bytes = 64 << 20;
  policy.memory_bytes = 1000;
  ServePolicy(policy);
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  rlimit small = old_limit;
  small.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &small);
  RawResponse response = Connect().Ask(Post("/", Pattern(5000000)));
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(response.status, 507);
  EXPECT_TRUE(Eventually([&] { return SpoolFiles() == 0; }));
  EXPECT_EQ(Connect().Ask(Post("/", Pattern(5000000))).status, 200);
}

}  // namespace
}  // namespace hearth::net
