#include "formats/archive/internal/zip_records.h"

#include <algorithm>

#include "base/error.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr uint64_t kCommentBytes = 0xFFFF;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kLocalBytes = 30;
constexpr uint32_t kSaturated32 = 0xFFFFFFFF;

// Takes the next 64-bit value of the zip64 extra field when the 32-bit one is saturated.
void Widen(uint64_t* value, std::string_view* extra) {
  if (*value != kSaturated32 || extra->size() < 8) return;
  *value = Little64(extra->data());
  extra->remove_prefix(8);
}

// The body of an extra field; empty when there is none.
std::string_view FindExtraField(std::string_view extra, uint16_t wanted) {
  while (extra.size() >= 4) {
    uint16_t id = Little16(extra.data());
    size_t n = Little16(extra.data() + 2);
    extra.remove_prefix(4);
    if (n > extra.size()) return {};
    if (id == wanted) return extra.substr(0, n);
    extra.remove_prefix(n);
  }
  return {};
}

constexpr uint16_t kZip64Field = 1;
constexpr uint16_t kUnicodeNameField = 0x7075;

// A version, a checksum of the plain name, then the name: Python and Info-ZIP go by it.
std::string UnicodeName(std::string_view extra, const ZipLimits& limits) {
  constexpr size_t kHeadBytes = 5;
  std::string_view field = FindExtraField(extra, kUnicodeNameField);
  return std::string(
      field.substr(std::min(kHeadBytes, field.size()), static_cast<size_t>(limits.max_name_bytes)));
}

// The zip64 record, where the locator points to and directly before the locator: loaders look at
// either.
std::vector<ZipEnd> ReadZip64Ends(ByteSource& source, const ZipEnd& narrow) {
  std::vector<ZipEnd> ends;
  if (narrow.offset < kZip64TailBytes) return ends;
  std::string tail = source.Read(narrow.offset - kZip64TailBytes, kZip64TailBytes);
  if (tail.compare(56, 4, "PK\6\7") != 0) return ends;
  uint64_t before = narrow.offset - kZip64TailBytes;
  uint64_t pointed = Little64(tail.data() + 56 + 8);
  for (uint64_t at : {before, pointed}) {
    if (at == before && !ends.empty()) continue;
    if (at > source.size_bytes() || source.size_bytes() - at < 56) continue;
    std::string record = source.Read(at, 56);
    if (record.compare(0, 4, "PK\6\6") != 0) continue;
    ZipEnd end = narrow;
    end.zip64 = true;
    end.tail_begin = at;
    end.entries = Little64(record.data() + 32);
    end.directory_bytes = Little64(record.data() + 40);
    end.directory_offset = Little64(record.data() + 48);
    ends.push_back(end);
  }
  return ends;
}

bool Saturated(const ZipEnd& end) {
  return end.entries == 0xFFFF || end.directory_bytes == kSaturated32 ||
         end.directory_offset == kSaturated32;
}

}  // namespace

std::vector<uint64_t> FindZipEnds(ByteSource& source) {
  uint64_t size = source.size_bytes();
  uint64_t n = std::min(size, kZipEndBytes + kCommentBytes);
  std::string tail = source.Read(size - n, static_cast<size_t>(n));
  std::vector<uint64_t> found;
  size_t at = tail.rfind(kZipEndMagic);
  while (at != std::string::npos) {
    if (tail.size() - at >= kZipEndBytes) found.push_back(size - n + at);
    if (at == 0) break;
    at = tail.rfind(kZipEndMagic, at - 1);
  }
  return found;
}

std::vector<ZipEnd> ReadZipEnds(ByteSource& source, uint64_t offset) {
  uint64_t size = source.size_bytes();
  if (offset > size || size - offset < kZipEndBytes) return {};
  std::string record = source.Read(offset, kZipEndBytes);
  ZipEnd narrow;
  narrow.offset = narrow.tail_begin = offset;
  narrow.entries = Little16(record.data() + 10);
  narrow.directory_bytes = Little32(record.data() + 12);
  narrow.directory_offset = Little32(record.data() + 16);
  narrow.end = std::min<uint64_t>(size, offset + kZipEndBytes + Little16(record.data() + 20));
  std::vector<ZipEnd> ends = ReadZip64Ends(source, narrow);
  bool agrees = !ends.empty() && narrow.directory_bytes == ends[0].directory_bytes &&
                narrow.directory_offset == ends[0].directory_offset;
  if (ends.empty() || (!Saturated(narrow) && !agrees)) ends.push_back(narrow);
  return ends;
}

ZipDirectory ReadZipDirectory(ByteSource& source, uint64_t begin, uint64_t limit,
                              const ZipLimits& limits) {
  ZipDirectory directory;
  Cursor cursor(source, begin, limit);
  directory.begin = directory.end = begin;
  std::string head, text;
  while (cursor.ReadBytes(kCentralBytes, &head) && head.compare(0, 4, kZipCentralMagic) == 0) {
    if (directory.entries.size() >= limits.max_entries) {
      throw Error(Code::kTooLarge, "the zip archive has more than " +
                                       std::to_string(limits.max_entries) + " members");
    }
    ZipEntry entry;
    entry.flags = Little16(head.data() + 8);
    entry.method = Little16(head.data() + 10);
    entry.crc32 = Little32(head.data() + 16);
    entry.packed_bytes = Little32(head.data() + 20);
    entry.bytes = Little32(head.data() + 24);
    entry.header_offset = Little32(head.data() + 42);
    uint64_t name_bytes = Little16(head.data() + 28);
    uint64_t extra_bytes = Little16(head.data() + 30);
    if (!cursor.ReadBytes(name_bytes, &entry.name)) break;
    if (!cursor.ReadBytes(extra_bytes, &text)) break;
    entry.unicode_name = UnicodeName(text, limits);
    const bool from_unix = head[5] == 3;
    entry.is_link = from_unix && (Little32(head.data() + 38) >> 16 & 0170000) == 0120000;
    std::string_view wide = FindExtraField(text, kZip64Field);
    Widen(&entry.bytes, &wide);
    Widen(&entry.packed_bytes, &wide);
    Widen(&entry.header_offset, &wide);
    if (entry.name.size() > limits.max_name_bytes) entry.name.resize(limits.max_name_bytes);
    uint64_t comment_bytes = Little16(head.data() + 32);
    directory.entries.push_back(std::move(entry));
    if (comment_bytes > cursor.left()) break;
    cursor.MoveTo(cursor.position() + comment_bytes);
    directory.end = cursor.position();
  }
  return directory;
}

std::optional<ZipEntry> ReadZipLocal(ByteSource& source, uint64_t offset, const ZipLimits& limits) {
  uint64_t size = source.size_bytes();
  if (offset > size || size - offset < kLocalBytes) return std::nullopt;
  std::string head = source.Read(offset, kLocalBytes);
  if (head.compare(0, 4, kZipLocalMagic) != 0) return std::nullopt;
  ZipEntry entry;
  entry.header_offset = offset;
  entry.flags = Little16(head.data() + 6);
  entry.method = Little16(head.data() + 8);
  entry.crc32 = Little32(head.data() + 14);
  entry.packed_bytes = Little32(head.data() + 18);
  entry.bytes = Little32(head.data() + 22);
  uint64_t name_bytes = Little16(head.data() + 26);
  uint64_t extra_bytes = Little16(head.data() + 28);
  if (size - offset - kLocalBytes < name_bytes + extra_bytes) return std::nullopt;
  std::string text =
      source.Read(offset + kLocalBytes, static_cast<size_t>(name_bytes + extra_bytes));
  entry.name = text.substr(0, std::min(name_bytes, limits.max_name_bytes));
  std::string_view extra = std::string_view(text).substr(name_bytes);
  entry.unicode_name = UnicodeName(extra, limits);
  std::string_view wide = FindExtraField(extra, kZip64Field);
  Widen(&entry.bytes, &wide);
  Widen(&entry.packed_bytes, &wide);
  entry.data_offset = offset + kLocalBytes + name_bytes + extra_bytes;
  return entry;
}

}  // namespace hearth
