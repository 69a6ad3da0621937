#include "net/internal/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace hearth::net {
namespace {

class PlainStream : public Stream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  IoResult Handshake() override { return {}; }

  IoResult Read(char* out, size_t size) override {
    while (true) {
      ssize_t got = ::recv(fd_, out, size, 0);
      if (got > 0) return {IoStatus::kOk, static_cast<size_t>(got)};
      if (got == 0) return {IoStatus::kEnd, 0};
      if (errno == EINTR) continue;
      return {WouldBlock() ? IoStatus::kWantRead : IoStatus::kFailed, 0};
    }
  }

  IoResult Write(std::string_view bytes, More more) override {
    while (true) {
      int flags = MSG_NOSIGNAL | (more == More::kYes ? MSG_MORE : 0);
      ssize_t done = ::send(fd_, bytes.data(), bytes.size(), flags);
      if (done >= 0) return {IoStatus::kOk, static_cast<size_t>(done)};
      if (errno == EINTR) continue;
      return {WouldBlock() ? IoStatus::kWantWrite : IoStatus::kFailed, 0};
    }
  }

  IoResult SendFile(const FileSlice& slice) override {
    auto offset = static_cast<off_t>(slice.offset);
    while (true) {
      ssize_t done = ::sendfile(fd_, slice.fd, &offset, slice.size_bytes);
      if (done > 0) return {IoStatus::kOk, static_cast<size_t>(done)};
      if (done == 0) return {IoStatus::kFailed, 0};  // the file is shorter than promised
      if (errno == EINTR) continue;
      return {WouldBlock() ? IoStatus::kWantWrite : IoStatus::kFailed, 0};
    }
  }

  // The kernel tells at once when there is as much already, so no edge is lost.
  void SetLowWater(size_t bytes) override {
    if (bytes == low_water_) return;
    auto value = static_cast<int>(bytes);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
    low_water_ = bytes;
  }

  void SayGoodbye() override {}
  bool secure() const override { return false; }

 private:
  static bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }
  int fd_;
  size_t low_water_ = 1;
};

class TlsStream : public Stream {
 public:
  TlsStream(SSL* ssl, int fd) : ssl_(ssl) {
    SSL_set_fd(ssl_, fd);
    SSL_set_accept_state(ssl_);
  }
  ~TlsStream() override { SSL_free(ssl_); }

  IoResult Handshake() override {
    ERR_clear_error();
    return Classify(SSL_accept(ssl_), 0);
  }

  IoResult Read(char* out, size_t size) override {
    ERR_clear_error();
    size_t got = 0;
    int result = SSL_read_ex(ssl_, out, size, &got);
    return Classify(result, got);
  }

  IoResult Write(std::string_view bytes, More) override {
    if (bytes.empty()) return {};
    ERR_clear_error();
    size_t total = 0;
    // Partial-write mode hands over one record per call.
    while (!bytes.empty()) {
      size_t done = 0;
      int written = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &done);
      IoResult result = Classify(written, done);
      if (result.status != IoStatus::kOk) {
        if (total > 0 && result.status != IoStatus::kFailed) break;
        return result;
      }
      total += done;
      bytes.remove_prefix(done);
    }
    blocked_ = !bytes.empty();
    return {IoStatus::kOk, total};
  }

  // A record that did not fit is retried with the same file bytes, so nothing is kept between calls
  // and a slow reader costs no buffer. After a short write only a little is read ahead.
  IoResult SendFile(const FileSlice& slice) override {
    size_t want =
        std::min({slice.size_bytes, slice.scratch_bytes, blocked_ ? kRetryBytes : kSliceBytes});
    ssize_t got = ::pread(slice.fd, slice.scratch, want, static_cast<off_t>(slice.offset));
    if (got <= 0) return {IoStatus::kFailed, 0};
    IoResult result = Write({slice.scratch, static_cast<size_t>(got)}, More::kNo);
    if (result.status == IoStatus::kWantWrite) blocked_ = true;
    return result;
  }

  // Bytes of a record are not bytes of the content.
  void SetLowWater(size_t) override {}

  void SayGoodbye() override {
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  bool secure() const override { return true; }

 private:
  static constexpr size_t kSliceBytes = 256 << 10;
  static constexpr size_t kRetryBytes = 32 << 10;

  IoResult Classify(int result, size_t bytes) {
    if (result > 0) return {IoStatus::kOk, bytes};
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return {IoStatus::kWantRead, 0};
      case SSL_ERROR_WANT_WRITE:
        return {IoStatus::kWantWrite, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {IoStatus::kEnd, 0};
      default:
        return {IoStatus::kFailed, 0};
    }
  }

  SSL* ssl_;
  bool blocked_ = false;
};

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
               unsigned in_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  int found = SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, kHttp11,
                                    sizeof kHttp11 - 1, in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

std::unique_ptr<Stream> MakePlainStream(int fd) { return std::make_unique<PlainStream>(fd); }

TlsContext::TlsContext(const std::string& certificate_file, const std::string& key_file)
    : context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_) throw Error(Code::kInternal, "SSL_CTX_new");
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context_, SelectAlpn, nullptr);
  bool ok = SSL_CTX_use_certificate_chain_file(context_, certificate_file.c_str()) == 1 &&
            SSL_CTX_use_PrivateKey_file(context_, key_file.c_str(), SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(context_) == 1;
  if (ok) return;
  SSL_CTX_free(context_);
  ERR_clear_error();
  throw Error(Code::kInvalidArgument,
              "cannot use TLS certificate " + certificate_file + " with key " + key_file);
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Stream> TlsContext::MakeStream(int fd) const {
  SSL* ssl = SSL_new(context_);
  if (!ssl) throw Error(Code::kInternal, "SSL_new");
  return std::make_unique<TlsStream>(ssl, fd);
}

}  // namespace hearth::net
