#include "formats/safetensors/safetensors.h"

#include "formats/inspect/inspector.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (name.ends_with(".safetensors")) return 90;
  if (first.size() < 10) return 0;
  uint64_t length = Little64(first.data());
  return length > 1 && length <= kSafetensorsMaxHeaderBytes && first[8] == '{' && first[9] == '"'
             ? 80
             : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  SafetensorsHeader header = ReadSafetensorsHeader(source);
  out->Add("header", std::to_string(header.data_offset - 8) + " bytes of JSON", "bytes 0-7");
  for (const SafetensorsTensor& tensor : header.tensors) {
    out->tensors.push_back({.name = tensor.name,
                            .dtype = tensor.dtype,
                            .shape = tensor.shape,
                            .elements = tensor.elements(),
                            .bytes = tensor.end - tensor.begin,
                            .offset = header.data_offset + tensor.begin,
                            .note = "",
                            .sha256 = ""});
  }
  for (const auto& [key, value] : header.metadata) out->metadata.emplace_back(key, value);
}

}  // namespace

extern const Inspector kSafetensorsInspector;
const Inspector kSafetensorsInspector = {"safetensors", Probe, Inspect};

}  // namespace hearth
