#include "formats/inspect/inspector.h"
#include "formats/onnx/onnx_model.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (name.ends_with(".onnx")) return 95;
  return name.ends_with(".pb") && LooksLikeOnnx(first) ? 50 : 0;
}

Json Values(const std::vector<OnnxValue>& values) {
  Json list = Json::Arr();
  for (const OnnxValue& value : values) {
    std::string text = value.name + ": " + (value.dtype.empty() ? "?" : value.dtype) + "[";
    for (size_t i = 0; i < value.shape.size(); ++i) text += (i > 0 ? ", " : "") + value.shape[i];
    list.Push(text + "]");
  }
  return list;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  OnnxLimits limits;
  limits.refuse_escapes = false;
  OnnxModel model = ReadOnnx(source, limits);
  out->Add("IR version", model.ir_version, "field 1");
  Json opsets = Json::Arr();
  for (const auto& [domain, version] : model.opsets) {
    opsets.Push((domain.empty() ? "ai.onnx" : domain) + " " + std::to_string(version));
  }
  out->Add("opsets", std::move(opsets), "field 8, opset_import");
  if (!model.producer.empty())
    out->Add("producer", model.producer + " " + model.producer_version, "fields 2 and 3");
  if (!model.graph_name.empty()) out->Add("graph", model.graph_name, "field 7, name");
  out->Add("inputs", Values(model.inputs), "field 7, input");
  out->Add("outputs", Values(model.outputs), "field 7, output");
  Json operators = Json::Obj();
  for (const auto& [name, count] : model.operators) operators.Set(name, count);
  out->Add("operators", std::move(operators), "field 7, node");
  if (!model.domains.empty())
    out->Add("custom operator domains", Json(model.domains), "field 7, node domain");
  if (!model.functions.empty()) out->Add("functions", model.functions.size(), "field 25");
  if (model.training_graphs > 0) out->Add("training graphs", model.training_graphs, "field 20");
  if (!model.doc.empty()) out->Add("description", model.doc.substr(0, 500), "field 6");
  for (const OnnxTensor& tensor : model.initializers) {
    InspectedTensor row{
        .name = tensor.graph.empty() ? tensor.name : tensor.graph + "/" + tensor.name,
        .dtype = tensor.dtype,
        .shape = {},
        .elements = tensor.elements,
        .bytes = tensor.external ? tensor.external_bytes : tensor.data_bytes,
        .offset = tensor.data_offset,
        .note = "",
        .sha256 = ""};
    for (int64_t dim : tensor.shape) row.shape.push_back(static_cast<uint64_t>(dim));
    if (tensor.external) row.note = "external: " + tensor.location;
    out->tensors.push_back(std::move(row));
  }
  for (const auto& [key, value] : model.metadata) out->metadata.emplace_back(key, value);
}

}  // namespace

extern const Inspector kOnnxInspector;
const Inspector kOnnxInspector = {"onnx", Probe, Inspect};

}  // namespace hearth
