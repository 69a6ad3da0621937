#include "formats/safetensors/safetensors_sharded.h"

#include <algorithm>
#include <map>

#include "base/file.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxIndexBytes = 256u << 20;
constexpr std::string_view kIndexEnd = ".safetensors.index.json";
constexpr std::string_view kFileEnd = ".safetensors";

// The file in `folder` that stands for the checkpoint.
std::filesystem::path MainFile(const std::filesystem::path& folder) {
  for (std::string_view end : {kFileEnd, kIndexEnd}) {
    std::filesystem::path usual = folder / ("model" + std::string(end));
    if (std::filesystem::exists(usual)) return usual;
  }
  for (std::string_view end : {kIndexEnd, kFileEnd}) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename().string().ends_with(end)) found.push_back(entry.path());
    }
    if (found.size() == 1) return found[0];
  }
  throw Error(Code::kNotFound, folder.string() + " holds no safetensors checkpoint");
}

}  // namespace

ShardedCheckpoint ShardedCheckpoint::Open(const std::filesystem::path& path) {
  std::filesystem::path main = std::filesystem::is_directory(path) ? MainFile(path) : path;
  ShardedCheckpoint checkpoint;
  if (!main.filename().string().ends_with(".json")) {
    checkpoint.files_.push_back(std::make_unique<SafetensorsFile>(main));
    const SafetensorsFile* file = checkpoint.files_.back().get();
    for (const SafetensorsTensor& tensor : file->tensors()) {
      checkpoint.entries_.push_back({file, &tensor});
    }
  } else {
    SafetensorsIndex index = ParseSafetensorsIndex(ReadFile(main, kMaxIndexBytes));
    if (index.files.empty()) throw Error(Code::kInvalidArgument, "the index names no file");
    std::map<std::string, const SafetensorsFile*> files;
    for (const std::string& name : index.files) {
      checkpoint.files_.push_back(std::make_unique<SafetensorsFile>(main.parent_path() / name));
      files[name] = checkpoint.files_.back().get();
    }
    for (const auto& [tensor, name] : index.weight_map) {
      const SafetensorsTensor* found = files[name]->Find(tensor);
      if (found == nullptr) {
        throw Error(Code::kInvalidArgument, "the index says that tensor \"" +
                                                tensor.substr(0, 200) + "\" is in " + name +
                                                ", but it is not");
      }
      checkpoint.entries_.push_back({files[name], found});
    }
  }
  std::sort(checkpoint.entries_.begin(), checkpoint.entries_.end(),
            [](const Entry& a, const Entry& b) { return a.tensor->name < b.tensor->name; });
  return checkpoint;
}

std::vector<const MappedSource*> ShardedCheckpoint::Sources() const {
  std::vector<const MappedSource*> sources;
  for (const auto& file : files_) sources.push_back(&file->source());
  return sources;
}

const ShardedCheckpoint::Entry* ShardedCheckpoint::Find(std::string_view name) const {
  auto found = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const Entry& entry, std::string_view wanted) { return entry.tensor->name < wanted; });
  return found != entries_.end() && found->tensor->name == name ? &*found : nullptr;
}

}  // namespace hearth
