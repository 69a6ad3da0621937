// Where a server listens: TCP, IPv6, unix sockets, TLS; and who the peer is.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <fstream>

#include "base/error.h"
#include "net/server_fixture.h"

namespace hearth::net {
namespace {

class ListenTest : public ServerTest {
 protected:
  void ServeEcho() {
    ServePlans([this](Request&) {
      Plan plan;
      plan.body.max_bytes = 64 << 20;
      plan.body.memory_bytes = 1000;
      plan.handle = [this](Request& r) {
        Response response;
        if (r.raw_path == "/file") {
          FileBody file;
          file.file = std::make_shared<UniqueFd>(OpenForRead(folder_ / "file"));
          file.size_bytes = FileSize(file.file->get());
          response.body = file;
        } else if (r.method == "POST") {
          response.body = r.body.ReadAll();
        } else {
          response.body = r.peer + "|" + r.host + "|" + (r.secure ? "secure" : "plain") +
                          (r.peer_is_trusted_proxy ? "|trusted" : "");
        }
        return response;
      };
      return plan;
    });
  }
};

TEST_F(ListenTest, TellsThePeer) {
  ServeEcho();
  EXPECT_EQ(Connect().Ask(Get("/", "X-Forwarded-For: 1.2.3.4\r\n")).body, "127.0.0.1|test|plain");
}

TEST_F(ListenTest, HonoursForwardedHeadersOfTrustedProxies) {
  options_.trusted_proxies = {"127.0.0.0/8"};
  ServeEcho();
  RawResponse response = Connect().Ask(Get(
      "/",
      "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: hub.example\r\n"));
  EXPECT_EQ(response.body, "1.2.3.4|hub.example|secure|trusted");
}

TEST_F(ListenTest, ListensOnUnixSocketsAndReplacesStaleOnes) {
  std::string path = folder_ / "hearth.sock";
  listen_.address = "unix:" + path;
  options_.trusted_proxies = {"unix"};
  ServeEcho();
  EXPECT_EQ(port_, 0);
  EXPECT_EQ(RawClient::Unix(path).Ask(Get("/", "X-Forwarded-For: 1.2.3.4\r\n")).body,
            "1.2.3.4|test|plain|trusted");
  WriteTemp("file", std::string(3'000'000, 'f'));
  EXPECT_EQ(RawClient::Unix(path).Ask(Get("/file")).body.size(), 3'000'000u);
  Server second(options_, *this);
  EXPECT_THROW(second.Listen(listen_), Error);  // in use
  server_->Stop(std::chrono::milliseconds(0));
  EXPECT_FALSE(std::filesystem::exists(path));
  // A socket file that nobody listens on, as after a crash.
  std::filesystem::path stale = folder_ / "stale.sock";
  {
    Server dead(options_, *this);
    dead.Listen({"unix:" + stale.string(), "", ""});
    std::filesystem::create_hard_link(stale, folder_ / "kept.sock");
  }
  Server third(options_, *this);
  EXPECT_EQ(third.Listen({"unix:" + (folder_ / "kept.sock").string(), "", ""}), 0);
}

TEST_F(ListenTest, DoesNotReplaceOtherFiles) {
  WriteTemp("precious", "data");
  Server server(options_, *this);
  EXPECT_THROW(server.Listen({"unix:" + (folder_ / "precious").string(), "", ""}), Error);
  EXPECT_EQ(ReadFile(folder_ / "precious"), "data");
}

TEST_F(ListenTest, NamesBadAndBusyAddresses) {
  ServeEcho();
  Server server(options_, *this);
  auto code_of = [&](const std::string& address) {
    try {
      server.Listen({address, "", ""});
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80",
                          "unix:", "256.0.0.1:80"}) {
    EXPECT_EQ(code_of(bad), Code::kInvalidArgument) << bad;
  }
  EXPECT_EQ(code_of("127.0.0.1:" + std::to_string(port_)), Code::kUnavailable);
  EXPECT_GT(server.Listen({"[::1]:0", "", ""}), 0);
}

// A self-signed certificate for "localhost", as PEM files.
void WriteCertificate(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  X509_set_pubkey(x509, pair);
  X509_sign(x509, pair, EVP_sha256());
  std::unique_ptr<FILE, int (*)(FILE*)> certificate_file(std::fopen(certificate.c_str(), "w"),
                                                         std::fclose);
  PEM_write_X509(certificate_file.get(), x509);
  std::unique_ptr<FILE, int (*)(FILE*)> key_file(std::fopen(key.c_str(), "w"), std::fclose);
  PEM_write_PrivateKey(key_file.get(), pair, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(x509);
  EVP_PKEY_free(pair);
}

// A blocking TLS client over a RawClient's socket.
class TlsClient {
 public:
  TlsClient(int port, int version)
      : socket_(RawClient::Tcp(port)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_, version);
    SSL_CTX_set_min_proto_version(context_, version);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.fd());
    static constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, kProtocols, sizeof kProtocols - 1);
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  std::string Alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  // Sends and reads until the server closes.
  std::string Ask(std::string_view request) {
    while (!request.empty()) {
      int done = SSL_write(ssl_, request.data(),
                           static_cast<int>(std::min<size_t>(request.size(), 1 << 20)));
      if (done <= 0) break;
      request.remove_prefix(static_cast<size_t>(done));
    }
    std::string out;
    char buffer[65536];
    int got;
    while ((got = SSL_read(ssl_, buffer, sizeof buffer)) > 0)
      out.append(buffer, static_cast<size_t>(got));
    return out;
  }

 private:
  RawClient socket_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_;
};

class TlsTest : public ListenTest {
 protected:
  void ServeTls() {
    WriteCertificate(folder_ / "cert.pem", folder_ / "key.pem");
    listen_.tls_certificate_file = folder_ / "cert.pem";
    listen_.tls_key_file = folder_ / "key.pem";
    ServeEcho();
  }
};

TEST_F(TlsTest, SpeaksTls12And13ButNotOlder) {
  ServeTls();
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(port_, version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.Alpn(), "http/1.1");
    std::string answer = client.Ask(Get("/") + Get("/", "Connection: close\r\n"));
    EXPECT_NE(answer.find("127.0.0.1|test|secure"), answer.rfind("127.0.0.1|test|secure"));
  }
  EXPECT_FALSE(TlsClient(port_, TLS1_1_VERSION).connected());
}

TEST_F(TlsTest, MovesLargeBodiesBothWays) {
  ServeTls();
  std::string content(9'000'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7919 >> 3);
  WriteTemp("file", content);
  std::string file = TlsClient(port_, TLS1_3_VERSION).Ask(Get("/file", "Connection: close\r\n"));
  EXPECT_TRUE(file.ends_with(content));
  std::string range =
      TlsClient(port_, TLS1_3_VERSION)
          .Ask(Get("/file", "Range: bytes=1000000-1000009\r\nConnection: close\r\n"));
  EXPECT_TRUE(range.ends_with("\r\n\r\n" + content.substr(1000000, 10)));
  std::string echo =
      TlsClient(port_, TLS1_3_VERSION).Ask(Post("/", content, "Connection: close\r\n"));
  EXPECT_TRUE(echo.ends_with(content));
}

TEST_F(TlsTest, PlainBytesOnATlsPortHarmNobody) {
  ServeTls();
  EXPECT_EQ(Connect().Ask(Get("/")).status, 0);
  EXPECT_TRUE(TlsClient(port_, TLS1_3_VERSION).connected());
}

TEST_F(TlsTest, RefusesUnusableCertificates) {
  WriteCertificate(folder_ / "a.pem", folder_ / "a.key");
  WriteCertificate(folder_ / "b.pem", folder_ / "b.key");
  Server server(options_, *this);
  EXPECT_THROW(server.Listen({"127.0.0.1:0", folder_ / "a.pem", folder_ / "b.key"}), Error);
  EXPECT_THROW(server.Listen({"127.0.0.1:0", folder_ / "none.pem", folder_ / "a.key"}), Error);
  EXPECT_THROW(server.Listen({"127.0.0.1:0", folder_ / "a.pem", ""}), Error);
}

}  // namespace
}  // namespace hearth::net
