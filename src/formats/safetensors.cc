#include "formats/safetensors.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace hearth {
namespace {

constexpr size_t kLengthBytes = 8;
// Headers nest three deep; unknown fields of a tensor may bring a little more.
constexpr size_t kMaxJsonDepth = 64;

struct DtypeBits {
  std::string_view name;
  uint64_t bits;
};

// The closed list of the format; sizes in bits because of the 4 and 6 bit floats.
constexpr DtypeBits kDtypes[] = {
    {"BOOL", 8},    {"U8", 8},          {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F4", 4},      {"F6_E2M3", 6},
    {"F6_E3M2", 6}, {"I16", 16},        {"U16", 16},        {"F16", 16},    {"BF16", 16},
    {"I32", 32},    {"U32", 32},        {"F32", 32},        {"C64", 64},    {"F64", 64},
    {"I64", 64},    {"U64", 64},
};

uint64_t BitsOf(std::string_view dtype) {
  for (const DtypeBits& entry : kDtypes) {
    if (entry.name == dtype) return entry.bits;
  }
  return 0;
}

[[noreturn]] void Fail(const std::string& why) {
  throw Error(Code::kInvalidArgument, "invalid safetensors header: " + why);
}

[[noreturn]] void FailTensor(std::string_view name, const std::string& why) {
  Fail("tensor \"" + std::string(name.substr(0, 200)) + "\" " + why);
}

std::optional<uint64_t> Product(const std::vector<uint64_t>& shape, uint64_t factor) {
  uint64_t product = factor;
  for (uint64_t dim : shape) {
    if (__builtin_mul_overflow(product, dim, &product)) return std::nullopt;
  }
  return product;
}

std::vector<uint64_t> ReadNumbers(std::string_view name, const char* field,
                                  simdjson::dom::element value) {
  simdjson::dom::array items;
  if (value.get(items)) FailTensor(name, std::string(field) + " is not a list");
  std::vector<uint64_t> numbers;
  for (simdjson::dom::element item : items) {
    uint64_t number;
    if (item.get(number)) {
      FailTensor(name, std::string(field) + " holds something that is not a natural number");
    }
    numbers.push_back(number);
  }
  return numbers;
}

SafetensorsTensor ReadTensor(std::string_view name, simdjson::dom::element value) {
  simdjson::dom::object fields;
  if (value.get(fields)) FailTensor(name, "is not an object");
  SafetensorsTensor tensor;
  tensor.name = name;
  bool has_dtype = false, has_shape = false, has_offsets = false;
  auto once = [&](bool* seen, const char* field) {
    if (*seen) FailTensor(name, std::string("has two fields ") + field);
    *seen = true;
  };
  for (auto [key, field] : fields) {
    if (key == "dtype") {
      once(&has_dtype, "dtype");
      std::string_view dtype;
      if (field.get(dtype)) FailTensor(name, "has a dtype that is not a string");
      if (BitsOf(dtype) == 0) {
        FailTensor(name, "has the unknown dtype \"" + std::string(dtype.substr(0, 40)) + "\"");
      }
      tensor.dtype = dtype;
    } else if (key == "shape") {
      once(&has_shape, "shape");
      tensor.shape = ReadNumbers(name, "shape", field);
    } else if (key == "data_offsets") {
      once(&has_offsets, "data_offsets");
      std::vector<uint64_t> offsets = ReadNumbers(name, "data_offsets", field);
      if (offsets.size() != 2) FailTensor(name, "needs two data_offsets");
      tensor.begin = offsets[0];
      tensor.end = offsets[1];
    }
  }
  if (!has_dtype || !has_shape || !has_offsets) {
    FailTensor(name, "lacks dtype, shape or data_offsets");
  }
  return tensor;
}

void ReadMetadata(simdjson::dom::element value, SafetensorsHeader* header) {
  if (value.is_null()) return;
  simdjson::dom::object fields;
  if (value.get(fields)) Fail("__metadata__ is not an object");
  for (auto [key, field] : fields) {
    std::string_view text;
    if (field.get(text)) {
      Fail("__metadata__ \"" + std::string(key.substr(0, 200)) + "\" is not a string");
    }
    header->metadata.emplace_back(key, text);
  }
}

void RejectDuplicateNames(const std::vector<SafetensorsTensor>& tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const SafetensorsTensor& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) FailTensor(*twice, "appears twice");
}

// Sorted by position: each tensor must start where the one before ends, and the last at the file's
// end.
void CheckRanges(const SafetensorsHeader& header, uint64_t file_size) {
  uint64_t position = 0;
  for (const SafetensorsTensor& tensor : header.tensors) {
    if (tensor.begin != position || tensor.end < tensor.begin) {
      FailTensor(tensor.name, "leaves a hole or overlaps: it starts at byte " +
                                  std::to_string(tensor.begin) + " of the data, " +
                                  std::to_string(position) + " was expected");
    }
    // In two steps, as the element count alone must be representable even for a zero bit size.
    std::optional<uint64_t> elements = Product(tensor.shape, 1);
    std::optional<uint64_t> bits =
        elements ? Product({*elements}, BitsOf(tensor.dtype)) : std::nullopt;
    if (!bits) FailTensor(tensor.name, "has a shape too large to count");
    if (*bits % 8 != 0) FailTensor(tensor.name, "does not fill whole bytes");
    if (tensor.end - tensor.begin != *bits / 8) {
      FailTensor(tensor.name, "has " + std::to_string(tensor.end - tensor.begin) +
                                  " bytes, but dtype and shape need " + std::to_string(*bits / 8));
    }
    position = tensor.end;
  }
  if (position != file_size - header.data_offset) {
    Fail("the tensors cover " + std::to_string(position) + " bytes of data, the file has " +
         std::to_string(file_size - header.data_offset));
  }
}

void CountParameters(SafetensorsHeader* header) {
  std::map<std::string, uint64_t> counts;
  for (const SafetensorsTensor& tensor : header->tensors) {
    uint64_t elements = tensor.elements();
    counts[tensor.dtype] += elements;
    header->total_parameters += elements;
  }
  header->parameters.assign(counts.begin(), counts.end());
  std::stable_sort(header->parameters.begin(), header->parameters.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

bool IsPlainRelativePath(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != std::string_view::npos ||
      path.find('\0') != std::string_view::npos) {
    return false;
  }
  while (true) {
    size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

uint64_t SafetensorsTensor::elements() const { return Product(shape, 1).value_or(0); }

uint64_t SafetensorsHeaderBytes(std::string_view first8, uint64_t file_size) {
  if (first8.size() < kLengthBytes || file_size < kLengthBytes) {
    Fail("the file is shorter than 8 bytes");
  }
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) {
    length = (length << 8) | static_cast<unsigned char>(first8[i]);
  }
  if (length > kSafetensorsMaxHeaderBytes) {
    Fail("its length, " + std::to_string(length) + " bytes, passes the limit of 100 MB");
  }
  if (length > file_size - kLengthBytes) {
    Fail("its length, " + std::to_string(length) + " bytes, passes the end of the file");
  }
  return kLengthBytes + length;
}

SafetensorsHeader ParseSafetensorsHeader(std::string_view prefix_bytes, uint64_t file_size) {
  uint64_t header_bytes = SafetensorsHeaderBytes(prefix_bytes, file_size);
  if (prefix_bytes.size() < header_bytes) Fail("it is truncated");
  std::string_view json = prefix_bytes.substr(kLengthBytes, header_bytes - kLengthBytes);
  if (json.empty() || json.front() != '{') Fail("it does not start with '{'");

  simdjson::dom::parser parser;
  if (parser.allocate(json.size() + 1, kMaxJsonDepth)) {
    throw Error(Code::kTooLarge, "no memory for a safetensors header");
  }
  simdjson::padded_string padded(json);
  simdjson::dom::object root;
  if (auto error = parser.parse(padded).get(root)) Fail(simdjson::error_message(error));

  SafetensorsHeader header;
  header.data_offset = header_bytes;
  bool has_metadata = false;
  for (auto [key, value] : root) {
    if (key == "__metadata__") {
      if (has_metadata) Fail("__metadata__ appears twice");
      has_metadata = true;
      ReadMetadata(value, &header);
    } else {
      header.tensors.push_back(ReadTensor(key, value));
    }
  }
  RejectDuplicateNames(header.tensors);
  std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  CheckRanges(header, file_size);
  CountParameters(&header);
  return header;
}

SafetensorsHeader ReadSafetensorsHeader(ByteSource& source) {
  uint64_t file_size = source.size_bytes();
  std::string prefix = source.Read(0, std::min<uint64_t>(kLengthBytes, file_size));
  uint64_t header_bytes = SafetensorsHeaderBytes(prefix, file_size);
  prefix.resize(header_bytes);
  if (header_bytes > kLengthBytes) {
    source.ReadAt(kLengthBytes, prefix.data() + kLengthBytes, header_bytes - kLengthBytes);
  }
  return ParseSafetensorsHeader(prefix, file_size);
}

SafetensorsIndex ParseSafetensorsIndex(std::string_view json) {
  Json root = Json::Parse(json);
  const Json* map = root.Find("weight_map");
  if (map == nullptr || !map->is_object()) {
    throw Error(Code::kInvalidArgument, "invalid safetensors index: no \"weight_map\" object");
  }
  SafetensorsIndex index;
  for (const auto& [tensor, file] : *map->AsObject()) {
    const std::string* name = file.AsString();
    if (name == nullptr || !IsPlainRelativePath(*name)) {
      throw Error(Code::kInvalidArgument, "invalid safetensors index: tensor \"" +
                                              tensor.substr(0, 200) + "\" names no plain file");
    }
    index.weight_map.emplace_back(tensor, *name);
    index.files.push_back(*name);
  }
  std::sort(index.files.begin(), index.files.end());
  index.files.erase(std::unique(index.files.begin(), index.files.end()), index.files.end());
  if (const Json* metadata = root.Find("metadata")) {
    index.metadata = *metadata;
    const Json* total = metadata->Find("total_size");
    std::optional<int64_t> size = total != nullptr ? total->AsInt() : std::nullopt;
    if (size && *size > 0) index.total_size = static_cast<uint64_t>(*size);
  }
  return index;
}

}  // namespace hearth
