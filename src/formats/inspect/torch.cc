#include <algorithm>

#include "base/hash.h"
#include "formats/inspect/inspector.h"
#include "formats/torch/torch_checkpoint.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (!LooksLikeTorchCheckpoint(first)) return 0;
  if (first[0] != 'P') return 95;  // the magic number of the legacy form
  // The first member of a checkpoint is its pickle, in a folder.
  if (first.substr(0, 200).find("/data.pkl") != std::string_view::npos) return 90;
  for (std::string_view ending : {".bin", ".pt", ".pth", ".ckpt"}) {
    if (name.ends_with(ending)) return 60;
  }
  return 0;
}

std::string DigestOf(TorchCheckpoint* checkpoint, const TorchTensor& tensor) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  Sha256Hasher hasher;
  std::string piece;
  for (uint64_t done = 0; done < tensor.bytes; done += piece.size()) {
    piece.resize(static_cast<size_t>(std::min(kPieceBytes, tensor.bytes - done)));
    checkpoint->ReadTensor(tensor, done, piece.size(), piece.data());
    hasher.Update(piece);
  }
  return hasher.Finish().Hex();
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  TorchCheckpoint checkpoint = TorchCheckpoint::Open(source);
  out->Add("form", checkpoint.form(),
           checkpoint.form() == "zip" ? "member data.pkl" : "bytes 0-13");
  out->Add("byte order", checkpoint.big_endian() ? "big" : "little",
           checkpoint.form() == "zip" ? "member byteorder" : "form");
  out->Add("storages", checkpoint.storages().size(), "persistent ids of the pickle");
  for (const TorchTensor& tensor : checkpoint.tensors()) {
    InspectedTensor row{.name = tensor.name,
                        .dtype = std::string(tensor.dtype->torch),
                        .shape = tensor.shape,
                        .elements = tensor.elements,
                        .bytes = tensor.bytes,
                        .offset = 0,
                        .note = "",
                        .sha256 = ""};
    if (tensor.storage < 0) {
      row.note = "no data (meta)";
    } else {
      const TorchStorage& storage = checkpoint.storages()[static_cast<size_t>(tensor.storage)];
      if (!storage.packed) row.offset = storage.file_offset + tensor.offset * tensor.dtype->bytes;
      if (!tensor.same_as.empty()) {
        row.note = "same as " + tensor.same_as;
      } else if (!tensor.contiguous) {
        row.note = "strided view of storage " + storage.key;
      } else if (storage.bytes != tensor.bytes) {
        row.note = "part of storage " + storage.key;
      }
    }
    if (out->want_digests && tensor.storage >= 0) row.sha256 = DigestOf(&checkpoint, tensor);
    out->tensors.push_back(std::move(row));
  }
  for (const std::string& line : checkpoint.unreadable()) out->warnings.push_back(line);
  if (const Json::Object* values = checkpoint.values().AsObject()) {
    for (const auto& [key, value] : *values) {
      bool plain = !value.is_object() && !value.is_array();
      if (plain && out->metadata.size() < 200) out->metadata.emplace_back(key, value);
    }
  }
}

}  // namespace

extern const Inspector kTorchInspector;
const Inspector kTorchInspector = {"pytorch", Probe, Inspect};

}  // namespace hearth
