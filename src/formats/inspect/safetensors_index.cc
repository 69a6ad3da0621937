#include "base/error.h"
#include "formats/inspect/inspector.h"
#include "formats/safetensors/safetensors.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 64 << 20;

int Probe(std::string_view name, std::string_view) {
  return name.ends_with(".safetensors.index.json") ? 95 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  if (source.size_bytes() > kMaxBytes)
    throw Error(Code::kTooLarge, "the index is larger than 64 MiB");
  SafetensorsIndex index =
      ParseSafetensorsIndex(source.Read(0, static_cast<size_t>(source.size_bytes())));
  out->Add("files", index.files.size(), "weight_map");
  out->Add("tensors", index.weight_map.size(), "weight_map");
  if (index.total_size > 0) out->Add("total bytes", index.total_size, "metadata.total_size");
  for (const std::string& file : index.files) out->metadata.emplace_back(file, "shard");
}

}  // namespace

extern const Inspector kSafetensorsIndexInspector;
const Inspector kSafetensorsIndexInspector = {"safetensors index", Probe, Inspect};

}  // namespace hearth
