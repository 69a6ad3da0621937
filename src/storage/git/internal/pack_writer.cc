// A pack is "PACK", version and count, then every object as type and size in a base-128 header and
// a zlib stream, then the SHA-1 of all that. The index holds the sorted ids with CRC and offset.
#include <arpa/inet.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "storage/git/internal/deflate.h"
#include "storage/git/internal/object_batch.h"

namespace hearth::storage::internal {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr uint64_t kSmallOffsets = uint64_t{1} << 31;

void AppendBe32(std::string& out, uint32_t value) {
  uint32_t big = htonl(value);
  out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

// Writes to a file through a buffer and keeps the running SHA-1.
class HashedWriter {
 public:
  explicit HashedWriter(int fd) : fd_(fd) {}
  void Append(std::string_view bytes) {
    buffer_ += bytes;
    size_ += bytes.size();
    if (buffer_.size() >= kBufferBytes) Flush();
  }
  uint64_t size() const { return size_; }
  // Ends the file with the digest of all before it.
  GitOid Finish() {
    Flush();
    GitOid digest = sha1_.Finish();
    WriteAll(fd_, digest.raw());
    return digest;
  }

 private:
  void Flush() {
    sha1_.Update(buffer_);
    WriteAll(fd_, buffer_);
    buffer_.clear();
  }
  const int fd_;
  Sha1Hasher sha1_;
  std::string buffer_;
  uint64_t size_ = 0;
};

struct Packed {
  GitOid oid;
  uint32_t crc;
  uint64_t offset;
};

std::string EntryHeader(git_object_t type, uint64_t size_bytes) {
  std::string out;
  auto byte = static_cast<unsigned char>(type << 4 | (size_bytes & 15));
  for (size_bytes >>= 4; size_bytes > 0; size_bytes >>= 7) {
    out += static_cast<char>(byte | 0x80);
    byte = size_bytes & 0x7F;
  }
  out += static_cast<char>(byte);
  return out;
}

std::vector<Packed> AppendObjects(HashedWriter& writer,
                                  const std::vector<const PendingObject*>& objects) {
  std::string head = "PACK";
  AppendBe32(head, 2);
  AppendBe32(head, static_cast<uint32_t>(objects.size()));
  writer.Append(head);
  Deflater deflater;
  std::vector<Packed> packed;
  packed.reserve(objects.size());
  std::string entry;
  for (const PendingObject* object : objects) {
    entry = EntryHeader(object->type, object->data.size());
    deflater.Append({}, object->data, entry);
    auto crc = static_cast<uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(entry.data()), entry.size()));
    packed.push_back({object->oid, crc, writer.size()});
    writer.Append(entry);
  }
  return packed;
}

void AppendIndex(HashedWriter& writer, std::vector<Packed> packed, const GitOid& pack_digest) {
  std::sort(packed.begin(), packed.end(),
            [](const Packed& a, const Packed& b) { return a.oid < b.oid; });
  std::string out = "\377tOc";
  AppendBe32(out, 2);
  size_t below = 0;
  for (int first = 0; first < 256; ++first) {
    while (below < packed.size() && packed[below].oid.data()[0] <= first) ++below;
    AppendBe32(out, static_cast<uint32_t>(below));
  }
  for (const Packed& object : packed) out += object.oid.raw();
  for (const Packed& object : packed) AppendBe32(out, object.crc);
  std::string large;
  uint32_t large_count = 0;
  for (const Packed& object : packed) {
    if (object.offset < kSmallOffsets) {
      AppendBe32(out, static_cast<uint32_t>(object.offset));
      continue;
    }
    AppendBe32(out, 0x80000000u | large_count++);
    AppendBe32(large, static_cast<uint32_t>(object.offset >> 32));
    AppendBe32(large, static_cast<uint32_t>(object.offset));
  }
  writer.Append(out);
  writer.Append(large);
  writer.Append(pack_digest.raw());
}

}  // namespace

void WritePack(const std::filesystem::path& pack_folder,
               const std::vector<const PendingObject*>& objects) {
  ScratchFile pack(pack_folder / "tmp_pack_");
  HashedWriter pack_writer(pack.fd());
  std::vector<Packed> packed = AppendObjects(pack_writer, objects);
  GitOid digest = pack_writer.Finish();

  ScratchFile index(pack_folder / "tmp_idx_");
  HashedWriter index_writer(index.fd());
  AppendIndex(index_writer, std::move(packed), digest);
  index_writer.Finish();

  pack.Sync();
  index.Sync();
  // The index last: git looks for packs by their indexes.
  std::string stem = "pack-" + digest.Hex();
  pack.RenameTo(pack_folder / (stem + ".pack"), 0444);
  index.RenameTo(pack_folder / (stem + ".idx"), 0444);
  FsyncFolder(pack_folder);
}

}  // namespace hearth::storage::internal
