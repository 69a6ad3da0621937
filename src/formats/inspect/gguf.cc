#include "formats/gguf/gguf.h"

#include <algorithm>

#include "formats/inspect/inspector.h"

namespace hearth {
namespace {

int Probe(std::string_view, std::string_view first) {
  return first.substr(0, 4) == "GGUF" ? 100 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  GgufHeader header = ReadGgufHeader(source);
  out->Add("version", header.version, "bytes 4-7");
  if (!header.architecture.empty())
    out->Add("architecture", header.architecture, "key general.architecture");
  if (!header.quantization.empty())
    out->Add("quantization", header.quantization,
             header.file_type ? "key general.file_type" : "most used tensor type");
  if (header.context_length)
    out->Add("context length", *header.context_length,
             "key " + header.architecture + ".context_length");
  if (header.chat_template)
    out->Add("chat template", std::to_string(header.chat_template->size()) + " bytes",
             "key tokenizer.chat_template");
  if (header.bos_token)
    out->Add("begin token", *header.bos_token, "key tokenizer.ggml.bos_token_id");
  if (header.eos_token) out->Add("end token", *header.eos_token, "key tokenizer.ggml.eos_token_id");
  uint64_t bytes = 0;
  for (const GgufTensor& tensor : header.tensors) {
    InspectedTensor row{.name = tensor.name,
                        .dtype = tensor.type,
                        .shape = tensor.dims,
                        .elements = tensor.elements,
                        .bytes = tensor.bytes,
                        .offset = header.data_offset + tensor.offset,
                        .note = "",
                        .sha256 = ""};
    std::reverse(row.shape.begin(), row.shape.end());  // outermost first, as everywhere else
    bytes += tensor.bytes;
    out->tensors.push_back(std::move(row));
  }
  if (header.total_parameters > 0) {
    out->Add("bits per weight",
             8.0 * static_cast<double>(bytes) / static_cast<double>(header.total_parameters),
             "sizes of all tensors");
  }
  for (const GgufMetadata& row : header.metadata) {
    Json value = row.value;
    if (value.is_null() || row.count > 16) value = row.type + " of " + std::to_string(row.count);
    out->metadata.emplace_back(row.key, std::move(value));
  }
}

}  // namespace

extern const Inspector kGgufInspector;
const Inspector kGgufInspector = {"gguf", Probe, Inspect};

}  // namespace hearth
