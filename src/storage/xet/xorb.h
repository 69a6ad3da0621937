// Xorbs: containers of up to 64 MiB of compressed chunks, the unit that clients upload and ranges
// address.
//
// Body = chunk records back to back, each an 8-byte header (version 0, 24-bit stored length,
// scheme, 24-bit raw length) and its payload. A record range is therefore a byte range of the body.
// Old clients append a footer ("XETBLOB" ...): it only repeats what the records say, so it is
// neither checked nor stored. Format: https://huggingface.co/docs/xet/xorb Errors: kInvalidArgument
// for anything malformed, kTooLarge for a passed limit. Thread rule: objects belong to one thread;
// free functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/xet/xet_hash.h"

namespace hearth::storage {

// Limits of the protocol.
constexpr size_t kXorbMaxUnpackedBytes = 64 << 20;
constexpr size_t kXorbMaxChunks = 8192;
constexpr size_t kXorbMaxPayloadBytes = 256 << 10;
constexpr size_t kXorbHeaderBytes = 8;
// Chunks that do not compress are stored raw, so a full body is its raw bytes and one header each.
constexpr size_t kXorbMaxBodyBytes = kXorbMaxUnpackedBytes + kXorbHeaderBytes * kXorbMaxChunks;
constexpr size_t kXorbMaxFooterBytes = 40 * kXorbMaxChunks + 96;

enum class XorbScheme : uint8_t {
  kNone = 0,
  kLz4 = 1,     // one LZ4 frame
  kBg4Lz4 = 2,  // bytes grouped by index mod 4 (floats compress better so), then one LZ4 frame
};

struct XorbChunkHeader {
  XorbScheme scheme;
  uint32_t payload_bytes;   // after the header, 1..256 KiB
  uint32_t unpacked_bytes;  // 1..128 KiB
};

// `bytes` holds at least kXorbHeaderBytes.
XorbChunkHeader ParseXorbChunkHeader(std::string_view bytes);

// Decodes one payload into `out` (resized to header.unpacked_bytes). Never writes more than the
// header announces, whatever the payload says.
void UnpackXorbChunk(const XorbChunkHeader& header, std::string_view payload, std::string& out);
// The same into the caller's memory, which has room for header.unpacked_bytes. After a fault its
// content is undefined.
void UnpackXorbChunk(const XorbChunkHeader& header, std::string_view payload, char* out);

// The same for a chunk that somebody sent. Readers get it as it was sent, so what a frame may be
// is what every client decodes, which is less than what this program does (docs/formats/xet.md).
void UnpackSentChunk(const XorbChunkHeader& header, std::string_view payload, std::string& out);

struct XorbChunkUnpacking {
  XorbChunkHeader header;
  std::string_view payload;
  char* out;  // header.unpacked_bytes that no other chunk shares
};

// The same for several chunks. Compressed ones are decoded side by side, which takes less time than
// one after the other.
void UnpackXorbChunks(std::span<const XorbChunkUnpacking> chunks);

// Header and payload of one chunk of 1..128 KiB, appended to `out`; stored raw where `scheme` gains
// nothing.
void PackXorbChunk(std::string_view chunk, XorbScheme scheme, std::string& out);

struct XorbChunk {
  XetHash hash;
  uint32_t record_end;      // offset in the body after this chunk's record
  uint32_t unpacked_bytes;  // uncompressed length
};

struct XorbIndex {
  XetHash hash;
  std::vector<XorbChunk> chunks;
  uint32_t body_bytes = 0;      // records only, without a footer
  uint32_t unpacked_bytes = 0;  // sum over the chunks
};

// Sees the content of a xorb chunk by chunk, in order, with the hash that was just computed.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // Asked before each chunk: a SHA-256 that would like to take it, which costs less along with its
  // hash than by itself. Null for none. Valid until TakeChunk.
  virtual Sha256Hasher* Foresee() { return nullptr; }
  // What Foresee gave has taken the bytes.
  virtual void TakeChunk(const XetHash& hash, std::string_view bytes) = 0;
};

// Checks an uploaded body while it streams by: every chunk is decoded and hashed, nothing the
// sender says is believed. Memory: one record and 40 bytes per chunk.
class XorbValidator {
 public:
  // `sink` (may be null) outlives the calls of Feed.
  explicit XorbValidator(ChunkSink* sink = nullptr) : sink_(sink) {}
  // Any split of the body over calls. Throws at the first fault; the validator is then spent.
  void Feed(std::string_view bytes);
  // Of the bytes fed so far: where the records end and a footer, if any, begins. A caller that
  // stores the body as it arrives cuts its file here.
  uint64_t record_bytes() const { return record_bytes_; }
  // Throws when the body is cut short, empty, or not the xorb that `expected` names. Call once.
  XorbIndex Finish(const XetHash& expected);

 private:
  // Takes one record or the start of a footer off the front; false when more bytes are needed.
  bool TakeOne(std::string_view& bytes);
  void AcceptChunk(const XorbChunkHeader& header, std::string_view payload);

  ChunkSink* const sink_;
  std::string pending_;   // an incomplete record from earlier calls
  std::string unpacked_;  // scratch of the chunk being checked
  MerkleAggregator merkle_;
  XorbIndex index_;
  uint64_t record_bytes_ = 0;
  uint64_t footer_bytes_ = 0;
  bool in_footer_ = false;
};

// Packs chunks into one xorb, choosing the scheme as it goes.
class XorbBuilder {
 public:
  // Whether a chunk of that many bytes still fits.
  bool Fits(size_t chunk_bytes) const;
  // A chunk of 1..128 KiB with its HashChunk(). Returns its position. Precondition: Fits().
  uint32_t Add(const XetHash& hash, std::string_view chunk);
  bool empty() const { return index_.chunks.empty(); }
  size_t chunks() const { return index_.chunks.size(); }
  const std::string& body() const { return body_; }
  struct Built {
    XorbIndex index;
    std::string body;
  };
  // The finished xorb; the builder is empty again. Precondition: not empty().
  Built Finish();

 private:
  XorbScheme ChooseScheme(std::string_view chunk) const;

  std::string body_;
  XorbIndex index_;
  MerkleAggregator merkle_;
  XorbScheme scheme_ = XorbScheme::kLz4;
};

// The footer (version 1) that the stock client's local store appends to a body. `nonce` is 4 free
// bytes.
std::string WriteXorbFooter(const XorbIndex& index, uint32_t nonce);

}  // namespace hearth::storage
