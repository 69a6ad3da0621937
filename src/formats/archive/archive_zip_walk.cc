// Everything that some loader could take for a member of a zip archive. The directories are read
// first, from every end record and at both places where loaders look for them; then the bytes that
// nothing accounts for are searched for more local headers, directories and end records.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "formats/archive/archive_zip.h"
#include "formats/archive/internal/zip_records.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

// Searched at a time; signatures across the border are found through an overlap of three bytes.
constexpr uint64_t kSearchBytes = 1 << 20;
// Honest archives have at most a line of text here and there.
constexpr size_t kMaxProblems = 200;
// One is honest; each may lead to a directory of its own.
constexpr size_t kMaxEnds = 16;

using Range = std::pair<uint64_t, uint64_t>;

class Walker {
 public:
  Walker(ByteSource& source, const ZipLimits& limits) : source_(source), limits_(limits) {}

  ZipWalk Walk() {
    bool starts = source_.size_bytes() >= 4 && source_.Read(0, 4) == kZipLocalMagic;
    std::vector<uint64_t> ends = FindZipEnds(source_);
    if (!starts && ends.empty()) return {};
    walk_.is_zip = true;
    AddEnds(std::move(ends));
    if (directories_.size() > 1) {
      Problem("zip-two-directories", *directories_.rbegin(),
              "loaders may choose between " + std::to_string(directories_.size()) + " directories");
    }
    SearchGaps();
    for (auto& [offset, member] : members_) walk_.members.push_back(std::move(member));
    CheckNames();
    walk_.gaps = Gaps();
    return std::move(walk_);
  }

 private:
  void Problem(const char* kind, uint64_t offset, std::string text) {
    if (walk_.problems.size() < kMaxProblems) {
      walk_.problems.push_back({kind, offset, std::move(text), true});
    }
  }

  void Cover(uint64_t begin, uint64_t end) {
    if (end > begin) covered_.emplace_back(begin, std::min(end, source_.size_bytes()));
  }

  // Last one first.
  void AddEnds(std::vector<uint64_t> ends) {
    if (ends.empty()) return Problem("zip-no-directory", 0, "the archive has no end record");
    AddEnd(ends.front());
    if (walk_.problems.empty()) {
      std::erase_if(ends, [&](uint64_t end) { return end != ends.front() && IsOfMember(end); });
    }
    if (ends.size() > kMaxEnds) {
      Problem("zip-many-ends", ends.back(), std::to_string(ends.size()) + " end records");
      ends.resize(kMaxEnds);
    }
    for (size_t i = 1; i < ends.size(); ++i) AddEnd(ends[i]);
  }

  // Is it the end of an archive that is a stored member, as a whole and nothing else? As the end of
  // this archive no loader takes it: its directory is elsewhere, and more follows than a comment.
  // The member is examined by itself.
  bool IsOfMember(uint64_t offset) {
    auto next = members_.upper_bound(offset);
    if (next == members_.begin()) return false;
    const std::vector<ZipReading>& readings = std::prev(next)->second.readings;
    if (readings.size() != 1 || readings[0].method != 0) return false;
    uint64_t begin = readings[0].offset;
    uint64_t end = begin + readings[0].packed_bytes;
    if (begin == 0 || offset < begin || offset >= end) return false;
    std::vector<ZipEnd> records = ReadZipEnds(source_, offset);
    if (records.size() != 1 || records[0].end != end || records[0].tail_begin < begin) return false;
    uint64_t room = records[0].tail_begin - begin;
    return records[0].directory_bytes <= room &&
           room - records[0].directory_bytes == records[0].directory_offset;
  }

  void AddEnd(uint64_t offset) {
    for (const ZipEnd& end : ReadZipEnds(source_, offset)) {
      Cover(end.tail_begin, end.end);
      if (end.end < source_.size_bytes()) {
        Problem("zip-trailing-bytes", end.end, "bytes follow the end record");
      }
      // Python reads the directory that ends at the end record and moves all offsets by what lies
      // before the archive; miniz reads it at the stored offset.
      bool fits = end.directory_bytes <= end.tail_begin;
      uint64_t counted = fits ? end.tail_begin - end.directory_bytes : 0;
      if (fits) AddDirectory(counted, end, counted - end.directory_offset);
      if (!fits || counted != end.directory_offset) {
        Problem("zip-moved-directory", end.offset,
                "the directory is not where the end record says: " +
                    std::to_string(end.directory_offset) + ", " + std::to_string(counted));
        AddDirectory(end.directory_offset, end, 0);
      }
    }
  }

  void AddDirectory(uint64_t begin, const ZipEnd& end, uint64_t base) {
    ZipDirectory directory = ReadZipDirectory(source_, begin, source_.size_bytes(), limits_);
    if (directory.entries.empty()) return;
    if (!directories_.insert(begin).second) return;
    Cover(directory.begin, directory.end);
    if (directory.entries.size() != end.entries) {
      Problem("zip-member-count", end.offset,
              "the end record counts " + std::to_string(end.entries) + " members, the directory " +
                  std::to_string(directory.entries.size()));
    }
    for (const ZipEntry& entry : directory.entries) {
      bool moved = base != 0 && AddMember(entry, entry.header_offset + base);
      bool plain = (base == 0 || !moved) && AddMember(entry, entry.header_offset);
      if (base != 0 && moved) AddMember(entry, entry.header_offset);
      if (!moved && !plain) {
        Problem("zip-no-local-header", entry.header_offset,
                "\"" + entry.name.substr(0, 200) + "\" has no local header");
      }
    }
  }

  // `entry` is a directory's word about the local header at `offset`; false when there is none.
  bool AddMember(const ZipEntry& entry, uint64_t offset) {
    std::optional<ZipEntry> local = ReadZipLocal(source_, offset, limits_);
    if (!local) return false;
    bool known = members_.count(offset) > 0;
    ZipMember& member = members_[offset];
    if (!known) {
      member.name = entry.name;
      member.header_offset = offset;
      member.bytes = entry.bytes;
      Compare(entry, *local, &member);
    } else if (member.name != entry.name) {
      Problem("zip-shared-header", offset,
              "\"" + entry.name.substr(0, 200) + "\" and \"" + member.name.substr(0, 200) +
                  "\" have the same local header");
    }
    AddReading(entry, local->data_offset, &member);
    bool descriptor = (local->flags & 8) != 0;
    if (!descriptor || local->packed_bytes != 0) AddReading(*local, local->data_offset, &member);
    uint64_t end = local->data_offset + std::min(entry.packed_bytes, source_.size_bytes());
    Cover(offset, end);
    if (descriptor) CoverDescriptor(end);
    return true;
  }

  void Compare(const ZipEntry& entry, const ZipEntry& local, ZipMember* member) {
    std::string quoted = "\"" + entry.name.substr(0, 200) + "\"";
    if (local.name != entry.name) {
      member->other_name = local.name;
      Problem("zip-name-mismatch", local.header_offset,
              quoted + " is called \"" + local.name.substr(0, 200) + "\" in its local header");
    }
    CheckUnicodeName(entry, local.header_offset);
    CheckUnicodeName(local, local.header_offset);
    if (entry.is_link) {
      Problem("zip-link", local.header_offset, quoted + " is a symbolic link");
    }
    bool descriptor = (local.flags & 8) != 0;
    if (local.method != entry.method) {
      Problem("zip-method-mismatch", local.header_offset,
              quoted + " has compression " + std::to_string(entry.method) + " in the directory, " +
                  std::to_string(local.method) + " in its local header");
    }
    bool same = local.packed_bytes == entry.packed_bytes && local.bytes == entry.bytes;
    if (!same && !descriptor) {
      Problem("zip-size-mismatch", local.header_offset,
              quoted + " has other sizes in its local header");
    }
    if (!descriptor && local.crc32 != entry.crc32) {
      Problem("zip-crc-mismatch", local.header_offset,
              quoted + " has another checksum in its local header");
    }
    if (((entry.flags | local.flags) & 0x2041) != 0) {
      member->encrypted = true;
      Problem("zip-encrypted", local.header_offset, quoted + " is marked as encrypted");
    }
    if (entry.packed_bytes > source_.size_bytes() - local.data_offset) {
      Problem("zip-truncated", local.header_offset, quoted + " ends after the file");
    }
  }

  // Honest writers add the field for names outside ASCII alone.
  void CheckUnicodeName(const ZipEntry& entry, uint64_t offset) {
    const std::string& name = entry.unicode_name;
    if (name.empty() || name == entry.name) return;
    bool ascii = std::all_of(entry.name.begin(), entry.name.end(),
                             [](char c) { return static_cast<uint8_t>(c) < 0x80; });
    if (!ascii && !LeavesFolder(name)) return;
    Problem(LeavesFolder(name) ? "path-escape" : "zip-name-mismatch", offset,
            "\"" + entry.name.substr(0, 200) + "\" is called \"" + name.substr(0, 200) +
                "\" in its Unicode name");
  }

  void AddReading(const ZipEntry& entry, uint64_t data_offset, ZipMember* member) {
    ZipReading reading{.offset = data_offset,
                       .packed_bytes = entry.packed_bytes,
                       .method = entry.method,
                       .crc32 = entry.crc32,
                       .has_crc = true};
    uint64_t left = source_.size_bytes() - data_offset;
    if (reading.packed_bytes > left) reading.packed_bytes = left;
    for (const ZipReading& other : member->readings) {
      if (other.packed_bytes == reading.packed_bytes && other.method == reading.method) return;
    }
    member->readings.push_back(reading);
  }

  // 12 bytes, or 20 with 64-bit sizes; 4 more with the optional signature.
  void CoverDescriptor(uint64_t at) {
    uint64_t left = source_.size_bytes() - std::min(at, source_.size_bytes());
    if (left < 12) return;
    size_t n = static_cast<size_t>(std::min<uint64_t>(left, 28));
    std::string bytes = source_.Read(at, n);
    size_t from = bytes.compare(0, 4, "PK\7\10") == 0 ? 4 : 0;
    for (size_t length : {from + 12, from + 20}) {
      bool next = bytes.size() == length ||
                  (bytes.size() >= length + 2 && bytes.compare(length, 2, "PK") == 0);
      if (next) return Cover(at, at + length);
    }
    if (from == 4) Cover(at, at + 16);
  }

  std::vector<Range> Gaps() {
    std::sort(covered_.begin(), covered_.end());
    std::vector<Range> gaps;
    uint64_t at = 0;
    for (const Range& range : covered_) {
      if (range.first > at) gaps.emplace_back(at, range.first);
      at = std::max(at, range.second);
    }
    if (at < source_.size_bytes()) gaps.emplace_back(at, source_.size_bytes());
    return gaps;
  }

  void SearchGaps() {
    uint64_t budget = limits_.max_gap_bytes;
    for (const Range& gap : Gaps()) {
      if (gap.second - gap.first > budget) {
        Problem("zip-not-searched", gap.first, "too many bytes belong to no member");
        return;
      }
      budget -= gap.second - gap.first;
      SearchGap(gap);
    }
  }

  void SearchGap(const Range& gap) {
    uint64_t at = gap.first;
    while (at + 4 <= gap.second) {
      size_t n = static_cast<size_t>(std::min(kSearchBytes, gap.second - at));
      std::string block = source_.Read(at, n);
      uint64_t next = at + n - 3;
      for (size_t i = block.find("PK"); i != std::string::npos; i = block.find("PK", i + 1)) {
        if (at + i < skip_until_) continue;
        if (block.compare(i, 4, kZipLocalMagic) == 0) AddHidden(at + i, gap.second);
        if (block.compare(i, 4, kZipCentralMagic) == 0) AddStrayDirectory(at + i);
      }
      if (n < 4) return;
      at = next;
      if (skip_until_ > at) at = std::min(skip_until_, gap.second);
    }
  }

  void AddHidden(uint64_t offset, uint64_t gap_end) {
    std::optional<ZipEntry> local = ReadZipLocal(source_, offset, limits_);
    if (!local || members_.count(offset) > 0) return;
    if (members_.size() >= limits_.max_entries) {
      throw Error(Code::kTooLarge, "the zip archive has too many members");
    }
    ZipMember member;
    member.name = local->name;
    member.header_offset = offset;
    member.hidden = true;
    member.bytes = local->bytes;
    member.encrypted = (local->flags & 1) != 0;
    AddReading(*local, local->data_offset, &member);
    if (local->packed_bytes == 0) {
      ZipReading open = member.readings.front();
      open.packed_bytes = gap_end > local->data_offset ? gap_end - local->data_offset : 0;
      open.open_end = true;
      open.has_crc = false;
      member.readings = {open};
    }
    uint64_t end = local->data_offset + member.readings.front().packed_bytes;
    skip_until_ = local->packed_bytes == 0 ? local->data_offset : end;
    Cover(offset, end);
    Problem("zip-hidden-member", offset,
            "\"" + local->name.substr(0, 200) + "\" is in no directory that the end record names");
    members_.emplace(offset, std::move(member));
  }

  void AddStrayDirectory(uint64_t offset) {
    if (offset < skip_until_) return;
    ZipDirectory directory = ReadZipDirectory(source_, offset, source_.size_bytes(), limits_);
    if (directory.entries.empty()) return;
    Problem("zip-stray-directory", offset, "a directory that no end record names");
    skip_until_ = directory.end;
    Cover(directory.begin, directory.end);
    for (const ZipEntry& entry : directory.entries) AddMember(entry, entry.header_offset);
  }

  static bool LeavesFolder(std::string_view name) {
    bool climbs = name.starts_with("..") || name.find("/../") != std::string_view::npos ||
                  name.find("\\..") != std::string_view::npos;
    bool absolute = !name.empty() && (name[0] == '/' || name[0] == '\\' ||
                                      (name.size() > 2 && name[1] == ':' && name[2] == '\\'));
    return climbs || absolute;
  }

  void CheckNames() {
    std::map<std::string, uint64_t> seen;
    for (const ZipMember& member : walk_.members) {
      const std::string& name = member.name;
      if (!member.hidden && !seen.emplace(name, member.header_offset).second) {
        Problem("zip-duplicate-name", member.header_offset,
                "\"" + name.substr(0, 200) + "\" appears twice");
      }
      if (LeavesFolder(name)) {
        Problem("path-escape", member.header_offset,
                "\"" + name.substr(0, 200) + "\" leads out of the folder");
      }
      if (name.find('\0') != std::string::npos) {
        Problem("zip-name-with-nul", member.header_offset,
                "\"" + name.substr(0, name.find('\0')) + "\" goes on after a NUL byte");
      }
    }
  }

  ByteSource& source_;
  const ZipLimits& limits_;
  ZipWalk walk_;
  std::map<uint64_t, ZipMember> members_;  // by header offset
  std::set<uint64_t> directories_;
  std::vector<Range> covered_;
  uint64_t skip_until_ = 0;
};

}  // namespace

ZipWalk WalkZip(ByteSource& source, const ZipLimits& limits) {
  return Walker(source, limits).Walk();
}

}  // namespace hearth
