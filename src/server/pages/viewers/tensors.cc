// Files of weights and tokenizers: what their header states, and their tensors, without reading
// these.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "formats/inspect/inspector.h"
#include "server/pages/viewers/viewer.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxTensors = 3000;
constexpr size_t kMaxTextBytes = 600;

// Formats whose header says more than their bytes as text would.
constexpr std::string_view kEndings[] = {"safetensors", "gguf",   "bin",    "pt",   "pth", "ckpt",
                                         "pkl",         "pickle", "onnx",   "npy",  "npz", "h5",
                                         "hdf5",        "keras",  "joblib", "model"};

bool Accepts(const BlobSubject& subject) {
  return subject.binary &&
         std::find(std::begin(kEndings), std::end(kEndings), subject.ending) != std::end(kEndings);
}

std::string Text(const Json& value) {
  std::string text = value.AsString() != nullptr ? *value.AsString() : value.Dump();
  text = Utf8Lossy(text);
  if (text.size() <= kMaxTextBytes) return text;
  return std::string(TruncateUtf8Bytes(text, kMaxTextBytes)) + "…";
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (uint64_t extent : shape) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text;
}

// "sharded index" -> "Sharded index": keys of inspectors are words, written as the page's other
// labels are. "general.architecture" and "n_ctx" are names of the format, left as they are.
std::string LabelOf(const std::string& key) {
  std::string label = Utf8Lossy(key);
  bool word = label.find_first_of("._/") == std::string::npos;
  if (word && !label.empty() && label[0] >= 'a' && label[0] <= 'z') label[0] -= 'a' - 'A';
  return label;
}

void Fill(const BlobSubject& subject, Json* data) {
  Inspection inspection = InspectSource(*subject.source, subject.name);
  if (inspection.facts.empty() && inspection.tensors.empty()) {
    std::string reason =
        inspection.warnings.empty() ? "nobody knows this format" : inspection.warnings[0];
    throw Error(Code::kInvalidArgument, reason);
  }
  Json facts = Json::Arr(), metadata = Json::Arr(), tensors = Json::Arr(), types = Json::Arr();
  for (const InspectedFact& fact : inspection.facts) {
    facts.Push(Json::Obj(
        {{"label", LabelOf(fact.key)}, {"value", Text(fact.value)}, {"evidence", fact.evidence}}));
  }
  for (const auto& [key, value] : inspection.metadata)
    metadata.Push(Json::Obj({{"key", Utf8Lossy(key)}, {"value", Text(value)}}));
  uint64_t elements = 0;
  for (const auto& [type, count] : inspection.CountParameters()) elements += count;
  for (const auto& [type, count] : inspection.CountParameters()) {
    types.Push(Json::Obj({{"name", type},
                          {"count", count},
                          {"percent", elements == 0 ? 0.0
                                                    : 100.0 * static_cast<double>(count) /
                                                          static_cast<double>(elements)}}));
  }
  for (const InspectedTensor& tensor : inspection.tensors) {
    if (tensors.AsArray()->size() == kMaxTensors) break;
    tensors.Push(Json::Obj({{"name", Utf8Lossy(tensor.name)},
                            {"dtype", tensor.dtype},
                            {"shape", ShapeText(tensor.shape)},
                            {"elements", tensor.elements},
                            {"bytes", tensor.bytes},
                            {"note", Utf8Lossy(tensor.note)}}));
  }
  data->Set("format", inspection.format);
  data->Set("facts", std::move(facts));
  data->Set("metadata", std::move(metadata));
  data->Set("parameters", elements);
  data->Set("types", std::move(types));
  data->Set("tensors", std::move(tensors));
  data->Set("tensor_count", inspection.tensors.size());
  data->Set("notes", Json(inspection.warnings));
}

}  // namespace

Viewer Make_tensors() { return {"tensors", Accepts, Fill}; }

}  // namespace hearth::server
