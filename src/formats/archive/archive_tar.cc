#include "formats/archive/archive_tar.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMaxTextBytes = 1 << 20;  // of a long name or a pax header
constexpr uint64_t kMaxBlanks = 1 << 20;     // blocks that are passed over after the end marker

std::string_view Field(std::string_view block, size_t at, size_t n) {
  std::string_view field = block.substr(at, n);
  return field.substr(0, field.find('\0'));
}

// Octal text, or base 256 when the top bit is set.
uint64_t Number(std::string_view field) {
  uint64_t value = 0;
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (size_t i = 1; i < field.size(); ++i)
      value = value << 8 | static_cast<unsigned char>(field[i]);
    return value;
  }
  for (char c : field) {
    if (c >= '0' && c <= '7') value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

bool ChecksumHolds(std::string_view block) {
  uint64_t stored = Number(block.substr(148, 8));
  int64_t plain = 0, with_signs = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    char c = i >= 148 && i < 156 ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_signs += static_cast<signed char>(c);
  }
  auto expected = static_cast<int64_t>(stored);
  return plain != 8 * ' ' && (plain == expected || with_signs == expected);
}

// "27 path=some/name\n" records; the last of a key counts.
std::string PaxValue(std::string_view records, std::string_view key) {
  std::string value;
  while (!records.empty()) {
    size_t blank = records.find(' ');
    if (blank == std::string_view::npos) break;
    std::optional<uint64_t> length = ParseUint(records.substr(0, blank));
    if (!length || *length <= blank || *length > records.size()) break;
    std::string_view record = records.substr(blank + 1, *length - blank - 1);
    if (!record.empty() && record.back() == '\n') record.remove_suffix(1);
    if (record.size() > key.size() && record.substr(0, key.size()) == key &&
        record[key.size()] == '=') {
      value = record.substr(key.size() + 1);
    }
    records.remove_prefix(*length);
  }
  return value;
}

class Walker {
 public:
  Walker(ByteSource& source, uint64_t max_members) : source_(source), max_members_(max_members) {}

  TarWalk Walk() {
    uint64_t at = 0, blanks = 0;
    while (at + kBlock <= source_.size_bytes() && blanks < kMaxBlanks) {
      std::string block = source_.Read(at, kBlock);
      if (!ChecksumHolds(block)) {
        if (at == 0) return std::move(walk_);
        ++blanks;
        at += kBlock;
        continue;
      }
      walk_.is_tar = true;
      if (blanks > 0) Problem("tar-hidden-member", at, "a member follows the end of the archive");
      blanks = 0;
      at = Member(block, at);
    }
    return std::move(walk_);
  }

 private:
  void Problem(const char* kind, uint64_t offset, std::string text) {
    if (walk_.problems.size() < 200)
      walk_.problems.push_back({kind, offset, std::move(text), true});
  }

  // Returns where the next header is.
  uint64_t Member(const std::string& block, uint64_t at) {
    TarMember member;
    member.type = block[156] == '\0' ? '0' : block[156];
    member.bytes = Number(block.substr(124, 12));
    member.offset = at + kBlock;
    uint64_t left = source_.size_bytes() - member.offset;
    bool is_text =
        member.type == 'L' || member.type == 'K' || member.type == 'x' || member.type == 'g';
    if (is_text) return Text(member, left);
    member.name = long_name_.empty() ? Field(block, 0, 100) : long_name_;
    if (long_name_.empty() && block.compare(257, 5, "ustar") == 0 &&
        !Field(block, 345, 155).empty()) {
      member.name = std::string(Field(block, 345, 155)) + "/" + member.name;
    }
    member.link = long_link_.empty() ? Field(block, 157, 100) : long_link_;
    if (!pax_size_.empty()) member.bytes = ParseUint(pax_size_).value_or(member.bytes);
    long_name_.clear();
    long_link_.clear();
    pax_size_.clear();
    if (member.bytes > left) {
      Problem("tar-truncated", at, "\"" + member.name.substr(0, 200) + "\" ends after the file");
      member.bytes = left;
    }
    bool has_data = member.type != '1' && member.type != '2' && member.type != '5';
    uint64_t next = member.offset + (has_data ? (member.bytes + kBlock - 1) / kBlock * kBlock : 0);
    CheckPaths(member, at);
    if (walk_.members.size() >= max_members_) {
      throw Error(Code::kTooLarge, "the tar archive has too many members");
    }
    walk_.members.push_back(std::move(member));
    return next;
  }

  uint64_t Text(const TarMember& member, uint64_t left) {
    uint64_t n = std::min({member.bytes, left, kMaxTextBytes});
    std::string text = source_.Read(member.offset, static_cast<size_t>(n));
    if (member.type == 'L') long_name_ = text.substr(0, text.find('\0'));
    if (member.type == 'K') long_link_ = text.substr(0, text.find('\0'));
    if (member.type == 'x') {
      std::string path = PaxValue(text, "path"), link = PaxValue(text, "linkpath");
      if (!path.empty()) long_name_ = path;
      if (!link.empty()) long_link_ = link;
      pax_size_ = PaxValue(text, "size");
    }
    return member.offset + (std::min(member.bytes, left) + kBlock - 1) / kBlock * kBlock;
  }

  void CheckPaths(const TarMember& member, uint64_t at) {
    bool is_link = member.type == '1' || member.type == '2';
    if (LeavesFolder(member.name) || (is_link && LeavesFolder(member.link))) {
      Problem("path-escape", at,
              "\"" + member.name.substr(0, 200) + "\"" +
                  (is_link ? " -> \"" + member.link.substr(0, 200) + "\"" : "") +
                  " leads out of the folder");
    }
  }

  ByteSource& source_;
  uint64_t max_members_;
  TarWalk walk_;
  std::string long_name_, long_link_, pax_size_;
};

}  // namespace

bool LeavesFolder(std::string_view path) {
  return !path.empty() && (path[0] == '/' || path.substr(0, 3) == "../" || path == ".." ||
                           path.find("/../") != std::string_view::npos);
}

bool LooksLikeTar(std::string_view first512) {
  return first512.size() >= kBlock && ChecksumHolds(first512.substr(0, kBlock));
}

TarWalk WalkTar(ByteSource& source, uint64_t max_members) {
  return Walker(source, max_members).Walk();
}

}  // namespace hearth
