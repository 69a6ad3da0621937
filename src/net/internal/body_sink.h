// Where request body bytes go: gzip undone, counted against the caps, hashed, kept in memory or
// spooled into a temporary file. Blocking file writes: run it on a worker once WouldSpool says so.
// One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/hash.h"
#include "net/http.h"

namespace hearth::net {

class BodySink {
 public:
  enum class Coding { kIdentity, kGzip };
  // `watch` may be null.
  BodySink(const BodyPolicy& policy, std::filesystem::path spool_dir, Coding coding,
           std::shared_ptr<BodyWatch> watch = nullptr);
  ~BodySink();
  BodySink(const BodySink&) = delete;

  // Takes bytes as they came, after chunked was undone. Throws Error: kTooLarge above a cap,
  // kInvalidArgument for broken gzip, kInsufficientStorage when the spool cannot be written.
  void Write(std::string_view bytes);
  // Throws kInvalidArgument for truncated gzip. At most once.
  RequestBody Finish();
  // Whether taking `more` bytes may write to a file or decompress: work for a worker.
  bool WouldBlock(uint64_t more) const;

 private:
  struct Inflater;
  void WriteDecoded(std::string_view bytes);
  void Spool(std::string_view bytes);
  void Inflate(std::string_view bytes);

  BodyPolicy policy_;
  std::filesystem::path spool_dir_;
  std::string memory_;
  std::optional<TempFile> file_;
  std::optional<Sha256Hasher> hasher_;
  std::unique_ptr<Inflater> inflater_;
  std::shared_ptr<BodyWatch> watch_;
  uint64_t encoded_bytes_ = 0;
  uint64_t decoded_bytes_ = 0;
  uint64_t flushed_bytes_ = 0;
};

}  // namespace hearth::net
