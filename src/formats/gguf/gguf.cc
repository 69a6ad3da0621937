#include "formats/gguf/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_set>

#include "base/error.h"
#include "formats/gguf/gguf_types.h"

namespace hearth {
namespace {

// One read serves the header of most models; vocabularies take a few.
constexpr size_t kWindowBytes = 256 << 10;
constexpr uint32_t kMaxDims = 4;  // GGML_MAX_DIMS
constexpr uint64_t kDefaultAlignment = 32;
constexpr char kTokensKey[] = "tokenizer.ggml.tokens";

enum ValueType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
  kValueTypes
};

constexpr std::string_view kTypeNames[kValueTypes] = {
    "uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
    "bool",  "string", "array",  "uint64", "int64",  "float64"};
// Least bytes of one value; strings and arrays start with their counts.
constexpr uint64_t kMinBytes[kValueTypes] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};

// A forward cursor with a window over the source; knows where it is, for messages.
class Cursor {
 public:
  Cursor(ByteSource& source, uint64_t end) : source_(source), end_(end) {}

  uint64_t position() const { return position_; }
  uint64_t left() const { return end_ - position_; }
  void Seek(uint64_t position) { position_ = position; }

  [[noreturn]] void Fail(const std::string& why) const {
    throw Error(Code::kInvalidArgument,
                "invalid GGUF header at byte " + std::to_string(position_) + ": " + why);
  }

  void Need(uint64_t bytes) const {
    if (bytes > left()) Fail("the file ends too early");
  }

  void Skip(uint64_t bytes) {
    Need(bytes);
    position_ += bytes;
  }

  template <typename T>
  T Read() {
    char raw[sizeof(T)];
    Copy(raw, sizeof raw);
    T value;
    std::memcpy(&value, raw,
                sizeof value);  // the format and every supported machine: little-endian
    return value;
  }

  std::string ReadString(uint64_t max_bytes, const char* what) {
    uint64_t length = Read<uint64_t>();
    if (length > max_bytes) Fail(std::string(what) + " of " + std::to_string(length) + " bytes");
    Need(length);
    std::string text(length, '\0');
    Copy(text.data(), length);
    return text;
  }

  void SkipString() { Skip(Read<uint64_t>()); }

 private:
  void Copy(char* out, uint64_t n) {
    Need(n);
    while (n > 0) {
      if (position_ < window_at_ || position_ >= window_at_ + window_.size()) Fill();
      uint64_t from = position_ - window_at_;
      uint64_t take = std::min<uint64_t>(n, window_.size() - from);
      std::memcpy(out, window_.data() + from, take);
      out += take;
      position_ += take;
      n -= take;
    }
  }

  void Fill() {
    window_.resize(std::min<uint64_t>(kWindowBytes, left()));
    source_.ReadAt(position_, window_.data(), window_.size());
    window_at_ = position_;
  }

  ByteSource& source_;
  uint64_t end_;
  uint64_t position_ = 0;
  uint64_t window_at_ = 0;
  std::string window_;
};

class Reader {
 public:
  Reader(ByteSource& source, const GgufLimits& limits)
      : limits_(limits),
        file_size_(source.size_bytes()),
        cursor_(source, std::min(file_size_, limits.max_header_bytes)) {}

  GgufHeader Read();

 private:
  void ReadMagic();
  void ReadMetadata(uint64_t count);
  void ReadTensors(uint64_t count);
  void CheckTensor(const GgufTensor& tensor) const;
  uint32_t ReadType();
  Json ReadScalar(uint32_t type);
  Json ReadKeptString();
  Json ReadArray(GgufMetadata* entry, uint64_t depth);
  void SkipItems(uint32_t type, uint64_t count, uint64_t depth);
  void Summarise();
  std::optional<std::string> TokenText(const char* id_key);
  std::optional<uint64_t> Unsigned(std::string_view key) const;

  GgufLimits limits_;
  uint64_t file_size_;
  Cursor cursor_;
  GgufHeader header_;
  uint64_t kept_items_ = 0;
  uint64_t kept_bytes_ = 0;
  uint64_t tokens_at_ = 0;  // position of the first token's string; 0 = no vocabulary
  uint64_t tokens_count_ = 0;
};

void Reader::ReadMagic() {
  if (cursor_.left() < 4) cursor_.Fail("the file ends too early");
  char magic[4];
  for (char& c : magic) c = cursor_.Read<char>();
  if (std::string_view(magic, 4) != "GGUF") {
    throw Error(Code::kInvalidArgument, "not a GGUF file: it does not start with \"GGUF\"");
  }
  header_.version = cursor_.Read<uint32_t>();
  if ((header_.version & 0xFFFF) == 0 && header_.version != 0) {
    throw Error(Code::kUnimplemented, "this GGUF file is big-endian; only little-endian is read");
  }
  if (header_.version == 1) {
    throw Error(Code::kUnimplemented, "GGUF version 1 is not read; convert the file to version 3");
  }
  if (header_.version != 2 && header_.version != 3) {
    throw Error(Code::kUnimplemented,
                "GGUF version " + std::to_string(header_.version) + " is not known");
  }
}

uint32_t Reader::ReadType() {
  auto type = cursor_.Read<uint32_t>();
  if (type >= kValueTypes) cursor_.Fail("unknown value type " + std::to_string(type));
  return type;
}

Json Reader::ReadKeptString() {
  std::string text = cursor_.ReadString(limits_.max_string_bytes, "a string");
  kept_bytes_ += text.size();
  if (kept_bytes_ > limits_.max_kept_bytes) cursor_.Fail("the strings together are too long");
  return Json(std::move(text));
}

Json Reader::ReadScalar(uint32_t type) {
  switch (type) {
    case kUint8:
      return Json(int{cursor_.Read<uint8_t>()});
    case kInt8:
      return Json(int{cursor_.Read<int8_t>()});
    case kUint16:
      return Json(int{cursor_.Read<uint16_t>()});
    case kInt16:
      return Json(int{cursor_.Read<int16_t>()});
    case kUint32:
      return Json(cursor_.Read<uint32_t>());
    case kInt32:
      return Json(cursor_.Read<int32_t>());
    case kFloat32:
      return Json(double{cursor_.Read<float>()});
    case kUint64:
      return Json(cursor_.Read<uint64_t>());
    case kInt64:
      return Json(cursor_.Read<int64_t>());
    case kFloat64:
      return Json(cursor_.Read<double>());
    case kString:
      return ReadKeptString();
    default:
      break;
  }
  auto flag = cursor_.Read<uint8_t>();
  if (flag > 1) cursor_.Fail("a bool that is neither 0 nor 1");
  return Json(flag == 1);
}

void Reader::SkipItems(uint32_t type, uint64_t count, uint64_t depth) {
  if (type == kString) {
    for (uint64_t i = 0; i < count; ++i) cursor_.SkipString();
  } else if (type == kArray) {
    if (depth >= limits_.max_array_depth) cursor_.Fail("arrays are nested too deeply");
    for (uint64_t i = 0; i < count; ++i) {
      uint32_t inner = ReadType();
      auto inner_count = cursor_.Read<uint64_t>();
      if (inner_count > cursor_.left() / kMinBytes[inner]) cursor_.Fail("an array is too long");
      SkipItems(inner, inner_count, depth + 1);
    }
  } else {
    cursor_.Skip(count * kMinBytes[type]);
  }
}

// `entry` gets type and count of the outermost array.
Json Reader::ReadArray(GgufMetadata* entry, uint64_t depth) {
  if (depth >= limits_.max_array_depth) cursor_.Fail("arrays are nested too deeply");
  uint32_t type = ReadType();
  auto count = cursor_.Read<uint64_t>();
  if (count > cursor_.left() / kMinBytes[type]) cursor_.Fail("an array is too long");
  if (entry != nullptr) {
    entry->type = "array[" + std::string(kTypeNames[type]) + "]";
    entry->count = count;
    if (type == kString && entry->key == kTokensKey) {
      tokens_at_ = cursor_.position();
      tokens_count_ = count;
    }
  }
  bool keep = count <= limits_.max_kept_items && kept_items_ + count <= limits_.max_kept_total;
  if (!keep) {
    SkipItems(type, count, depth);
    return Json();
  }
  kept_items_ += count;
  Json::Array items;
  for (uint64_t i = 0; i < count; ++i) {
    items.push_back(type == kArray ? ReadArray(nullptr, depth + 1) : ReadScalar(type));
  }
  return Json(std::move(items));
}

void Reader::ReadMetadata(uint64_t count) {
  std::unordered_set<std::string> seen;
  for (uint64_t i = 0; i < count; ++i) {
    GgufMetadata entry;
    entry.key = cursor_.ReadString(limits_.max_key_bytes, "a key");
    if (!seen.insert(entry.key).second) {
      cursor_.Fail("the key \"" + entry.key.substr(0, 200) + "\" appears twice");
    }
    uint32_t type = ReadType();
    if (type == kArray) {
      entry.value = ReadArray(&entry, 0);
    } else {
      entry.type = kTypeNames[type];
      entry.value = ReadScalar(type);
    }
    header_.metadata.push_back(std::move(entry));
  }
}

void Reader::ReadTensors(uint64_t count) {
  std::unordered_set<std::string> seen;
  for (uint64_t i = 0; i < count; ++i) {
    GgufTensor tensor;
    tensor.name = cursor_.ReadString(limits_.max_key_bytes, "a tensor name");
    if (!seen.insert(tensor.name).second) {
      cursor_.Fail("the tensor \"" + tensor.name.substr(0, 200) + "\" appears twice");
    }
    auto dims = cursor_.Read<uint32_t>();
    if (dims > kMaxDims) cursor_.Fail("a tensor of " + std::to_string(dims) + " dimensions");
    tensor.elements = 1;
    for (uint32_t d = 0; d < dims; ++d) {
      tensor.dims.push_back(cursor_.Read<uint64_t>());
      if (__builtin_mul_overflow(tensor.elements, tensor.dims.back(), &tensor.elements) ||
          tensor.elements > static_cast<uint64_t>(INT64_MAX)) {
        cursor_.Fail("a tensor with too many elements");
      }
    }
    auto type_id = cursor_.Read<uint32_t>();
    tensor.offset = cursor_.Read<uint64_t>();
    if (const GgmlType* type = FindGgmlType(type_id)) {
      tensor.type = type->name;
      uint64_t row = tensor.dims.empty() ? 1 : tensor.dims[0];
      if (row % type->block_elements != 0) {
        cursor_.Fail("the rows of tensor \"" + tensor.name.substr(0, 200) +
                     "\" are no multiple of its block size");
      }
      if (__builtin_mul_overflow(tensor.elements / type->block_elements, type->block_bytes,
                                 &tensor.bytes)) {
        cursor_.Fail("a tensor with too many bytes");
      }
    } else {
      tensor.type = "type_" + std::to_string(type_id);
    }
    header_.tensors.push_back(std::move(tensor));
  }
}

void Reader::CheckTensor(const GgufTensor& tensor) const {
  uint64_t data_bytes = file_size_ - header_.data_offset;
  if (tensor.offset % header_.alignment != 0) {
    cursor_.Fail("tensor \"" + tensor.name.substr(0, 200) + "\" is not aligned");
  }
  if (tensor.offset > data_bytes || tensor.bytes > data_bytes - tensor.offset) {
    cursor_.Fail("tensor \"" + tensor.name.substr(0, 200) + "\" passes the end of the file");
  }
}

std::optional<uint64_t> Reader::Unsigned(std::string_view key) const {
  const GgufMetadata* entry = header_.Find(key);
  std::optional<int64_t> value = entry != nullptr ? entry->value.AsInt() : std::nullopt;
  if (!value || *value < 0) return std::nullopt;
  return static_cast<uint64_t>(*value);
}

std::optional<std::string> Reader::TokenText(const char* id_key) {
  std::optional<uint64_t> id = Unsigned(id_key);
  if (!id || *id >= tokens_count_) return std::nullopt;
  // The vocabulary was walked, not kept; these ids are mostly among the first.
  cursor_.Seek(tokens_at_);
  for (uint64_t i = 0; i < *id; ++i) cursor_.SkipString();
  return cursor_.ReadString(limits_.max_string_bytes, "a token");
}

void Reader::Summarise() {
  auto text = [&](std::string_view key) -> std::optional<std::string> {
    const GgufMetadata* entry = header_.Find(key);
    const std::string* value = entry != nullptr ? entry->value.AsString() : nullptr;
    return value != nullptr ? std::optional(*value) : std::nullopt;
  };
  header_.architecture = text("general.architecture").value_or("");
  header_.context_length = Unsigned(header_.architecture + ".context_length");
  header_.file_type = Unsigned("general.file_type");
  header_.chat_template = text("tokenizer.chat_template");
  header_.bos_token = TokenText("tokenizer.ggml.bos_token_id");
  header_.eos_token = TokenText("tokenizer.ggml.eos_token_id");

  std::map<std::string, uint64_t> by_type;
  for (const GgufTensor& tensor : header_.tensors) {
    if (__builtin_add_overflow(header_.total_parameters, tensor.elements,
                               &header_.total_parameters)) {
      cursor_.Fail("too many elements in all tensors together");
    }
    by_type[tensor.type] += tensor.elements;
  }
  if (header_.file_type) header_.quantization = GgufFileTypeName(*header_.file_type);
  if (header_.quantization.empty() && !by_type.empty()) {
    auto most = std::max_element(by_type.begin(), by_type.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; });
    header_.quantization = most->first;
  }
}

GgufHeader Reader::Read() {
  ReadMagic();
  auto tensors = cursor_.Read<uint64_t>();
  auto pairs = cursor_.Read<uint64_t>();
  if (pairs > limits_.max_metadata) cursor_.Fail(std::to_string(pairs) + " key-value pairs");
  if (tensors > limits_.max_tensors) cursor_.Fail(std::to_string(tensors) + " tensors");
  ReadMetadata(pairs);
  ReadTensors(tensors);

  header_.alignment = kDefaultAlignment;
  if (const GgufMetadata* entry = header_.Find("general.alignment")) {
    std::optional<uint64_t> alignment = Unsigned(entry->key);
    // llama.cpp takes only this type; 1 GiB bounds the arithmetic.
    if (entry->type != "uint32" || !alignment || !std::has_single_bit(*alignment) ||
        *alignment > (1u << 30)) {
      cursor_.Fail("general.alignment is no power of two of type uint32");
    }
    header_.alignment = *alignment;
  }
  uint64_t end = cursor_.position();
  header_.data_offset = (end + header_.alignment - 1) / header_.alignment * header_.alignment;
  // A file of metadata alone may end without the padding.
  if (header_.tensors.empty()) header_.data_offset = std::min(header_.data_offset, file_size_);
  if (header_.data_offset > file_size_) cursor_.Fail("the file ends before the data section");
  for (const GgufTensor& tensor : header_.tensors) CheckTensor(tensor);
  Summarise();
  return std::move(header_);
}

}  // namespace

const GgufMetadata* GgufHeader::Find(std::string_view key) const {
  for (const GgufMetadata& entry : metadata) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

GgufHeader ReadGgufHeader(ByteSource& source, const GgufLimits& limits) {
  return Reader(source, limits).Read();
}

}  // namespace hearth
