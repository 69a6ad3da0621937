#include "formats/gguf/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "base/error.h"
#include "tensor/blocks.h"

namespace hearth {
namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kMaxDims = 4;
constexpr size_t kMaxNameBytes = 63;  // ggml keeps 64 with the closing zero
constexpr uint32_t kStringType = 8;
constexpr uint32_t kArrayType = 9;
constexpr std::string_view kTypeNames[] = {"uint8",  "int8",    "uint16", "int16",  "uint32",
                                           "int32",  "float32", "bool",   "string", "array",
                                           "uint64", "int64",   "float64"};

[[noreturn]] void Refuse(const std::string& why) { throw Error(Code::kInvalidArgument, why); }

class Encoder {
 public:
  template <typename T>
  void Put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof raw);
    bytes_.append(raw, sizeof raw);
  }

  void PutString(std::string_view text) {
    Put(uint64_t{text.size()});
    bytes_.append(text);
  }

  void PutMetadata(const GgufMetadata& entry);
  void PutItem(const GgufItem& item, uint64_t offset);
  const std::string& bytes() const { return bytes_; }

 private:
  void PutValue(uint32_t type, const Json& value, const std::string& key);

  template <typename T>
  void PutInteger(const Json& value, const std::string& key) {
    if constexpr (std::is_unsigned_v<T>) {
      std::optional<uint64_t> number = value.AsUint();
      if (!number || *number > std::numeric_limits<T>::max()) Misfit(key);
      Put(static_cast<T>(*number));
    } else {
      std::optional<int64_t> number = value.AsInt();
      if (!number || *number > std::numeric_limits<T>::max() ||
          *number < std::numeric_limits<T>::min()) {
        Misfit(key);
      }
      Put(static_cast<T>(*number));
    }
  }

  [[noreturn]] static void Misfit(const std::string& key) {
    Refuse("the value of \"" + key + "\" does not fit its type");
  }

  std::string bytes_;
};

uint32_t TypeNumber(std::string_view name, const std::string& key) {
  for (uint32_t i = 0; i < std::size(kTypeNames); ++i) {
    if (kTypeNames[i] == name) return i;
  }
  Refuse("\"" + key + "\" has the unknown type " + std::string(name));
}

void Encoder::PutValue(uint32_t type, const Json& value, const std::string& key) {
  switch (type) {
    case 0:
      return PutInteger<uint8_t>(value, key);
    case 1:
      return PutInteger<int8_t>(value, key);
    case 2:
      return PutInteger<uint16_t>(value, key);
    case 3:
      return PutInteger<int16_t>(value, key);
    case 4:
      return PutInteger<uint32_t>(value, key);
    case 5:
      return PutInteger<int32_t>(value, key);
    case 10:
      return PutInteger<uint64_t>(value, key);
    case 11:
      return PutInteger<int64_t>(value, key);
    default:
      break;
  }
  if (type == 6 || type == 12) {
    std::optional<double> number = value.AsDouble();
    if (!number) Misfit(key);
    if (type == 6) return Put(static_cast<float>(*number));
    return Put(*number);
  }
  if (type == 7) {
    if (!value.is_bool()) Misfit(key);
    return Put(static_cast<uint8_t>(*value.AsBool() ? 1 : 0));
  }
  if (type != kStringType || value.AsString() == nullptr) Misfit(key);
  PutString(*value.AsString());
}

void Encoder::PutMetadata(const GgufMetadata& entry) {
  PutString(entry.key);
  std::string_view type = entry.type;
  if (!type.starts_with("array[") || !type.ends_with("]")) {
    uint32_t number = TypeNumber(type, entry.key);
    Put(number);
    return PutValue(number, entry.value, entry.key);
  }
  uint32_t item = TypeNumber(type.substr(6, type.size() - 7), entry.key);
  const Json::Array* items = entry.value.AsArray();
  if (items == nullptr || item == kArrayType) Misfit(entry.key);
  Put(kArrayType);
  Put(item);
  Put(uint64_t{items->size()});
  for (const Json& value : *items) PutValue(item, value, entry.key);
}

void Encoder::PutItem(const GgufItem& item, uint64_t offset) {
  PutString(item.name);
  Put(static_cast<uint32_t>(item.shape.size()));
  for (size_t i = item.shape.size(); i-- > 0;) Put(item.shape[i]);
  Put(static_cast<uint32_t>(item.type));
  Put(offset);
}

uint64_t Padded(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

uint64_t AlignmentOf(const std::vector<GgufMetadata>& metadata) {
  for (const GgufMetadata& entry : metadata) {
    if (entry.key != "general.alignment") continue;
    std::optional<uint64_t> value = entry.value.AsUint();
    if (entry.type != "uint32" || !value || !std::has_single_bit(*value) || *value > (1u << 30)) {
      Refuse("general.alignment is no power of two of type uint32");
    }
    return *value;
  }
  return 32;
}

void CheckNames(const std::vector<GgufItem>& items, const std::vector<GgufMetadata>& metadata) {
  std::unordered_set<std::string_view> seen;
  for (const GgufItem& item : items) {
    if (item.name.size() > kMaxNameBytes) Refuse("the name \"" + item.name + "\" is too long");
    if (!seen.insert(item.name).second) Refuse("two tensors are called \"" + item.name + "\"");
  }
  seen.clear();
  for (const GgufMetadata& entry : metadata) {
    if (!seen.insert(entry.key).second) Refuse("\"" + entry.key + "\" is set twice");
  }
}

}  // namespace

uint64_t GgufBytes(const GgufItem& item) {
  if (item.shape.size() > kMaxDims) {
    Refuse("tensor \"" + item.name + "\" has more than four dimensions");
  }
  uint64_t elements = 1;
  for (uint64_t dim : item.shape) {
    if (__builtin_mul_overflow(elements, dim, &elements)) {
      Refuse("tensor \"" + item.name + "\" has too many elements");
    }
  }
  uint64_t row = item.shape.empty() ? 1 : item.shape.back();
  if (row % tensor::InfoOf(item.type).block_elements != 0) {
    Refuse("the rows of tensor \"" + item.name + "\" are no whole blocks");
  }
  return tensor::BlockBytes(item.type, elements);
}

GgufMetadata GgufTyped(std::string key, std::string type, Json value) {
  GgufMetadata entry;
  entry.key = std::move(key);
  entry.type = std::move(type);
  if (const Json::Array* items = value.AsArray()) entry.count = items->size();
  entry.value = std::move(value);
  return entry;
}

GgufMetadata GgufString(std::string key, std::string value) {
  return GgufTyped(std::move(key), "string", Json(std::move(value)));
}
GgufMetadata GgufUint32(std::string key, uint64_t value) {
  return GgufTyped(std::move(key), "uint32", Json(value));
}
GgufMetadata GgufFloat32(std::string key, double value) {
  return GgufTyped(std::move(key), "float32", Json(value));
}
GgufMetadata GgufBool(std::string key, bool value) {
  return GgufTyped(std::move(key), "bool", Json(value));
}

GgufWriter::GgufWriter(const std::filesystem::path& target, IfExists if_exists,
                       std::vector<GgufItem> items, const std::vector<GgufMetadata>& metadata)
    : items_(std::move(items)), alignment_(AlignmentOf(metadata)), file_(target, if_exists) {
  CheckNames(items_, metadata);
  Encoder encoder;
  for (char c : std::string_view("GGUF")) encoder.Put(c);
  encoder.Put(kVersion);
  encoder.Put(uint64_t{items_.size()});
  encoder.Put(uint64_t{metadata.size()});
  for (const GgufMetadata& entry : metadata) encoder.PutMetadata(entry);
  uint64_t offset = 0;
  for (const GgufItem& item : items_) {
    encoder.PutItem(item, offset);
    offset += Padded(GgufBytes(item), alignment_);
  }
  const std::string& bytes = encoder.bytes();
  file_.Append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  file_.AppendZeros(Padded(bytes.size(), alignment_) - bytes.size());
  if (!items_.empty()) left_ = GgufBytes(items_[0]);
  SkipEmpty();
}

void GgufWriter::SkipEmpty() {
  while (left_ == 0 && current_ < items_.size()) {
    file_.AppendZeros(Padded(file_.size(), alignment_) - file_.size());
    if (++current_ < items_.size()) left_ = GgufBytes(items_[current_]);
  }
}

void GgufWriter::Append(std::span<const uint8_t> bytes) {
  if (bytes.size() > left_) Refuse("more bytes than the tensor has");
  left_ -= bytes.size();
  file_.Append(bytes);
  if (!bytes.empty()) SkipEmpty();
}

void GgufWriter::Commit() {
  if (current_ < items_.size()) {
    Refuse("bytes of tensor \"" + items_[current_].name + "\" are missing");
  }
  file_.Commit();
}

}  // namespace hearth
