// Which names may enter a repository. A tree is checked out on other people's machines, so the
// rules cover what Windows and macOS make of a name too: git's own verify_path and fsck list the
// same tricks (CVE-2014-9390, CVE-2019-1352).
#include "base/bytes.h"
#include "storage/git/git_repository.h"
#include "storage/git/internal/libgit2.h"
#include "storage/git/internal/utf8.h"

namespace hearth::storage {
namespace {

constexpr size_t kMaxPathBytes = 1024;
constexpr size_t kMaxPathParts = 50;
// The longest name that common file systems hold.
constexpr size_t kMaxPartBytes = 255;
// A ref is a file too, and git appends ".lock" to its name.
constexpr size_t kMaxRefPartBytes = 200;
constexpr size_t kMaxRefBytes = 255;

// Code points that HFS+ leaves out when it compares names.
bool IsIgnoredByHfs(uint32_t c) {
  return (c >= 0x200C && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x206A && c <= 0x206F) || c == 0xFEFF;
}

std::string WithoutIgnored(std::string_view part) {
  std::string out;
  for (size_t position = 0; position < part.size();) {
    size_t start = position;
    uint32_t code_point = 0;
    internal::NextCodePoint(part, position, code_point);
    if (!IsIgnoredByHfs(code_point)) out += part.substr(start, position - start);
  }
  return out;
}

// `part` is `name` for NTFS: case, trailing dots and spaces, and a stream after ':' do not count.
bool IsNtfsName(std::string_view part, std::string_view name) {
  part = part.substr(0, part.find(':'));
  while (part.ends_with('.') || part.ends_with(' ')) part.remove_suffix(1);
  return AsciiEqualsIgnoreCase(part, name);
}

std::optional<std::string> PartFault(std::string_view part) {
  if (part.empty()) return "has an empty part";
  if (part == "." || part == "..") return "has a \".\" or \"..\" part";
  if (part.size() > kMaxPartBytes) return "has a part longer than 255 bytes";
  if (IsNtfsName(part, ".git") || IsNtfsName(part, "git~1") ||
      AsciiEqualsIgnoreCase(WithoutIgnored(part), ".git")) {
    return "has a \".git\" part";
  }
  return std::nullopt;
}

bool IsControl(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

}  // namespace

std::optional<std::string> PathFault(std::string_view path) {
  if (path.empty()) return "is empty";
  if (path.size() > kMaxPathBytes) return "is longer than 1024 bytes";
  for (unsigned char byte : path) {
    if (IsControl(byte)) return "has a control character";
    if (byte == '\\') return "has a backslash";
  }
  if (!internal::IsUtf8(path)) return "is not valid UTF-8";
  std::vector<std::string_view> parts = Split(path, '/');
  if (parts.size() > kMaxPathParts) return "has more than 50 parts";
  for (std::string_view part : parts) {
    if (std::optional<std::string> fault = PartFault(part)) return fault;
  }
  return std::nullopt;
}

std::optional<std::string> RefNameFault(std::string_view short_name) {
  if (short_name.empty()) return "is empty";
  if (short_name.size() > kMaxRefBytes) return "is longer than 255 bytes";
  if (short_name.find('\0') != std::string_view::npos || !internal::IsUtf8(short_name)) {
    return "is not valid UTF-8 text";
  }
  // "@" is git's shorthand for HEAD.
  if (short_name == "HEAD" || short_name == "@" || short_name.starts_with("refs/"))
    return "is reserved";
  if (short_name.starts_with('-')) return "starts with '-'";
  if (short_name.size() == 2 * GitOid::kBytes && IsLowerHex(AsciiLower(short_name))) {
    return "looks like a commit id";
  }
  for (std::string_view part : Split(short_name, '/')) {
    if (part.size() > kMaxRefPartBytes) return "has a part longer than 200 bytes";
  }
  internal::StartLibgit2();
  int valid = 0;
  std::string full = "refs/heads/" + std::string(short_name);
  if (git_reference_name_is_valid(&valid, full.c_str()) < 0 || valid == 0) {
    return "is not a valid git reference name";
  }
  return std::nullopt;
}

}  // namespace hearth::storage
