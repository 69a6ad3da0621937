#include "net/internal/body_sink.h"

#include <fcntl.h>
#include <zlib.h>

#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace hearth::net {
namespace {

// deflate cannot do better than 1032:1; text and pkt-lines stay below 30:1. A body is only judged
// once it is large enough to hurt.
constexpr uint64_t kRatioFreeBytes = 8 << 20;
constexpr uint64_t kMaxRatio = 200;
constexpr size_t kInflateBufferBytes = 256 << 10;
// Write-back starts this often, so that the fsync of a store that takes the file over finds little
// left to do.
constexpr uint64_t kWriteBackBytes = 16 << 20;

}  // namespace

struct BodySink::Inflater {
  z_stream stream;
  bool at_member_start = true;  // nothing of the current gzip member seen yet
  bool seen_member = false;
  std::unique_ptr<char[]> out = std::make_unique<char[]>(kInflateBufferBytes);

  Inflater() {
    std::memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw Error(Code::kInternal, "inflateInit2");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
};

BodySink::BodySink(const BodyPolicy& policy, std::filesystem::path spool_dir, Coding coding,
                   std::shared_ptr<BodyWatch> watch)
    : policy_(policy), spool_dir_(std::move(spool_dir)), watch_(std::move(watch)) {
  if (policy_.hash) hasher_.emplace();
  if (coding == Coding::kGzip) inflater_ = std::make_unique<Inflater>();
}

BodySink::~BodySink() = default;

bool BodySink::WouldBlock(uint64_t more) const {
  return inflater_ || file_ || policy_.spool_always || memory_.size() + more > policy_.memory_bytes;
}

void BodySink::Write(std::string_view bytes) {
  encoded_bytes_ += bytes.size();
  if (inflater_) {
    Inflate(bytes);
  } else {
    WriteDecoded(bytes);
  }
}

void BodySink::WriteDecoded(std::string_view bytes) {
  decoded_bytes_ += bytes.size();
  if (decoded_bytes_ > policy_.max_bytes) {
    throw Error(Code::kTooLarge,
                "Request body is larger than " + std::to_string(policy_.max_bytes) + " bytes");
  }
  if (hasher_) hasher_->Update(bytes);
  if (watch_) watch_->Take(bytes);
  if (!file_ && !policy_.spool_always && decoded_bytes_ <= policy_.memory_bytes) {
    memory_.append(bytes);
  } else {
    Spool(bytes);
  }
}

void BodySink::Spool(std::string_view bytes) {
  try {
    if (!file_) {
      file_.emplace(spool_dir_);
      file_->Append(memory_);
      std::string().swap(memory_);
    }
    file_->Append(bytes);
  } catch (const Error& error) {
    // Whatever the system says (disk full, quota, file size limit, folder gone), the client's part
    // of the truth is that the body cannot be stored now.
    log::LogError("cannot spool a request body", {{"reason", error.message()}});
    throw Error(Code::kInsufficientStorage, "The server cannot store the request body");
  }
  if (decoded_bytes_ - flushed_bytes_ >= kWriteBackBytes) {
    ::sync_file_range(file_->fd(), static_cast<off64_t>(flushed_bytes_),
                      static_cast<off64_t>(decoded_bytes_ - flushed_bytes_), SYNC_FILE_RANGE_WRITE);
    flushed_bytes_ = decoded_bytes_;
  }
}

void BodySink::Inflate(std::string_view bytes) {
  z_stream& stream = inflater_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  while (true) {
    if (stream.avail_in > 0) inflater_->at_member_start = false;
    stream.next_out = reinterpret_cast<Bytef*>(inflater_->out.get());
    stream.avail_out = kInflateBufferBytes;
    int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw Error(Code::kInvalidArgument, "Request body is not valid gzip");
    }
    size_t produced = kInflateBufferBytes - stream.avail_out;
    WriteDecoded({inflater_->out.get(), produced});
    if (decoded_bytes_ > kRatioFreeBytes && decoded_bytes_ / kMaxRatio > encoded_bytes_) {
      throw Error(Code::kTooLarge, "Request body expands too much");
    }
    if (result == Z_STREAM_END) {  // another member may follow (RFC 1952, 2.2)
      inflateReset(&stream);
      inflater_->at_member_start = true;
      inflater_->seen_member = true;
      if (stream.avail_in == 0) return;
    } else if (stream.avail_in == 0 && produced < kInflateBufferBytes) {
      return;
    }
  }
}

RequestBody BodySink::Finish() {
  if (inflater_ &&
      !(inflater_->at_member_start && (inflater_->seen_member || encoded_bytes_ == 0))) {
    throw Error(Code::kInvalidArgument, "Request body is truncated gzip");
  }
  if (policy_.spool_always && !file_) Spool("");
  std::optional<Sha256> digest;
  if (hasher_) digest = hasher_->Finish();
  RequestBody body =
      file_ ? RequestBody(std::move(*file_), digest) : RequestBody(std::move(memory_));
  if (digest) body.set_sha256(*digest);
  body.set_watch(std::move(watch_));
  return body;
}

}  // namespace hearth::net
