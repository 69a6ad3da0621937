#include "search/internal/manifest.h"

namespace hearth::search {
namespace {

constexpr uint64_t kMagic = 0x54534C4D48545248;  // "HRTHMLST"
constexpr size_t kMaxSegments = 10'000;

}  // namespace

std::filesystem::path ManifestPath(const std::filesystem::path& folder) {
  return folder / "manifest";
}

std::string FormatManifest(const Manifest& manifest) {
  std::string bytes;
  PutRaw(kMagic, &bytes);
  PutVarint(kSegmentVersion, &bytes);
  PutVarint(manifest.next_number, &bytes);
  PutVarint(manifest.segments.size(), &bytes);
  for (const SegmentFiles& files : manifest.segments) {
    PutVarint(files.number, &bytes);
    for (size_t i = 0; i < kParts; ++i) {
      PutVarint(files.bytes[i], &bytes);
      PutRaw(files.checksums[i], &bytes);
    }
  }
  PutRaw(ChecksumOf(bytes), &bytes);
  return bytes;
}

Manifest ParseManifest(std::string_view bytes) {
  if (bytes.size() < 16) ThrowDamaged("the manifest is cut off");
  std::string_view content = bytes.substr(0, bytes.size() - 8);
  ByteReader end(bytes.substr(bytes.size() - 8));
  if (end.Raw<uint64_t>() != ChecksumOf(content)) ThrowDamaged("the manifest");
  ByteReader in(content);
  if (in.Raw<uint64_t>() != kMagic) ThrowDamaged("the manifest");
  if (in.Varint() != kSegmentVersion) ThrowDamaged("another version");
  Manifest manifest;
  manifest.next_number = in.Varint();
  uint64_t count = in.Varint();
  if (count > kMaxSegments) ThrowDamaged("the manifest");
  for (uint64_t i = 0; i < count; ++i) {
    SegmentFiles files;
    files.number = in.Varint();
    for (size_t part = 0; part < kParts; ++part) {
      files.bytes[part] = in.Varint();
      files.checksums[part] = in.Raw<uint64_t>();
    }
    manifest.segments.push_back(files);
  }
  return manifest;
}

}  // namespace hearth::search
