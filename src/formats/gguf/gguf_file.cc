#include "formats/gguf/gguf_file.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxParts = 65'535;  // split.count is a uint16

uint64_t SplitField(const GgufHeader& header, std::string_view key, uint64_t otherwise) {
  const GgufMetadata* entry = header.Find(key);
  std::optional<uint64_t> value = entry != nullptr ? entry->value.AsUint() : std::nullopt;
  return value.value_or(otherwise);
}

// "a" for "a-00002-of-00003.gguf" when it has `parts` parts.
std::optional<std::string> StemOf(const std::string& name, uint64_t part, uint64_t parts) {
  std::string end = GgufPartName("", part, parts);
  if (!name.ends_with(end)) return std::nullopt;
  return name.substr(0, name.size() - end.size());
}

}  // namespace

GgufLimits FullGgufLimits() {
  GgufLimits limits;
  limits.max_kept_items = 16u << 20;
  limits.max_kept_total = 32u << 20;
  limits.max_kept_bytes = 512u << 20;
  limits.max_header_bytes = 1024ull << 20;
  return limits;
}

std::string GgufPartName(std::string_view stem, uint64_t part, uint64_t parts) {
  auto five = [](uint64_t number) {
    std::string digits = std::to_string(number);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  return std::string(stem) + "-" + five(part + 1) + "-of-" + five(parts) + ".gguf";
}

GgufLimits ModelGgufLimits() {
  GgufLimits limits = FullGgufLimits();
  limits.max_kept_items = 8192;
  limits.max_kept_total = 1u << 20;
  return limits;
}

GgufFile::Part::Part(const std::filesystem::path& path, const GgufLimits& limits)
    : source(path), header(ReadGgufHeader(source, limits)) {}

GgufFile GgufFile::Open(const std::filesystem::path& path, const GgufLimits& limits) {
  GgufFile file;
  auto given = std::make_unique<Part>(path, limits);
  uint64_t parts = SplitField(given->header, "split.count", 1);
  uint64_t number = SplitField(given->header, "split.no", 0);
  if (parts <= 1) {
    file.parts_.push_back(std::move(given));
  } else {
    std::optional<std::string> stem = StemOf(path.filename().string(), number, parts);
    if (parts > kMaxParts || number >= parts || !stem) {
      throw Error(Code::kInvalidArgument,
                  path.string() + " is not named as part " + std::to_string(number + 1) + " of " +
                      std::to_string(parts) + ", so the other parts cannot be found");
    }
    for (uint64_t part = 0; part < parts; ++part) {
      file.parts_.push_back(
          part == number ? std::move(given)
                         : std::make_unique<Part>(
                               path.parent_path() / GgufPartName(*stem, part, parts), limits));
      const GgufHeader& header = file.parts_.back()->header;
      if (SplitField(header, "split.no", 0) != part ||
          SplitField(header, "split.count", 1) != parts) {
        throw Error(Code::kInvalidArgument, "a part of " + path.string() + " belongs elsewhere");
      }
    }
  }
  file.AddEntries();
  uint64_t announced = SplitField(file.header(), "split.tensors.count", file.entries_.size());
  if (parts > 1 && announced != file.entries_.size()) {
    throw Error(Code::kInvalidArgument, "the parts of " + path.string() + " hold " +
                                            std::to_string(file.entries_.size()) + " tensors, " +
                                            std::to_string(announced) + " were announced");
  }
  return file;
}

std::vector<const MappedSource*> GgufFile::Sources() const {
  std::vector<const MappedSource*> sources;
  for (const auto& part : parts_) sources.push_back(&part->source);
  return sources;
}

void GgufFile::AddEntries() {
  for (size_t part = 0; part < parts_.size(); ++part) {
    for (const GgufTensor& tensor : parts_[part]->header.tensors) {
      if (!index_.emplace(tensor.name, entries_.size()).second) {
        throw Error(Code::kInvalidArgument,
                    "tensor \"" + tensor.name.substr(0, 200) + "\" is in two parts");
      }
      entries_.push_back({&tensor, part});
    }
  }
}

const GgufFile::Entry* GgufFile::Find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const uint8_t> GgufFile::Bytes(const Entry& entry) const {
  GgufBlockType(*entry.tensor);  // an unknown type has no known size
  const Part& part = *parts_[entry.part];
  return part.source.bytes().subspan(part.header.data_offset + entry.tensor->offset,
                                     entry.tensor->bytes);
}

void GgufFile::Dequantize(const Entry& entry, uint64_t first, std::span<float> out) const {
  tensor::BlockType type = GgufBlockType(*entry.tensor);
  if (first > entry.tensor->elements || out.size() > entry.tensor->elements - first) {
    throw Error(Code::kInvalidArgument,
                "read past the end of tensor \"" + entry.tensor->name + "\"");
  }
  uint64_t begin = tensor::BlockBytes(type, first);
  tensor::Dequantize(type, Bytes(entry).subspan(begin, tensor::BlockBytes(type, out.size())), out);
}

std::vector<uint64_t> GgufShape(const GgufTensor& tensor) {
  return {tensor.dims.rbegin(), tensor.dims.rend()};
}

tensor::BlockType GgufBlockType(const GgufTensor& tensor) {
  const tensor::BlockTypeInfo* info = tensor::FindBlockType(tensor.type);
  if (info == nullptr) {
    throw Error(Code::kUnimplemented,
                "tensor \"" + tensor.name.substr(0, 200) + "\" has the unknown " + tensor.type);
  }
  return static_cast<tensor::BlockType>(info->id);
}

}  // namespace hearth
