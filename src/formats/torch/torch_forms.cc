// The two forms of a checkpoint file. Zip: <name>/data.pkl, <name>/byteorder, <name>/data/<key>.
// Legacy: the pickles of a magic number, a protocol number, a dict about the machine, the object
// and the list of storage keys, then for each key its count as eight bytes and its elements.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "formats/archive/archive_decode.h"
#include "formats/archive/archive_zip.h"
#include "formats/source/source_window.h"
#include "formats/torch/internal/torch_layout.h"

namespace hearth {
namespace {

using Limits = TorchCheckpoint::Limits;

// The magic number of legacy files as LONG1 writes it.
constexpr std::string_view kLegacyMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
constexpr int64_t kLegacyProtocol = 1001;

[[noreturn]] void Fail(const std::string& why) {
  throw Error(Code::kInvalidArgument, "invalid PyTorch checkpoint: " + why);
}

std::unique_ptr<ByteSource> OpenMember(ByteSource& source, const ZipEntry& entry, uint64_t limit) {
  if (entry.bytes > limit) {
    throw Error(Code::kTooLarge, "\"" + entry.name + "\" of the checkpoint is too large");
  }
  auto window = std::make_unique<WindowSource>(source, entry.data_offset, entry.packed_bytes);
  if (entry.method == kZipStored) return window;
  if (entry.method != kZipDeflated) Fail("\"" + entry.name + "\" has an unknown compression");
  Unpacked unpacked = Unpack(*window, Packing::kDeflate, {.max_bytes = limit});
  if (!unpacked.problem.empty()) Fail("\"" + entry.name + "\": " + unpacked.problem);
  if (unpacked.source->size_bytes() != entry.bytes) Fail("\"" + entry.name + "\" has another size");
  return std::move(unpacked.source);
}

// `type` is what the storage says, `elements` its own count.
uint64_t StorageBytes(const TorchStorageId& id, const TorchDtype** dtype) {
  *dtype = FindTorchStorageDtype(id.type);
  if (*dtype == nullptr) Fail("storage \"" + id.key + "\" has the unknown type " + id.type);
  uint64_t bytes;
  if (__builtin_mul_overflow(id.elements, (*dtype)->bytes, &bytes)) {
    Fail("storage \"" + id.key + "\" has an impossible size");
  }
  return bytes;
}

class ZipForm {
 public:
  ZipForm(ByteSource& source, const Limits& limits) : source_(source), limits_(limits) {}

  TorchFile Open() {
    for (ZipEntry& entry : ReadZip(source_)) {
      std::string name = entry.name;
      members_.emplace(std::move(name), std::move(entry));
    }
    FindFolder();
    if (members_.count(folder_ + "constants.pkl") > 0 || HasCode()) {
      throw Error(Code::kUnimplemented,
                  "this is a TorchScript archive, which is a program and not a checkpoint");
    }
    TorchFile file;
    file.form = "zip";
    file.big_endian = ReadByteOrder();
    std::unique_ptr<ByteSource> data =
        OpenMember(source_, members_.at(folder_ + "data.pkl"), limits_.max_pickle_bytes);
    file.pickle = ReadTorchPickle(*data, 0, limits_.pickle);
    if (file.pickle.end != data->size_bytes()) Fail("bytes follow the pickle");
    for (const TorchStorageId& id : file.pickle.storages) AddStorage(id, &file);
    return file;
  }

 private:
  void FindFolder() {
    bool found = false;
    for (const auto& [name, entry] : members_) {
      bool is_pickle = name == "data.pkl" || (name.size() > 9 && name.ends_with("/data.pkl") &&
                                              name.find('/') == name.size() - 9);
      if (!is_pickle) continue;
      if (found) Fail("it has two data.pkl");
      found = true;
      folder_ = name.substr(0, name.size() - 8);
    }
    if (!found) Fail("the archive has no data.pkl");
  }

  bool HasCode() const {
    auto at = members_.lower_bound(folder_ + "code/");
    return at != members_.end() && at->first.starts_with(folder_ + "code/");
  }

  bool ReadByteOrder() {
    auto found = members_.find(folder_ + "byteorder");
    if (found == members_.end()) return false;
    std::unique_ptr<ByteSource> source = OpenMember(source_, found->second, 16);
    std::string order = source->Read(0, static_cast<size_t>(source->size_bytes()));
    if (order != "little" && order != "big") Fail("its byte order is neither little nor big");
    return order == "big";
  }

  void AddStorage(const TorchStorageId& id, TorchFile* file) {
    const TorchDtype* dtype;
    uint64_t bytes = StorageBytes(id, &dtype);
    auto found = members_.find(folder_ + "data/" + id.key);
    if (found == members_.end())
      Fail("storage \"" + id.key.substr(0, 200) + "\" is not in the archive");
    const ZipEntry& entry = found->second;
    if (entry.bytes < bytes) {
      Fail("storage \"" + id.key + "\" has " + std::to_string(entry.bytes) + " bytes, " +
           std::to_string(bytes) + " are promised");
    }
    TorchStorage storage{.key = id.key, .location = id.location, .bytes = bytes};
    storage.file_offset = entry.data_offset;
    if (entry.method != kZipStored) {
      if (entry.method != kZipDeflated)
        Fail("storage \"" + id.key + "\" has an unknown compression");
      storage.packed = true;
    }
    file->storages.push_back(std::move(storage));
    file->dtypes.push_back(dtype);
    file->packed.emplace_back(entry.data_offset, entry.packed_bytes);
  }

  ByteSource& source_;
  const Limits& limits_;
  std::map<std::string, ZipEntry> members_;
  std::string folder_;
};

class LegacyForm {
 public:
  LegacyForm(ByteSource& source, const Limits& limits) : source_(source), limits_(limits) {}

  TorchFile Open() {
    TorchPickle magic = ReadTorchPickle(source_, 0, limits_.pickle);
    TorchPickle protocol = ReadTorchPickle(source_, magic.end, limits_.pickle);
    if (protocol.root->integer != kLegacyProtocol) Fail("its protocol is not 1001");
    TorchPickle machine = ReadTorchPickle(source_, protocol.end, limits_.pickle);
    TorchFile file;
    file.form = "legacy";
    file.pickle = ReadTorchPickle(source_, machine.end, limits_.pickle);
    TorchPickle keys = ReadTorchPickle(source_, file.pickle.end, limits_.pickle);
    if (keys.root->kind != TorchValue::Kind::kList) Fail("it has no list of storages");
    for (const TorchStorageId& id : file.pickle.storages) {
      const TorchDtype* dtype;
      StorageBytes(id, &dtype);
      file.dtypes.push_back(dtype);
      // The element size of a key is that of the first storage with it, as the reference reader has
      // it.
      element_bytes_.emplace(id.key, dtype->bytes);
    }
    WalkData(*keys.root, keys.end);
    for (size_t i = 0; i < file.pickle.storages.size(); ++i) {
      file.storages.push_back(Place(file.pickle.storages[i], *file.dtypes[i]));
      file.packed.emplace_back(0, 0);
    }
    return file;
  }

 private:
  void WalkData(const TorchValue& keys, uint64_t at) {
    uint64_t size = source_.size_bytes();
    for (const TorchValue* key : keys.items) {
      std::string name =
          key->kind == TorchValue::Kind::kInt ? std::to_string(key->integer) : key->text;
      auto element = element_bytes_.find(name);
      if (element == element_bytes_.end()) Fail("it has data for a storage that nothing names");
      if (size - at < 8) Fail("it is cut off before storage \"" + name + "\"");
      uint64_t count = Little64(source_.Read(at, 8).data());
      at += 8;
      uint64_t bytes;
      if (__builtin_mul_overflow(count, element->second, &bytes) || bytes > size - at) {
        Fail("storage \"" + name + "\" ends after the file");
      }
      places_[name] = {at, bytes};
      at += bytes;
    }
  }

  TorchStorage Place(const TorchStorageId& id, const TorchDtype& dtype) {
    auto found = places_.find(id.key);
    if (found == places_.end()) Fail("storage \"" + id.key.substr(0, 200) + "\" has no data");
    auto [offset, bytes] = found->second;
    if (id.is_view) {
      uint64_t skip, length;
      if (__builtin_mul_overflow(id.view_offset, dtype.bytes, &skip) ||
          __builtin_mul_overflow(id.view_elements, dtype.bytes, &length) || skip > bytes ||
          length > bytes - skip) {
        Fail("a view leaves storage \"" + id.key + "\"");
      }
      offset += skip;
      bytes = length;
    }
    return {.key = id.key, .location = id.location, .bytes = bytes, .file_offset = offset};
  }

  ByteSource& source_;
  const Limits& limits_;
  std::map<std::string, uint64_t> element_bytes_;
  std::map<std::string, std::pair<uint64_t, uint64_t>> places_;
};

}  // namespace

TorchFile OpenTorchZip(ByteSource& source, const TorchCheckpoint::Limits& limits) {
  return ZipForm(source, limits).Open();
}

TorchFile OpenTorchLegacy(ByteSource& source, const TorchCheckpoint::Limits& limits) {
  return LegacyForm(source, limits).Open();
}

const TorchDtype* FindTorchStorageDtype(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"FloatStorage", "float32"},
      {"HalfStorage", "float16"},
      {"BFloat16Storage", "bfloat16"},
      {"DoubleStorage", "float64"},
      {"LongStorage", "int64"},
      {"IntStorage", "int32"},
      {"ShortStorage", "int16"},
      {"CharStorage", "int8"},
      {"ByteStorage", "uint8"},
      {"BoolStorage", "bool"},
      {"UntypedStorage", "uint8"},
      {"ComplexFloatStorage", "complex64"},
      {"ComplexDoubleStorage", "complex128"},
      {"QInt8Storage", "qint8"},
      {"QInt32Storage", "qint32"},
      {"QUInt8Storage", "quint8"},
      {"QUInt4x2Storage", "quint4x2"},
      {"QUInt2x4Storage", "quint2x4"},
  };
  for (auto [name, dtype] : kTypes) {
    if (name == type) return FindTorchDtype(dtype);
  }
  return nullptr;
}

bool LooksLikeTorchCheckpoint(std::string_view first) {
  if (first.substr(0, 4) == "PK\3\4") return true;
  return first.size() > 2 && first[0] == '\x80' &&
         first.substr(2, kLegacyMagic.size()) == kLegacyMagic;
}

}  // namespace hearth
