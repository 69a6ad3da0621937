#include "formats/archive/archive_tar.h"
#include "formats/archive/archive_zip.h"
#include "formats/inspect/inspector.h"

namespace hearth {
namespace {

constexpr size_t kMaxListed = 1000;

int Probe(std::string_view, std::string_view first) {
  if (first.substr(0, 4) == "PK\3\4" || first.substr(0, 4) == "PK\5\6") return 50;
  return LooksLikeTar(first) ? 50 : 0;
}

void Inspect(ByteSource& source, std::string_view name, Inspection* out) {
  uint64_t members = 0, bytes = 0;
  ZipWalk zip = WalkZip(source);
  for (const ZipMember& member : zip.members) {
    ++members;
    bytes += member.bytes;
    if (out->metadata.size() < kMaxListed) out->metadata.emplace_back(member.name, member.bytes);
  }
  if (!zip.is_zip) {
    for (const TarMember& member : WalkTar(source).members) {
      ++members;
      bytes += member.bytes;
      if (out->metadata.size() < kMaxListed) out->metadata.emplace_back(member.name, member.bytes);
    }
  }
  out->format = !zip.is_zip ? "tar" : name.ends_with(".keras") ? "keras" : "zip";
  out->Add("members", members, zip.is_zip ? "directory and local headers" : "headers");
  out->Add("bytes unpacked", bytes, "sizes of the members");
}

}  // namespace

extern const Inspector kArchiveInspector;
const Inspector kArchiveInspector = {"archive", Probe, Inspect};

}  // namespace hearth
