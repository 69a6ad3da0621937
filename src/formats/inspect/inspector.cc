#include "formats/inspect/inspector.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "formats/internal/text_bytes.h"

namespace hearth {

// Each file of this folder defines one of these.
#define HEARTH_INSPECTOR(Name) extern const Inspector k##Name##Inspector;
#include "formats/inspect/inspectors.inc"
#undef HEARTH_INSPECTOR

const std::vector<Inspector>& Inspectors() {
  static const std::vector<Inspector> kAll = {
#define HEARTH_INSPECTOR(Name) k##Name##Inspector,
#include "formats/inspect/inspectors.inc"
#undef HEARTH_INSPECTOR
  };
  return kAll;
}

std::vector<std::pair<std::string, uint64_t>> Inspection::CountParameters() const {
  std::map<std::string, uint64_t> counts;
  for (const InspectedTensor& tensor : tensors) {
    if (tensor.note.substr(0, 7) != "same as") counts[tensor.dtype] += tensor.elements;
  }
  std::vector<std::pair<std::string, uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return rows;
}

Json Inspection::ToJson() const {
  Json fact_rows = Json::Arr();
  for (const InspectedFact& fact : facts) {
    fact_rows.Push(
        Json::Obj({{"key", fact.key}, {"value", fact.value}, {"evidence", fact.evidence}}));
  }
  Json tensor_rows = Json::Arr();
  uint64_t bytes = 0;
  for (const InspectedTensor& tensor : tensors) {
    Json shape = Json::Arr();
    for (uint64_t dim : tensor.shape) shape.Push(dim);
    Json row = Json::Obj({{"name", tensor.name},
                          {"dtype", tensor.dtype},
                          {"shape", std::move(shape)},
                          {"elements", tensor.elements},
                          {"bytes", tensor.bytes}});
    if (tensor.offset > 0) row.Set("offset", tensor.offset);
    if (!tensor.note.empty()) row.Set("note", tensor.note);
    if (!tensor.sha256.empty()) row.Set("sha256", tensor.sha256);
    tensor_rows.Push(std::move(row));
    bytes += tensor.bytes;
  }
  Json parameters = Json::Obj();
  uint64_t total = 0;
  for (const auto& [dtype, count] : CountParameters()) {
    parameters.Set(dtype, count);
    total += count;
  }
  Json metadata_object = Json::Obj();
  for (const auto& [key, value] : metadata) metadata_object.Set(key, value);
  return Json::Obj({{"format", format},
                    {"facts", std::move(fact_rows)},
                    {"parameters", std::move(parameters)},
                    {"totalParameters", total},
                    {"tensorBytes", bytes},
                    {"tensors", std::move(tensor_rows)},
                    {"metadata", std::move(metadata_object)},
                    {"warnings", Json(warnings)}});
}

namespace {

// Tensors that lie in the file as they are.
void AddDigests(ByteSource& source, Inspection* inspection) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  for (InspectedTensor& tensor : inspection->tensors) {
    bool inside = tensor.offset > 0 && tensor.offset <= source.size_bytes() &&
                  tensor.bytes <= source.size_bytes() - tensor.offset;
    if (!tensor.sha256.empty() || !inside) continue;
    Sha256Hasher hasher;
    for (uint64_t done = 0; done < tensor.bytes; done += kPieceBytes) {
      uint64_t n = std::min(kPieceBytes, tensor.bytes - done);
      hasher.Update(source.Read(tensor.offset + done, static_cast<size_t>(n)));
    }
    tensor.sha256 = hasher.Finish().Hex();
  }
}

}  // namespace

Inspection InspectSource(ByteSource& source, std::string_view name, const InspectOptions& options) {
  std::string first =
      source.Read(0, static_cast<size_t>(std::min<uint64_t>(1024, source.size_bytes())));
  const Inspector* best = nullptr;
  int surest = 0;
  for (const Inspector& inspector : Inspectors()) {
    int sure = inspector.probe(name, first);
    if (sure > surest) {
      surest = sure;
      best = &inspector;
    }
  }
  Inspection inspection;
  inspection.want_digests = options.digests;
  inspection.format = best == nullptr ? "unknown" : std::string(best->name);
  if (best == nullptr) {
    if (!first.empty() && HasOnlyTextBytes(first))
      inspection.format = name.ends_with(".json") ? "json" : "text";
    return inspection;
  }
  try {
    best->inspect(source, name, &inspection);
    if (options.digests) AddDigests(source, &inspection);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal || error.code() == Code::kUnavailable) throw;
    inspection.warnings.push_back(error.message());
  }
  return inspection;
}

}  // namespace hearth
