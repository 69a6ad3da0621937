#include "formats/convert/to_safetensors.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "codec/json.h"
#include "formats/safetensors/safetensors_writer.h"

namespace hearth::convert {
namespace {

constexpr uint64_t kPieceBytes = 16u << 20;  // a multiple of every element size
constexpr uint64_t kMaxSideFileBytes = 64u << 20;

std::string ShardName(size_t shard, size_t shards) {
  if (shards == 1) return "model.safetensors";
  auto five = [](size_t number) {
    std::string digits = std::to_string(number);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  return "model-" + five(shard + 1) + "-of-" + five(shards) + ".safetensors";
}

class Conversion {
 public:
  Conversion(TensorSource& source, const SafetensorsTarget& target, const Job& job)
      : source_(source), target_(target), job_(job) {
    const std::vector<SourceTensor>& tensors = source.tensors();
    for (size_t i = 0; i < tensors.size(); ++i) {
      total_ += tensors[i].bytes();
      index_.emplace(tensors[i].name, i);
    }
  }

  void Run(const std::filesystem::path& side_files);

 private:
  tensor::Dtype DtypeOf(const SourceTensor& tensor) const {
    return target_.dtype && tensor::IsFloat(tensor.dtype) ? *target_.dtype : tensor.dtype;
  }

  std::vector<std::vector<SafetensorsItem>> Split() const;
  SafetensorsWriter::Metadata Metadata() const;
  void WriteShard(SafetensorsWriter* writer);
  void WriteTensor(size_t index, tensor::Dtype dtype, SafetensorsWriter* writer);
  void WriteIndex(const std::vector<std::vector<SafetensorsItem>>& shards) const;
  void RefuseExisting(const std::filesystem::path& from, size_t shards) const;
  void CopySideFiles(const std::filesystem::path& from) const;
  void WriteConfig(std::string text) const;

  TensorSource& source_;
  const SafetensorsTarget& target_;
  const Job& job_;
  std::unordered_map<std::string_view, size_t> index_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

SafetensorsWriter::Metadata Conversion::Metadata() const {
  SafetensorsWriter::Metadata metadata = source_.metadata();
  // Python's readers demand to know which library wrote the tensors.
  bool has = std::any_of(metadata.begin(), metadata.end(),
                         [](const auto& entry) { return entry.first == "format"; });
  if (!has) metadata.emplace_back("format", "pt");
  return metadata;
}

std::vector<std::vector<SafetensorsItem>> Conversion::Split() const {
  std::vector<std::vector<SafetensorsItem>> shards(1);
  uint64_t shard_bytes = 0;
  for (const SourceTensor& tensor : source_.tensors()) {
    SafetensorsItem item{tensor.name, DtypeOf(tensor), tensor.shape};
    uint64_t bytes = SafetensorsBytes(item);
    if (job_.max_shard_bytes > 0 && !shards.back().empty() &&
        shard_bytes + bytes > job_.max_shard_bytes) {
      shards.emplace_back();
      shard_bytes = 0;
    }
    shards.back().push_back(std::move(item));
    shard_bytes += bytes;
  }
  return shards;
}

void Conversion::WriteTensor(size_t index, tensor::Dtype dtype, SafetensorsWriter* writer) {
  const SourceTensor& tensor = source_.tensors()[index];
  std::vector<uint8_t> in, out;
  std::vector<float> values;
  for (uint64_t at = 0; at < tensor.bytes(); at += in.size()) {
    in.resize(std::min<uint64_t>(kPieceBytes, tensor.bytes() - at));
    source_.Read(index, at, in);
    if (dtype == tensor.dtype) {
      writer->Append(in);
    } else {
      values.resize(in.size() * 8 / tensor::DtypeBits(tensor.dtype));
      tensor::ToFloat(tensor.dtype, in.data(), values.size(), values.data());
      out.resize((values.size() * tensor::DtypeBits(dtype) + 7) / 8);
      tensor::FromFloat(dtype, values.data(), values.size(), out.data());
      writer->Append(out);
    }
    StopIfCancelled(job_);
    done_ += in.size();
    if (job_.progress) job_.progress(tensor.name, done_, total_);
  }
}

void Conversion::WriteShard(SafetensorsWriter* writer) {
  for (const SafetensorsItem& item : writer->items()) {
    WriteTensor(index_.at(item.name), item.dtype, writer);
  }
}

void Conversion::WriteIndex(const std::vector<std::vector<SafetensorsItem>>& shards) const {
  std::vector<std::pair<std::string, std::string>> map;
  uint64_t bytes = 0;
  for (size_t shard = 0; shard < shards.size(); ++shard) {
    for (const SafetensorsItem& item : shards[shard]) {
      map.emplace_back(item.name, ShardName(shard, shards.size()));
      bytes += SafetensorsBytes(item);
    }
  }
  WriteFileDurably(target_.path / "model.safetensors.index.json",
                   SafetensorsIndexJson(std::move(map), bytes));
}

// config.json, with the element type that the weights now have.
void Conversion::WriteConfig(std::string text) const {
  if (target_.dtype) {
    Json config = Json::Parse(text);
    constexpr std::pair<tensor::Dtype, const char*> kNames[] = {{tensor::Dtype::kF32, "float32"},
                                                                {tensor::Dtype::kF16, "float16"},
                                                                {tensor::Dtype::kBf16, "bfloat16"},
                                                                {tensor::Dtype::kF64, "float64"}};
    for (const auto& [dtype, name] : kNames) {
      if (dtype != *target_.dtype) continue;
      for (const char* key : {"dtype", "torch_dtype"}) {
        if (config.Find(key) != nullptr) config.Set(key, name);
      }
    }
    text = config.Dump(2) + "\n";
  }
  WriteFileDurably(target_.path / "config.json", text);
}

bool IsSideFile(const std::filesystem::directory_entry& entry) {
  if (!entry.is_regular_file() || entry.file_size() > kMaxSideFileBytes) return false;
  std::string name = entry.path().filename().string();
  if (name.ends_with(".index.json") || name == "config.json") return false;
  for (const char* end : {".json", ".jinja", ".txt", ".model", ".md"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

// Before the work, so that a conversion is refused whole. The weights' writers refuse by
// themselves.
void Conversion::RefuseExisting(const std::filesystem::path& from, size_t shards) const {
  namespace fs = std::filesystem;
  if (job_.if_exists == IfExists::kReplace || !fs::exists(target_.path)) return;
  std::vector<fs::path> names;
  if (shards > 1) names.push_back("model.safetensors.index.json");
  if (!source_.config_json().empty() || (!from.empty() && fs::exists(from / "config.json"))) {
    names.push_back("config.json");
  }
  if (!from.empty() && !fs::equivalent(from, target_.path)) {
    for (const auto& entry : fs::directory_iterator(from)) {
      if (IsSideFile(entry)) names.push_back(entry.path().filename());
    }
  }
  for (const fs::path& name : names) {
    if (fs::exists(fs::symlink_status(target_.path / name))) {
      throw Error(Code::kConflict, (target_.path / name).string() + " exists already");
    }
  }
}

void Conversion::CopySideFiles(const std::filesystem::path& from) const {
  std::string config = source_.config_json();
  if (config.empty() && !from.empty() && std::filesystem::exists(from / "config.json")) {
    config = ReadFile(from / "config.json", kMaxSideFileBytes);
  }
  if (!config.empty()) WriteConfig(std::move(config));
  if (from.empty() || std::filesystem::equivalent(from, target_.path)) return;
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    if (!IsSideFile(entry)) continue;
    WriteFileDurably(target_.path / entry.path().filename(),
                     ReadFile(entry.path(), kMaxSideFileBytes));
  }
}

void Conversion::Run(const std::filesystem::path& side_files) {
  const bool single = AsciiLower(target_.path.extension().string()) == ".safetensors";
  std::vector<std::vector<SafetensorsItem>> shards = Split();
  if (single && shards.size() > 1) {
    throw Error(Code::kInvalidArgument, "shards need a folder as their target");
  }
  if (!single) RefuseExisting(side_files, shards.size());
  const bool made_folder = !single && std::filesystem::create_directories(target_.path);
  try {
    std::vector<std::unique_ptr<SafetensorsWriter>> writers;
    for (size_t shard = 0; shard < shards.size(); ++shard) {
      std::filesystem::path path =
          single ? target_.path : target_.path / ShardName(shard, shards.size());
      writers.push_back(
          std::make_unique<SafetensorsWriter>(path, job_.if_exists, shards[shard], Metadata()));
      WriteShard(writers.back().get());
    }
    StopIfCancelled(job_);
    for (auto& writer : writers) writer->Commit();
    if (single) return;
    if (shards.size() > 1) WriteIndex(shards);
    CopySideFiles(side_files);
  } catch (...) {
    std::error_code ignored;
    // Only when empty: a folder that was there before, or holds finished shards, stays.
    if (made_folder) std::filesystem::remove(target_.path, ignored);
    throw;
  }
}

}  // namespace

void ConvertToSafetensors(TensorSource& source, const std::filesystem::path& side_files,
                          const SafetensorsTarget& target, const Job& job) {
  Conversion(source, target, job).Run(side_files);
}

}  // namespace hearth::convert
