#include "formats/inspect/inspector.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";

int Probe(std::string_view, std::string_view first) {
  return first.substr(0, 8) == kMagic ? 100 : 0;
}

// The superblock alone: datasets need a library of their own to be listed.
void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  std::string head =
      source.Read(0, static_cast<size_t>(std::min<uint64_t>(9, source.size_bytes())));
  if (head.size() == 9) out->Add("superblock version", static_cast<int>(head[8]), "byte 8");
  out->warnings.push_back(
      "the datasets of HDF5 files are not listed; model configurations in them are scanned");
}

}  // namespace

extern const Inspector kHdf5Inspector;
const Inspector kHdf5Inspector = {"hdf5", Probe, Inspect};

}  // namespace hearth
