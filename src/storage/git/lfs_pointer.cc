// Git LFS pointer files: at most a kilobyte of "key value" lines, `version` first, then the other
// keys in alphabetical order. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
#include "base/bytes.h"
#include "storage/git/git_repository.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kVersionLine = "version https://git-lfs.github.com/spec/v1";
constexpr std::string_view kOidKey = "oid sha256:";
constexpr std::string_view kSizeKey = "size ";
constexpr std::string_view kExtensionKey = "ext-";

// Cuts the first line off `text`; the newline at the very end may be missing.
std::string_view TakeLine(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::optional<LfsPointer> ParseLfsPointer(std::string_view blob) {
  if (blob.size() > kMaxPointerBytes || TakeLine(blob) != kVersionLine) return std::nullopt;
  std::string_view line = TakeLine(blob);
  // Extensions describe filters that ran before; the object is still named by `oid`.
  while (line.starts_with(kExtensionKey)) line = TakeLine(blob);
  if (!line.starts_with(kOidKey)) return std::nullopt;
  std::optional<Sha256> oid = Sha256::FromHex(line.substr(kOidKey.size()));
  line = TakeLine(blob);
  if (!oid || !line.starts_with(kSizeKey) || !blob.empty()) return std::nullopt;
  std::optional<uint64_t> size_bytes = ParseUint(line.substr(kSizeKey.size()));
  // git-lfs holds sizes as signed 64-bit numbers.
  if (!size_bytes || *size_bytes > INT64_MAX) return std::nullopt;
  return LfsPointer{*oid, *size_bytes};
}

std::string MakeLfsPointer(const LfsPointer& pointer) {
  return std::string(kVersionLine) + "\n" + std::string(kOidKey) + pointer.oid.Hex() + "\n" +
         std::string(kSizeKey) + std::to_string(pointer.size_bytes) + "\n";
}

}  // namespace hearth::storage
