#include "formats/inspect/inspector.h"
#include "formats/numpy/numpy_array.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (LooksLikeNumpy(first)) return 100;
  return name.ends_with(".npz") && first.substr(0, 2) == "PK" ? 90 : 0;
}

void AddArray(const NumpyArray& array, std::string name, Inspection* out) {
  InspectedTensor row{.name = std::move(name),
                      .dtype = array.dtype,
                      .shape = array.shape,
                      .elements = array.elements,
                      .bytes = array.bytes,
                      .offset = array.packed ? 0 : array.data_offset,
                      .note = "",
                      .sha256 = ""};
  if (array.fortran_order) row.note = "column-major";
  if (array.big_endian) row.note += row.note.empty() ? "big-endian" : ", big-endian";
  for (const NumpyField& field : array.fields) {
    row.note += (row.note.empty() ? "" : ", ") + field.name + ": " + field.dtype;
  }
  out->tensors.push_back(std::move(row));
}

void Inspect(ByteSource& source, std::string_view name, Inspection* out) {
  if (!LooksLikeNumpy(
          source.Read(0, static_cast<size_t>(std::min<uint64_t>(6, source.size_bytes()))))) {
    for (NumpyArray& array : ReadNpz(source)) AddArray(array, array.name, out);
    out->Add("arrays", out->tensors.size(), "directory of the archive");
    return;
  }
  NumpyArray array = ReadNumpyHeader(source);
  out->Add("version", array.version, "bytes 6-7");
  out->Add("order", array.fortran_order ? "column-major" : "row-major", "header, fortran_order");
  AddArray(array, std::string(name), out);
}

}  // namespace

extern const Inspector kNumpyInspector;
const Inspector kNumpyInspector = {"numpy", Probe, Inspect};

}  // namespace hearth
