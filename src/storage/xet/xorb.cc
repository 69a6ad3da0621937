#include "storage/xet/xorb.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "storage/xet/chunker.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kFooterTag = "XETBLOB";
// The data's kind rarely changes within a xorb: the schemes are compared once per this many chunks.
constexpr size_t kChooseEvery = 32;

[[noreturn]] void Malformed(const char* what) {
  throw Error(Code::kInvalidArgument, std::string("malformed xorb: ") + what);
}

}  // namespace

void XorbValidator::Feed(std::string_view bytes) {
  if (!pending_.empty()) {
    // Complete the waiting record, first its header, then its payload, and copy no more than that.
    while (!bytes.empty() && !pending_.empty()) {
      size_t want = kXorbHeaderBytes;
      if (pending_.size() >= kXorbHeaderBytes) {
        want += ParseXorbChunkHeader(pending_).payload_bytes;
      }
      size_t take = std::min(bytes.size(), want - pending_.size());
      pending_ += bytes.substr(0, take);
      bytes.remove_prefix(take);
      std::string_view record = pending_;
      if (TakeOne(record)) pending_.clear();
      if (in_footer_) break;
    }
  }
  if (in_footer_) {
    footer_bytes_ += pending_.size();
    pending_.clear();
  }
  while (!in_footer_ && !bytes.empty() && TakeOne(bytes)) {
  }
  if (!in_footer_) {
    pending_ += bytes;
    return;
  }
  footer_bytes_ += bytes.size();
  if (footer_bytes_ > kXorbMaxFooterBytes) throw Error(Code::kTooLarge, "xorb footer is too long");
}

bool XorbValidator::TakeOne(std::string_view& bytes) {
  if (bytes.front() == kFooterTag.front()) {
    size_t known = std::min(bytes.size(), kFooterTag.size());
    if (bytes.substr(0, known) != kFooterTag.substr(0, known)) Malformed("unknown chunk version");
    in_footer_ = known == kFooterTag.size();
    return false;
  }
  if (bytes.size() < kXorbHeaderBytes) return false;
  XorbChunkHeader header = ParseXorbChunkHeader(bytes);
  if (index_.chunks.size() == kXorbMaxChunks)
    throw Error(Code::kTooLarge, "xorb has too many chunks");
  if (index_.unpacked_bytes + header.unpacked_bytes > kXorbMaxUnpackedBytes) {
    throw Error(Code::kTooLarge, "xorb unpacks to more than 64 MiB");
  }
  size_t record_bytes = kXorbHeaderBytes + header.payload_bytes;
  if (bytes.size() < record_bytes) return false;
  AcceptChunk(header, bytes.substr(kXorbHeaderBytes, header.payload_bytes));
  bytes.remove_prefix(record_bytes);
  return true;
}

void XorbValidator::AcceptChunk(const XorbChunkHeader& header, std::string_view payload) {
  record_bytes_ += kXorbHeaderBytes + header.payload_bytes;
  // Compressed payloads may be up to twice their chunk: the sum has its own limit.
  if (record_bytes_ > kXorbMaxBodyBytes) throw Error(Code::kTooLarge, "xorb is longer than 64 MiB");
  std::string_view content = payload;
  if (header.scheme != XorbScheme::kNone) {
    UnpackSentChunk(header, payload, unpacked_);
    content = unpacked_;
  }
  Sha256Hasher* foreseen = sink_ != nullptr ? sink_->Foresee() : nullptr;
  XetHash hash = foreseen != nullptr ? HashChunk(content, *foreseen) : HashChunk(content);
  if (sink_ != nullptr) sink_->TakeChunk(hash, content);
  index_.unpacked_bytes += header.unpacked_bytes;
  index_.chunks.push_back({hash, static_cast<uint32_t>(record_bytes_), header.unpacked_bytes});
  merkle_.Add(hash, header.unpacked_bytes);
}

XorbIndex XorbValidator::Finish(const XetHash& expected) {
  if (!pending_.empty()) Malformed("body is cut short");
  if (index_.chunks.empty()) Malformed("no chunks");
  index_.body_bytes = static_cast<uint32_t>(record_bytes_);
  index_.hash = merkle_.FinishXorb();
  if (index_.hash != expected) {
    throw Error(Code::kInvalidArgument, "xorb does not have the hash that it was sent as");
  }
  return std::move(index_);
}

bool XorbBuilder::Fits(size_t chunk_bytes) const {
  return index_.chunks.size() < kXorbMaxChunks &&
         index_.unpacked_bytes + chunk_bytes <= kXorbMaxUnpackedBytes;
}

XorbScheme XorbBuilder::ChooseScheme(std::string_view chunk) const {
  if (index_.chunks.size() % kChooseEvery != 0) return scheme_;
  std::string plain;
  std::string grouped;
  PackXorbChunk(chunk, XorbScheme::kLz4, plain);
  PackXorbChunk(chunk, XorbScheme::kBg4Lz4, grouped);
  return grouped.size() < plain.size() ? XorbScheme::kBg4Lz4 : XorbScheme::kLz4;
}

uint32_t XorbBuilder::Add(const XetHash& hash, std::string_view chunk) {
  if (!Fits(chunk.size())) throw Error(Code::kInternal, "xorb is full");
  // Address space only; growing step by step would touch and copy twice the memory.
  if (body_.empty()) body_.reserve(kXorbMaxBodyBytes);
  scheme_ = ChooseScheme(chunk);
  PackXorbChunk(chunk, scheme_, body_);
  auto bytes = static_cast<uint32_t>(chunk.size());
  index_.unpacked_bytes += bytes;
  index_.chunks.push_back({hash, static_cast<uint32_t>(body_.size()), bytes});
  merkle_.Add(hash, bytes);
  return static_cast<uint32_t>(index_.chunks.size() - 1);
}

XorbBuilder::Built XorbBuilder::Finish() {
  index_.hash = merkle_.FinishXorb();
  index_.body_bytes = static_cast<uint32_t>(body_.size());
  Built built{std::move(index_), std::move(body_)};
  *this = XorbBuilder();
  return built;
}

}  // namespace hearth::storage
