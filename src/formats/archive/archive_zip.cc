#include "formats/archive/archive_zip.h"

#include <algorithm>

#include "base/error.h"
#include "formats/archive/internal/zip_records.h"

namespace hearth {
namespace {

[[noreturn]] void Fail(const std::string& why) {
  throw Error(Code::kInvalidArgument, "invalid zip archive: " + why);
}

std::string Quoted(const std::string& name) { return "member \"" + name.substr(0, 200) + "\""; }

// The flags say that sizes and checksum follow the data: the local header then holds zeros.
bool HasDescriptor(const ZipEntry& entry) { return (entry.flags & 8) != 0; }

void CheckAgainstLocal(ByteSource& source, const ZipLimits& limits, ZipEntry* entry) {
  std::optional<ZipEntry> local = ReadZipLocal(source, entry->header_offset, limits);
  if (!local) Fail(Quoted(entry->name) + " has no local header where the directory says");
  if (local->name != entry->name || local->method != entry->method) {
    Fail(Quoted(entry->name) + " and its local header contradict each other");
  }
  bool sizes_agree = local->packed_bytes == entry->packed_bytes && local->bytes == entry->bytes;
  if (!sizes_agree && !HasDescriptor(*local)) {
    Fail(Quoted(entry->name) + " has other sizes in its local header");
  }
  entry->data_offset = local->data_offset;
  uint64_t size = source.size_bytes();
  if (entry->data_offset > size || entry->packed_bytes > size - entry->data_offset) {
    Fail(Quoted(entry->name) + " ends after the file");
  }
  if ((entry->flags & 1) != 0) Fail(Quoted(entry->name) + " is encrypted");
  if (entry->method == kZipStored && entry->packed_bytes != entry->bytes) {
    Fail(Quoted(entry->name) + " is stored but has two sizes");
  }
}

void RejectDuplicates(const std::vector<ZipEntry>& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const ZipEntry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) Fail(Quoted(std::string(*twice)) + " appears twice");
}

}  // namespace

std::vector<ZipEntry> ReadZip(ByteSource& source, const ZipLimits& limits) {
  std::vector<uint64_t> ends = FindZipEnds(source);
  if (ends.empty()) Fail("it has no end record");
  std::vector<ZipEnd> end = ReadZipEnds(source, ends.front());
  if (end.size() != 1) Fail("its end records contradict each other");
  if (end[0].end != source.size_bytes()) Fail("bytes follow its end record");
  if (end[0].directory_bytes > end[0].tail_begin) Fail("its directory is larger than the file");
  uint64_t begin = end[0].tail_begin - end[0].directory_bytes;
  if (begin != end[0].directory_offset) Fail("its directory is not where the end record says");
  ZipDirectory directory = ReadZipDirectory(source, begin, end[0].tail_begin, limits);
  if (directory.end != end[0].tail_begin || directory.entries.size() != end[0].entries) {
    Fail("its directory does not hold the " + std::to_string(end[0].entries) + " members promised");
  }
  RejectDuplicates(directory.entries);
  for (ZipEntry& entry : directory.entries) CheckAgainstLocal(source, limits, &entry);
  return std::move(directory.entries);
}

}  // namespace hearth
