// HDF5 and Keras' .h5: datasets, and the root's attributes, where Keras says what the model is.
#include "formats/hdf5/hdf5_file.h"

#include "base/error.h"
#include "formats/inspect/inspector.h"

namespace hearth {
namespace {

// A block of the user's may be larger than the bytes at hand: then the name decides.
int Probe(std::string_view name, std::string_view first) {
  if (LooksLikeHdf5(first)) return 100;
  for (std::string_view ending : {".h5", ".hdf5", ".hdf"}) {
    if (name.ends_with(ending)) return 50;
  }
  return 0;
}

std::string NoteOf(const Hdf5Dataset& dataset) {
  if (!dataset.same_as.empty()) return "same as " + dataset.same_as;
  std::string note = dataset.layout == "contiguous" ? "" : dataset.layout;
  for (const std::string& filter : dataset.filters) note += (note.empty() ? "" : ", ") + filter;
  return note;
}

// The class and name that a configuration of Keras gives.
void AddKerasFacts(const std::string& text, Inspection* out) {
  Json config;
  try {
    config = Json::Parse(text);
  } catch (const Error&) {
    out->warnings.push_back("the attribute model_config is no JSON");
    return;
  }
  const std::string place = "attribute model_config";
  if (const Json* type = config.Find("class_name")) out->Add("model class", *type, place);
  const Json* inner = config.Find("config");
  if (inner == nullptr) return;
  if (const Json* name = inner->Find("name")) out->Add("model name", *name, place);
  if (const Json* layers = inner->Find("layers")) out->Add("layers", layers->size(), place);
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  Hdf5File file = ReadHdf5(source);
  std::string at = std::to_string(file.superblock_offset + 8);
  out->Add("superblock version", file.superblock_version, "byte " + at);
  if (file.superblock_offset > 0)
    out->Add("user block", std::to_string(file.superblock_offset) + " bytes",
             "before the superblock");
  out->Add("groups", file.groups, "links from the root group");
  out->Add("datasets", file.datasets.size(), "links from the root group");
  for (auto& [key, value] : file.attributes) {
    if (key == "keras_version" || key == "backend") out->Add(key, value, "attribute " + key);
    const std::string* text = value.AsString();
    if (key == "model_config" && text != nullptr) AddKerasFacts(*text, out);
    out->metadata.emplace_back(key, std::move(value));
  }
  for (const Hdf5Dataset& dataset : file.datasets) {
    out->tensors.push_back({.name = dataset.name,
                            .dtype = dataset.dtype,
                            .shape = dataset.shape,
                            .elements = dataset.elements,
                            .bytes = dataset.bytes,
                            .offset = dataset.offset,
                            .note = NoteOf(dataset),
                            .sha256 = ""});
  }
  for (std::string& warning : file.warnings) out->warnings.push_back(std::move(warning));
}

}  // namespace

extern const Inspector kHdf5Inspector;
const Inspector kHdf5Inspector = {"hdf5", Probe, Inspect};

}  // namespace hearth
