// Answers the weights suite's questions about the tensor and formats libraries, bytes in, bytes
// out:
//   weights_probe dequantize TYPE TIER < blocks > floats
//   weights_probe quantize TYPE TIER < floats > blocks
//   weights_probe tofloat DTYPE < values > floats
//   weights_probe verdicts < (u32 length, file)... > one line per file: "ok" or the kind of the
//   error weights_probe fromfloat DTYPE < floats > values
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/safetensors/safetensors_file.h"
#include "tensor/blocks.h"
#include "tensor/dtype.h"

namespace {

using hearth::Code;
using hearth::Error;

std::vector<uint8_t> ReadInput() {
  std::vector<uint8_t> bytes;
  char buffer[1 << 16];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, stdin)) {
    bytes.insert(bytes.end(), buffer, buffer + n);
  }
  return bytes;
}

template <typename T>
void WriteOutput(const std::vector<T>& values) {
  std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

std::vector<float> FloatsOf(const std::vector<uint8_t>& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

hearth::Tier TierNamed(std::string_view name) {
  for (hearth::Tier tier : hearth::SupportedTiers()) {
    if (hearth::TierName(tier) == name) return tier;
  }
  throw Error(Code::kInvalidArgument, "this machine has no such tier");
}

hearth::tensor::BlockType TypeNamed(std::string_view name) {
  const hearth::tensor::BlockTypeInfo* info = hearth::tensor::FindBlockType(name);
  if (info == nullptr) throw Error(Code::kInvalidArgument, "unknown block type");
  return static_cast<hearth::tensor::BlockType>(info->id);
}

hearth::tensor::Dtype DtypeNamed(std::string_view name) {
  auto dtype = hearth::tensor::FindDtype(name);
  if (!dtype) throw Error(Code::kInvalidArgument, "unknown dtype");
  return *dtype;
}

std::string VerdictOf(std::string_view file) {
  try {
    hearth::MemorySource source(file);
    hearth::ReadSafetensorsHeader(source);
    return "ok";
  } catch (const Error& error) {
    return std::string(hearth::SafetensorsErrorKind(error));
  }
}

void Verdicts(const std::vector<uint8_t>& input) {
  std::string_view left(reinterpret_cast<const char*>(input.data()), input.size());
  while (left.size() >= 4) {
    uint32_t length;
    std::memcpy(&length, left.data(), sizeof length);
    std::printf("%s\n", VerdictOf(left.substr(4, length)).c_str());
    left.remove_prefix(4 + size_t{length});
  }
}

// Both readers, which must agree.
void Slice(const std::vector<std::string>& words) {
  std::vector<hearth::DimRange> ranges;
  for (size_t i = 3; i < words.size(); ++i) {
    std::vector<std::string_view> ends = hearth::Split(words[i], ':');
    ranges.push_back({*hearth::ParseUint(ends.at(0)), *hearth::ParseUint(ends.at(1))});
  }
  hearth::SafetensorsFile file(words.at(1));
  const hearth::SafetensorsTensor* tensor = file.Find(words.at(2));
  if (tensor == nullptr) throw Error(Code::kNotFound, "no such tensor");
  hearth::MappedSource source(words.at(1));
  hearth::SafetensorsReader reader(source);
  std::vector<uint8_t> part = file.Slice(*tensor, ranges);
  if (part != reader.Slice(*reader.header().Find(words.at(2)), ranges)) {
    throw Error(Code::kInternal, "the two readers differ");
  }
  WriteOutput(part);
}

void Run(const std::vector<std::string>& words) {
  const std::string& command = words.at(0);
  std::vector<uint8_t> input = ReadInput();
  if (command == "dequantize") {
    hearth::tensor::BlockType type = TypeNamed(words.at(1));
    const auto& info = hearth::tensor::InfoOf(type);
    std::vector<float> out(input.size() / info.block_bytes * info.block_elements);
    hearth::tensor::Dequantize(type, input, out, TierNamed(words.at(2)));
    WriteOutput(out);
  } else if (command == "quantize") {
    hearth::tensor::BlockType type = TypeNamed(words.at(1));
    std::vector<float> floats = FloatsOf(input);
    std::vector<uint8_t> out(hearth::tensor::BlockBytes(type, floats.size()));
    hearth::tensor::Quantize(type, floats, out, TierNamed(words.at(2)));
    WriteOutput(out);
  } else if (command == "tofloat") {
    hearth::tensor::Dtype dtype = DtypeNamed(words.at(1));
    std::vector<float> out(input.size() * 8 / hearth::tensor::DtypeBits(dtype));
    hearth::tensor::ToFloat(dtype, input.data(), out.size(), out.data());
    WriteOutput(out);
  } else if (command == "fromfloat") {
    hearth::tensor::Dtype dtype = DtypeNamed(words.at(1));
    std::vector<float> floats = FloatsOf(input);
    std::vector<uint8_t> out((floats.size() * hearth::tensor::DtypeBits(dtype) + 7) / 8);
    hearth::tensor::FromFloat(dtype, floats.data(), floats.size(), out.data());
    WriteOutput(out);
  } else if (command == "slice") {
    Slice(words);
  } else if (command == "verdicts") {
    Verdicts(input);
  } else {
    throw Error(Code::kInvalidArgument, "unknown command " + command);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Run(std::vector<std::string>(argv + 1, argv + argc));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weights_probe: %s\n", error.what());
    return 1;
  }
}
