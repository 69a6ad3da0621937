// The version 1 footer: the identity of a xorb and, per chunk, hash, end of its record and end of
// its bytes in the uncompressed xorb.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "storage/xet/chunker.h"
#include "storage/xet/internal/xorb_footer.h"
#include "storage/xet/xorb_store.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kTag("XETBLOB\1", 8);
constexpr std::string_view kHashesTag("XBLBHSH\0", 8);
constexpr std::string_view kBoundsTag("XBLBBND\1", 8);
// Behind the bounds: count, two distances, nonce and 12 reserved bytes.
constexpr size_t kTrailerBytes = 4 + 2 * 4 + 16;
constexpr size_t kLengthBytes = 4;

void AppendU32(uint32_t value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint32_t ReadU32(std::string_view bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

[[noreturn]] void Damaged(std::string_view name, const char* what) {
  throw Error(Code::kInternal, "xorb file " + std::string(name) + " is damaged: " + what);
}

// Fills in the ends of the records and the lengths of the chunks; both rise within their limits.
void ReadBounds(std::string_view footer, size_t bounds_at, std::string_view name,
                XorbIndex& index) {
  size_t count = index.chunks.size();
  uint32_t record_end = 0;
  uint32_t unpacked_end = 0;
  for (size_t i = 0; i < count; ++i) {
    XorbChunk& chunk = index.chunks[i];
    chunk.record_end = ReadU32(footer, bounds_at + 4 * i);
    uint32_t next_unpacked = ReadU32(footer, bounds_at + 4 * (count + i));
    if (chunk.record_end <= record_end + kXorbHeaderBytes ||
        chunk.record_end - record_end > kXorbHeaderBytes + kXorbMaxPayloadBytes) {
      Damaged(name, "the records are out of order");
    }
    if (next_unpacked <= unpacked_end || next_unpacked - unpacked_end > kXetMaxChunkBytes) {
      Damaged(name, "the chunks are out of order");
    }
    chunk.unpacked_bytes = next_unpacked - unpacked_end;
    record_end = chunk.record_end;
    unpacked_end = next_unpacked;
  }
  index.body_bytes = record_end;
  index.unpacked_bytes = unpacked_end;
}

}  // namespace

std::string WriteXorbFooter(const XorbIndex& index, uint32_t nonce) {
  auto count = static_cast<uint32_t>(index.chunks.size());
  std::string out;
  out.reserve(internal::XorbFooterBytes(count));
  out += kTag;
  out += index.hash.raw();
  size_t hashes_at = out.size();
  out += kHashesTag;
  AppendU32(count, out);
  for (const XorbChunk& chunk : index.chunks) out += chunk.hash.raw();
  size_t bounds_at = out.size();
  out += kBoundsTag;
  AppendU32(count, out);
  for (const XorbChunk& chunk : index.chunks) AppendU32(chunk.record_end, out);
  uint32_t unpacked_end = 0;
  for (const XorbChunk& chunk : index.chunks) {
    AppendU32(unpacked_end += chunk.unpacked_bytes, out);
  }
  // Two distances back from the end of the info, which lies after the nonce and reserved bytes.
  size_t info_end = out.size() + kTrailerBytes;
  AppendU32(count, out);
  AppendU32(static_cast<uint32_t>(info_end - hashes_at), out);
  AppendU32(static_cast<uint32_t>(info_end - bounds_at), out);
  AppendU32(nonce, out);
  out.append(12, '\0');
  AppendU32(static_cast<uint32_t>(info_end), out);
  return out;
}

XorbIndex internal::ParseXorbFooter(std::string_view footer, uint64_t body_bytes,
                                    std::string_view name) {
  constexpr size_t kHashesAt = kTag.size() + XetHash::kBytes;
  if (footer.size() < XorbFooterBytes(1) || (footer.size() - XorbFooterBytes(0)) % 40 != 0 ||
      footer.size() > XorbFooterBytes(kXorbMaxChunks)) {
    Damaged(name, "its footer has an impossible length");
  }
  size_t count = (footer.size() - XorbFooterBytes(0)) / 40;
  size_t bounds_at = kHashesAt + kHashesTag.size() + 4 + XetHash::kBytes * count;
  size_t trailer_at = bounds_at + kBoundsTag.size() + 4 + 8 * count;
  size_t info_end = trailer_at + kTrailerBytes;
  auto has = [&](size_t at, std::string_view tag) { return footer.substr(at, tag.size()) == tag; };
  if (!has(0, kTag) || !has(kHashesAt, kHashesTag) || !has(bounds_at, kBoundsTag)) {
    Damaged(name, "its footer has other tags");
  }
  if (ReadU32(footer, kHashesAt + kHashesTag.size()) != count ||
      ReadU32(footer, bounds_at + kBoundsTag.size()) != count ||
      ReadU32(footer, trailer_at) != count || ReadU32(footer, info_end) != info_end ||
      ReadU32(footer, trailer_at + 4) != info_end - kHashesAt ||
      ReadU32(footer, trailer_at + 8) != info_end - bounds_at) {
    Damaged(name, "the counts in its footer differ");
  }

  XorbIndex index;
  index.hash = XetHash::FromRaw(footer.substr(kTag.size(), XetHash::kBytes));
  index.chunks.resize(count);
  ReadBounds(footer, bounds_at + kBoundsTag.size() + 4, name, index);
  if (index.body_bytes != body_bytes) Damaged(name, "its records do not fill it");
  if (index.body_bytes > kXorbMaxBodyBytes || index.unpacked_bytes > kXorbMaxUnpackedBytes) {
    Damaged(name, "it is longer than a xorb may be");
  }
  MerkleAggregator merkle;
  const char* hashes = footer.data() + kHashesAt + kHashesTag.size() + 4;
  for (size_t i = 0; i < count; ++i) {
    index.chunks[i].hash = XetHash::FromRaw({hashes + XetHash::kBytes * i, XetHash::kBytes});
    merkle.Add(index.chunks[i].hash, index.chunks[i].unpacked_bytes);
  }
  if (merkle.FinishXorb() != index.hash) Damaged(name, "its chunks have another hash");
  return index;
}

XorbIndex ReadXorbFooter(int fd, std::string_view name) {
  uint64_t file_bytes = FileSize(fd);
  if (file_bytes < internal::XorbFooterBytes(1)) Damaged(name, "it is too short");
  uint32_t info_bytes;
  ReadExactAt(fd, file_bytes - kLengthBytes, reinterpret_cast<char*>(&info_bytes), kLengthBytes);
  uint64_t footer_bytes = uint64_t{info_bytes} + kLengthBytes;
  if (footer_bytes > std::min<uint64_t>(file_bytes, kXorbMaxFooterBytes)) {
    Damaged(name, "its footer has an impossible length");
  }
  std::string footer(footer_bytes, '\0');
  ReadExactAt(fd, file_bytes - footer_bytes, footer.data(), footer.size());
  return internal::ParseXorbFooter(footer, file_bytes - footer_bytes, name);
}

}  // namespace hearth::storage
