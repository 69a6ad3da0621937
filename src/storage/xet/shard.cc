#include "storage/xet/shard.h"

#include <array>
#include <cstring>

#include "base/error.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kTagText = std::string_view("HFRepoMetaData\0", 15);
constexpr std::array<uint8_t, 17> kTagBytes = {85,  105, 103, 69, 106, 123, 129, 87, 131,
                                               165, 189, 217, 92, 205, 209, 74,  169};
constexpr uint64_t kShardVersion = 2;
constexpr uint64_t kFooterVersion = 1;

constexpr uint32_t kFileHasVerification = 1u << 31;
constexpr uint32_t kFileHasMetadata = 1u << 30;
constexpr uint32_t kChunkWantsDedup = 1u << 31;

// Offsets inside the footer.
constexpr size_t kFooterKeyAt = 72;
constexpr size_t kFooterCreatedAt = 104;
constexpr size_t kFooterExpiryAt = 112;
constexpr size_t kFooterOffsetAt = 192;

[[noreturn]] void Malformed(const char* what) {
  throw Error(Code::kInvalidArgument, std::string("malformed shard: ") + what);
}

template <typename T>
T ReadAt(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

template <typename T>
void Append(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string ShardTag() {
  return std::string(kTagText) + std::string(kTagBytes.begin(), kTagBytes.end());
}

XetHash HashOf(std::string_view record) { return XetHash::FromRaw(record.substr(0, 32)); }
uint32_t Field(std::string_view record, size_t index) {
  return ReadAt<uint32_t>(record, 32 + 4 * index);
}

bool IsBookend(std::string_view record) {
  return record.substr(0, 32).find_first_not_of('\xff') == std::string_view::npos;
}

void AppendBookend(std::string& out) {
  out.append(32, '\xff');
  out.append(16, '\0');
}

void AppendRecord(const XetHash& hash, const std::array<uint32_t, 4>& fields, std::string& out) {
  out += hash.raw();
  for (uint32_t field : fields) Append(field, out);
}

class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : left_(bytes) {}

  std::string_view Next() {
    if (left_.size() < kShardRecordBytes) Malformed("cut short");
    std::string_view record = left_.substr(0, kShardRecordBytes);
    left_.remove_prefix(kShardRecordBytes);
    return record;
  }
  void Require(uint64_t records) const {
    if (records > left_.size() / kShardRecordBytes) Malformed("a count exceeds the records sent");
  }

 private:
  std::string_view left_;
};

void ReadHeader(std::string_view record) {
  std::string tag = ShardTag();
  if (record.substr(0, tag.size()) != tag) Malformed("not a shard");
  if (ReadAt<uint64_t>(record, tag.size()) != kShardVersion) Malformed("unknown version");
}

ShardTerm ReadTerm(std::string_view record) {
  ShardTerm term;
  term.xorb = HashOf(record);
  term.unpacked_bytes = Field(record, 1);
  term.chunk_start = Field(record, 2);
  term.chunk_end = Field(record, 3);
  if (term.chunk_start >= term.chunk_end) Malformed("a term has no chunks");
  if (term.chunk_end > kXorbMaxChunks) Malformed("a term passes the end of any xorb");
  return term;
}

ShardFile ReadFile(std::string_view header, RecordReader& reader) {
  ShardFile file;
  file.hash = HashOf(header);
  uint32_t flags = Field(header, 0);
  uint64_t terms = Field(header, 1);
  // Another flag would mean records that this version cannot tell from the next block.
  if (flags & ~(kFileHasVerification | kFileHasMetadata)) Malformed("unknown file flags");
  file.has_verification = flags & kFileHasVerification;
  bool has_metadata = flags & kFileHasMetadata;
  reader.Require(terms * (file.has_verification ? 2 : 1) + (has_metadata ? 1 : 0));
  file.terms.reserve(terms);
  for (uint64_t i = 0; i < terms; ++i) file.terms.push_back(ReadTerm(reader.Next()));
  if (file.has_verification) {
    for (ShardTerm& term : file.terms) term.verification = HashOf(reader.Next());
  }
  if (has_metadata) file.sha256 = HashOf(reader.Next()).ToSha256();
  return file;
}

ShardXorb ReadXorb(std::string_view header, RecordReader& reader) {
  ShardXorb xorb;
  xorb.hash = HashOf(header);
  uint32_t chunks = Field(header, 1);
  xorb.unpacked_bytes = Field(header, 2);
  xorb.stored_bytes = Field(header, 3);
  if (chunks > kXorbMaxChunks) Malformed("a xorb has too many chunks");
  reader.Require(chunks);
  xorb.chunks.reserve(chunks);
  for (uint32_t i = 0; i < chunks; ++i) {
    std::string_view record = reader.Next();
    bool wants_dedup = Field(record, 2) & kChunkWantsDedup;
    xorb.chunks.push_back({HashOf(record), Field(record, 0), Field(record, 1), wants_dedup});
  }
  return xorb;
}

// Upload clients verify all files or none; a mixture would let single files slip past the check.
void CheckVerificationIsUniform(const std::vector<ShardFile>& files) {
  const ShardFile* first = nullptr;
  for (const ShardFile& file : files) {
    if (file.terms.empty()) continue;
    if (!first) first = &file;
    if (file.has_verification != first->has_verification) {
      Malformed("only some files carry verification");
    }
  }
}

void AppendHeader(uint64_t footer_bytes, std::string& out) {
  out += ShardTag();
  Append(kShardVersion, out);
  Append(footer_bytes, out);
}

void AppendFile(const ShardFile& file, std::string& out) {
  uint32_t flags =
      (file.has_verification ? kFileHasVerification : 0) | (file.sha256 ? kFileHasMetadata : 0);
  AppendRecord(file.hash, {flags, static_cast<uint32_t>(file.terms.size()), 0, 0}, out);
  for (const ShardTerm& term : file.terms) {
    AppendRecord(term.xorb, {0, term.unpacked_bytes, term.chunk_start, term.chunk_end}, out);
  }
  if (file.has_verification) {
    for (const ShardTerm& term : file.terms) AppendRecord(term.verification, {}, out);
  }
  if (file.sha256) AppendRecord(XetHash::FromSha256(*file.sha256), {}, out);
}

// Hides chunk hashes under `key` where one is given.
void AppendXorb(const ShardXorb& xorb, const Blake3Key* key, std::string& out) {
  auto chunks = static_cast<uint32_t>(xorb.chunks.size());
  AppendRecord(xorb.hash, {0, chunks, xorb.unpacked_bytes, xorb.stored_bytes}, out);
  for (const ShardChunk& chunk : xorb.chunks) {
    uint32_t flags = chunk.wants_global_dedup ? kChunkWantsDedup : 0;
    AppendRecord(key ? ProtectHash(*key, chunk.hash) : chunk.hash,
                 {chunk.unpacked_start, chunk.unpacked_bytes, flags, 0}, out);
  }
}

uint64_t UnixSeconds(std::chrono::sys_seconds time) {
  return static_cast<uint64_t>(time.time_since_epoch().count());
}

}  // namespace

Shard ParseShard(std::string_view bytes) {
  if (bytes.size() > kShardMaxBytes) throw Error(Code::kTooLarge, "shard is longer than 64 MiB");
  RecordReader reader(bytes);
  ReadHeader(reader.Next());
  Shard shard;
  for (auto record = reader.Next(); !IsBookend(record); record = reader.Next()) {
    shard.files.push_back(ReadFile(record, reader));
  }
  for (auto record = reader.Next(); !IsBookend(record); record = reader.Next()) {
    shard.xorbs.push_back(ReadXorb(record, reader));
  }
  CheckVerificationIsUniform(shard.files);
  return shard;
}

std::string WriteShard(const Shard& shard) {
  std::string out;
  AppendHeader(0, out);
  for (const ShardFile& file : shard.files) AppendFile(file, out);
  AppendBookend(out);
  for (const ShardXorb& xorb : shard.xorbs) AppendXorb(xorb, nullptr, out);
  AppendBookend(out);
  return out;
}

std::optional<ShardFooter> FindShardFooter(std::string_view bytes) {
  if (bytes.size() < kShardFooterBytes) return std::nullopt;
  size_t footer_at = bytes.size() - kShardFooterBytes;
  std::string_view record = bytes.substr(footer_at);
  if (ReadAt<uint64_t>(record, 0) != kFooterVersion) return std::nullopt;
  if (ReadAt<uint64_t>(record, kFooterOffsetAt) != footer_at) return std::nullopt;
  ShardFooter footer;
  std::memcpy(footer.hmac_key.data(), record.data() + kFooterKeyAt, footer.hmac_key.size());
  footer.created =
      std::chrono::sys_seconds(std::chrono::seconds(ReadAt<int64_t>(record, kFooterCreatedAt)));
  footer.key_expiry =
      std::chrono::sys_seconds(std::chrono::seconds(ReadAt<int64_t>(record, kFooterExpiryAt)));
  return footer;
}

std::string WriteDedupShard(std::span<const ShardXorb> xorbs, const ShardFooter& footer) {
  if (footer.hmac_key == Blake3Key{}) {
    throw Error(Code::kInternal, "a dedup answer needs a key that is not zero");
  }
  std::string out;
  AppendHeader(kShardFooterBytes, out);
  uint64_t files_at = out.size();
  AppendBookend(out);
  uint64_t xorbs_at = out.size();
  uint64_t stored_bytes = 0;
  uint64_t unpacked_bytes = 0;
  for (const ShardXorb& xorb : xorbs) {
    AppendXorb(xorb, &footer.hmac_key, out);
    stored_bytes += xorb.stored_bytes;
    unpacked_bytes += xorb.unpacked_bytes;
  }
  AppendBookend(out);

  uint64_t footer_at = out.size();
  Append(kFooterVersion, out);
  Append(files_at, out);
  Append(xorbs_at, out);
  // Three empty lookup tables. Their offsets must point here: with 0 the stock client's process
  // aborts.
  for (int table = 0; table < 3; ++table) {
    Append(footer_at, out);
    Append(uint64_t{0}, out);
  }
  out.append(reinterpret_cast<const char*>(footer.hmac_key.data()), footer.hmac_key.size());
  Append(UnixSeconds(footer.created), out);
  Append(UnixSeconds(footer.key_expiry), out);
  out.append(48, '\0');
  Append(stored_bytes, out);
  Append(uint64_t{0}, out);  // bytes of files: the answer lists none
  Append(unpacked_bytes, out);
  Append(footer_at, out);
  return out;
}

}  // namespace hearth::storage
