#include "formats/safetensors/safetensors_writer.h"

#include <algorithm>
#include <tuple>

#include "codec/json.h"

namespace hearth {
namespace {

constexpr size_t kHeaderAlignment = 8;

std::vector<SafetensorsItem> Sorted(std::vector<SafetensorsItem> items) {
  std::sort(items.begin(), items.end(), [](const SafetensorsItem& a, const SafetensorsItem& b) {
    return std::tie(b.dtype, a.name) < std::tie(a.dtype, b.name);
  });
  return items;
}

void RefuseRepeatedNames(const std::vector<SafetensorsItem>& items) {
  std::vector<std::string_view> names;
  for (const SafetensorsItem& item : items) names.push_back(item.name);
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end() ||
      std::binary_search(names.begin(), names.end(), std::string_view("__metadata__"))) {
    throw Error(Code::kInvalidArgument, "two tensors, or the metadata, would have one name");
  }
}

std::string HeaderJson(const std::vector<SafetensorsItem>& items,
                       const SafetensorsWriter::Metadata& metadata) {
  Json header = Json::Obj();
  if (!metadata.empty()) {
    Json texts = Json::Obj();
    for (const auto& [key, value] : metadata) texts.Set(key, value);
    header.Set("__metadata__", std::move(texts));
  }
  Json::Object* members = header.AsObject();
  uint64_t at = 0;
  for (const SafetensorsItem& item : items) {
    uint64_t end = at + SafetensorsBytes(item);
    Json shape = Json::Arr();
    for (uint64_t dim : item.shape) shape.Push(dim);
    // Appended, not Set: Set looks through all names before.
    members->emplace_back(item.name, Json::Obj({{"dtype", tensor::DtypeName(item.dtype)},
                                                {"shape", std::move(shape)},
                                                {"data_offsets", Json::Arr({at, end})}}));
    at = end;
  }
  std::string text = header.Dump();
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  if (text.size() > kSafetensorsMaxHeaderBytes) {
    throw Error(Code::kTooLarge, "the safetensors header passes 100 MB");
  }
  return text;
}

}  // namespace

uint64_t SafetensorsBytes(const SafetensorsItem& item) {
  uint64_t bits = tensor::DtypeBits(item.dtype);
  uint64_t elements = 1;
  bool fits = true;
  for (uint64_t dim : item.shape) fits = fits && !__builtin_mul_overflow(elements, dim, &elements);
  fits = fits && !__builtin_mul_overflow(elements, bits, &bits);
  if (!fits || bits % 8 != 0) {
    throw Error(Code::kInvalidArgument,
                "the shape of tensor \"" + item.name + "\" fills no whole number of bytes");
  }
  return bits / 8;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& target, IfExists if_exists,
                                     std::vector<SafetensorsItem> items, const Metadata& metadata)
    : items_(Sorted(std::move(items))), file_(target, if_exists) {
  RefuseRepeatedNames(items_);
  for (const SafetensorsItem& item : items_) left_ += SafetensorsBytes(item);
  std::string text = HeaderJson(items_, metadata);
  uint8_t length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(uint64_t{text.size()} >> (8 * i));
  file_.Append(length);
  file_.Append({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void SafetensorsWriter::Append(std::span<const uint8_t> bytes) {
  if (bytes.size() > left_) {
    throw Error(Code::kInvalidArgument, "more bytes than the tensors have");
  }
  left_ -= bytes.size();
  file_.Append(bytes);
}

void SafetensorsWriter::Commit() {
  if (left_ > 0) {
    throw Error(Code::kInvalidArgument, std::to_string(left_) + " bytes of tensors are missing");
  }
  file_.Commit();
}

std::string SafetensorsIndexJson(std::vector<std::pair<std::string, std::string>> weight_map,
                                 uint64_t total_size) {
  std::sort(weight_map.begin(), weight_map.end());
  Json::Object map;
  for (auto& [tensor, file] : weight_map) map.emplace_back(std::move(tensor), std::move(file));
  Json index = Json::Obj({{"metadata", Json::Obj({{"total_size", total_size}})},
                          {"weight_map", Json(std::move(map))}});
  return index.Dump(2) + "\n";
}

}  // namespace hearth
