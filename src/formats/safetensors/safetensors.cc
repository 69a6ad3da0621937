#include "formats/safetensors/safetensors.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "formats/safetensors/safetensors_json.h"
#include "text/utf8.h"

namespace hearth {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr char kKind[] = "kind";

[[noreturn]] void Fail(const char* kind, const std::string& why) {
  throw Error(Code::kInvalidArgument, "invalid safetensors header: " + why).With(kKind, kind);
}

[[noreturn]] void FailTensor(const char* kind, std::string_view name, const std::string& why) {
  Fail(kind, "tensor \"" + std::string(name.substr(0, 200)) + "\" " + why);
}

std::optional<uint64_t> Product(const std::vector<uint64_t>& shape, uint64_t factor) {
  uint64_t product = factor;
  for (uint64_t dim : shape) {
    if (__builtin_mul_overflow(product, dim, &product)) return std::nullopt;
  }
  return product;
}

// Sorted by position: each tensor must start where the one before ends, and the last at the file's
// end. The order of the checks decides which error a file with several gets.
void CheckRanges(const SafetensorsHeader& header, uint64_t file_size) {
  uint64_t position = 0;
  for (const SafetensorsTensor& tensor : header.tensors) {
    if (tensor.begin != position || tensor.end < tensor.begin) {
      FailTensor("InvalidOffset", tensor.name,
                 "leaves a hole or overlaps: it starts at byte " + std::to_string(tensor.begin) +
                     " of the data, " + std::to_string(position) + " was expected");
    }
    // In two steps, as the element count alone must be representable even for a zero bit size.
    std::optional<uint64_t> elements = Product(tensor.shape, 1);
    std::optional<uint64_t> bits =
        elements ? Product({*elements}, tensor::DtypeBits(tensor.type)) : std::nullopt;
    if (!bits) FailTensor("ValidationOverflow", tensor.name, "has a shape too large to count");
    if (*bits % 8 != 0) FailTensor("MisalignedSlice", tensor.name, "does not fill whole bytes");
    if (tensor.bytes() != *bits / 8) {
      FailTensor("TensorInvalidInfo", tensor.name,
                 "has " + std::to_string(tensor.bytes()) + " bytes, but dtype and shape need " +
                     std::to_string(*bits / 8));
    }
    position = tensor.end;
  }
  if (position != file_size - header.data_offset) {
    Fail("MetadataIncompleteBuffer", "the tensors cover " + std::to_string(position) +
                                         " bytes of data, the file has " +
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

const SafetensorsTensor* SafetensorsHeader::Find(std::string_view name) const {
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::string_view SafetensorsErrorKind(const Error& error) {
  for (const auto& [key, value] : error.details()) {
    if (key == kKind) return value;
  }
  return {};
}

uint64_t SafetensorsHeaderBytes(std::string_view first8, uint64_t file_size) {
  if (first8.size() < kLengthBytes || file_size < kLengthBytes) {
    Fail("HeaderTooSmall", "the file is shorter than 8 bytes");
  }
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) {
    length = (length << 8) | static_cast<unsigned char>(first8[i]);
  }
  if (length > kSafetensorsMaxHeaderBytes) {
    Fail("HeaderTooLarge",
         "its length, " + std::to_string(length) + " bytes, passes the limit of 100 MB");
  }
  if (length > file_size - kLengthBytes) {
    Fail("InvalidHeaderLength",
         "its length, " + std::to_string(length) + " bytes, passes the end of the file");
  }
  return kLengthBytes + length;
}

SafetensorsHeader ParseSafetensorsHeader(std::string_view prefix_bytes, uint64_t file_size) {
  uint64_t header_bytes = SafetensorsHeaderBytes(prefix_bytes, file_size);
  if (prefix_bytes.size() < header_bytes) Fail("InvalidHeaderLength", "it is truncated");
  std::string_view json = prefix_bytes.substr(kLengthBytes, header_bytes - kLengthBytes);
  if (!IsValidUtf8(json)) Fail("InvalidHeader", "it is not UTF-8");
  internal::RawHeader raw;
  try {
    raw = internal::ParseSafetensorsJson(json);
  } catch (const Error& error) {
    throw Error(error.code(), error.message()).With(kKind, "InvalidHeaderDeserialization");
  }

  SafetensorsHeader header;
  header.data_offset = header_bytes;
  header.metadata = std::move(raw.metadata);
  header.warnings = std::move(raw.warnings);
  header.tensors.reserve(raw.tensors.size());
  for (internal::RawTensor& tensor : raw.tensors) {
    header.tensors.push_back({std::move(tensor.name), std::string(tensor::DtypeName(tensor.dtype)),
                              tensor.dtype, std::move(tensor.shape), tensor.begin, tensor.end});
  }
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
