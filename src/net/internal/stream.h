// One connection's bytes, plain (TCP or unix socket) or TLS, behind one non-blocking interface so
// that the session is written and compiled once. Calls never block; a result says which readiness
// to wait for. The stream does not own the descriptor. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace hearth::net {

enum class IoStatus { kOk, kWantRead, kWantWrite, kEnd, kFailed };

struct IoResult {
  IoStatus status = IoStatus::kOk;
  size_t bytes = 0;
};

// A file part to send; `scratch` is a buffer the TLS stream may use during the call.
struct FileSlice {
  int fd = -1;
  uint64_t offset = 0;
  size_t size_bytes = 0;
  char* scratch = nullptr;
  size_t scratch_bytes = 0;
};

enum class More { kNo, kYes };  // kYes: further bytes follow at once, hold back short packets

class Stream {
 public:
  virtual ~Stream() = default;
  virtual IoResult Handshake() = 0;
  virtual IoResult Read(char* out, size_t size) = 0;
  // Readiness to read is told once this many bytes can be read (or no more will come), where the
  // transport can do that: a hint that saves wake-ups. 1 is where a stream begins.
  virtual void SetLowWater(size_t bytes) = 0;
  virtual IoResult Write(std::string_view bytes, More more) = 0;
  virtual IoResult SendFile(const FileSlice& slice) = 0;
  // Says goodbye in the stream's own protocol; the socket itself is shut down by the owner.
  virtual void SayGoodbye() = 0;
  virtual bool secure() const = 0;
};

std::unique_ptr<Stream> MakePlainStream(int fd);

// A server's certificate and key, TLS 1.2 or newer, ALPN http/1.1. Thread-safe after construction.
class TlsContext {
 public:
  // Throws Error{kInvalidArgument} when a file cannot be used.
  TlsContext(const std::string& certificate_file, const std::string& key_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  std::unique_ptr<Stream> MakeStream(int fd) const;

 private:
  ssl_ctx_st* context_;
};

}  // namespace hearth::net
