#include "formats/safetensors/safetensors_file.h"

namespace hearth {

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : source_(path) {
  header_ = ReadSafetensorsHeader(source_);
  index_.reserve(header_.tensors.size());
  for (size_t i = 0; i < header_.tensors.size(); ++i) index_.emplace(header_.tensors[i].name, i);
}

const SafetensorsTensor* SafetensorsFile::Find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &header_.tensors[found->second];
}

std::span<const uint8_t> SafetensorsFile::Bytes(const SafetensorsTensor& tensor) const {
  return source_.bytes().subspan(header_.data_offset + tensor.begin, tensor.bytes());
}

std::vector<uint8_t> SafetensorsFile::Slice(const SafetensorsTensor& tensor,
                                            std::span<const DimRange> ranges) const {
  std::span<const uint8_t> bytes = Bytes(tensor);
  std::vector<uint8_t> out;
  ForEachSliceRun(tensor, ranges, [&](uint64_t offset, uint64_t n) {
    out.insert(out.end(), bytes.begin() + static_cast<ptrdiff_t>(offset),
               bytes.begin() + static_cast<ptrdiff_t>(offset + n));
  });
  return out;
}

SafetensorsReader::SafetensorsReader(ByteSource& source)
    : source_(source), header_(ReadSafetensorsHeader(source)) {}

void SafetensorsReader::Read(const SafetensorsTensor& tensor, uint64_t offset,
                             std::span<uint8_t> out) {
  if (offset > tensor.bytes() || out.size() > tensor.bytes() - offset) {
    throw Error(Code::kInvalidArgument, "read past the end of tensor \"" + tensor.name + "\"");
  }
  if (out.empty()) return;
  source_.ReadAt(header_.data_offset + tensor.begin + offset, reinterpret_cast<char*>(out.data()),
                 out.size());
}

std::vector<uint8_t> SafetensorsReader::Slice(const SafetensorsTensor& tensor,
                                              std::span<const DimRange> ranges) {
  std::vector<uint8_t> out;
  ForEachSliceRun(tensor, ranges, [&](uint64_t offset, uint64_t n) {
    size_t at = out.size();
    out.resize(at + n);
    Read(tensor, offset, std::span(out).subspan(at));
  });
  return out;
}

}  // namespace hearth
