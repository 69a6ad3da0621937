#include "hub/inspector/weights/weight_sets.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/gguf/gguf_types.h"
#include "formats/part_name.h"
#include "formats/safetensors/safetensors.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxSets = 2000;
constexpr size_t kMaxParts = 2000;
constexpr uint64_t kMaxIndexBytes = 64u << 20;
// Beginnings of the names of trainers' states, and parts of names of what stands beside weights.
constexpr std::string_view kStates[] = {"optimizer",     "scheduler",   "training_args",
                                        "rng_state",     "scaler",      "trainer_state",
                                        "random_states", "global_step", "events.out"};
constexpr std::string_view kBeside[] = {"imatrix", "mmproj", "ggml-vocab"};

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }
std::string Folder(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/') + 1));
}

bool IsWeightFile(std::string_view path) {
  if (!HoldsTensors(path)) return false;
  std::string name = AsciiLower(FileName(path));
  auto begins = [&](std::string_view word) { return name.starts_with(word); };
  auto contains = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  if (std::any_of(std::begin(kStates), std::end(kStates), begins)) return false;
  return !(name.ends_with(".gguf") &&
           std::any_of(std::begin(kBeside), std::end(kBeside), contains));
}

std::string FormatOf(std::string_view path) {
  if (path.ends_with(".safetensors")) return "safetensors";
  return path.ends_with(".gguf") ? "gguf" : "pytorch";
}

bool LooksLikeAdapter(std::string_view path) {
  std::string name = AsciiLower(FileName(path));
  return name.starts_with("adapter_model") || name.find("lora") != std::string::npos;
}

std::string Five(uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
}

class Finder {
 public:
  explicit Finder(const RepoView& view) : view_(view) {}

  std::vector<WeightSet> Run() {
    for (const RepoFile& file : view_.files())
      if (file.path.ends_with(".index.json")) AddIndexed(file.path);
    for (const RepoFile& file : view_.files()) {
      if (sets_.size() >= kMaxSets) break;
      if (IsWeightFile(file.path) && !taken_.contains(file.path)) AddByName(file);
    }
    for (WeightSet& set : sets_) {
      std::sort(set.files.begin(), set.files.end());
      for (const std::string& path : set.files) set.file_bytes += view_.Find(path)->size_bytes;
    }
    std::stable_sort(sets_.begin(), sets_.end(),
                     [](const WeightSet& a, const WeightSet& b) { return Order(a) < Order(b); });
    return std::move(sets_);
  }

 private:
  static std::tuple<bool, size_t, int, std::string> Order(const WeightSet& set) {
    int format = set.format == "safetensors" ? 0 : set.format == "pytorch" ? 1 : 2;
    size_t depth = static_cast<size_t>(std::count(set.name.begin(), set.name.end(), '/'));
    return {set.is_adapter, depth, format, set.name};
  }

  void AddIndexed(const std::string& index) {
    std::string target = index.substr(0, index.size() - std::string_view(".index.json").size());
    if (!IsWeightFile(target)) return;
    std::optional<std::string> text = view_.ReadText(index, kMaxIndexBytes);
    if (!text) return;
    WeightSet set{.name = target, .format = FormatOf(target), .files = {}, .missing = {}};
    try {
      for (const std::string& name : ParseSafetensorsIndex(*text).files) {
        std::string path = Folder(index) + name;
        bool there = view_.Find(path) != nullptr && IsWeightFile(path);
        (there ? set.files : set.missing).push_back(path);
        if (there) taken_.insert(path);
      }
    } catch (const Error&) {
      return;  // its files stand for themselves
    }
    set.is_adapter = LooksLikeAdapter(target);
    if (!set.files.empty()) sets_.push_back(std::move(set));
  }

  void AddByName(const RepoFile& file) {
    WeightSet set{.name = file.path, .format = FormatOf(file.path), .files = {}, .missing = {}};
    set.is_adapter = LooksLikeAdapter(file.path);
    std::optional<PartName> part = ParsePartName(file.path);
    if (part && part->count <= kMaxParts) {
      for (uint64_t i = 1; i <= part->count; ++i) {
        std::string path = std::string(part->stem) + "-" + Five(i) + "-of-" + Five(part->count);
        path += part->ending;
        bool there = view_.Find(path) != nullptr;
        (there ? set.files : set.missing).push_back(path);
        if (there) taken_.insert(path);
      }
    }
    if (set.files.empty()) set.files.push_back(file.path);
    sets_.push_back(std::move(set));
  }

  const RepoView& view_;
  std::vector<WeightSet> sets_;
  std::set<std::string> taken_;
};

}  // namespace

std::vector<WeightSet> FindWeightSets(const RepoView& view) { return Finder(view).Run(); }

const TensorInfo* WeightHeaders::Find(std::string_view name) const {
  auto found = std::find_if(tensors.begin(), tensors.end(),
                            [name](const TensorInfo& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

double WeightHeaders::BitsPerWeight() const {
  return parameters == 0
             ? 0
             : 8.0 * static_cast<double>(tensor_bytes) / static_cast<double>(parameters);
}

WeightHeaders ReadWeightHeaders(const RepoView& view, const WeightSet& set) {
  WeightHeaders headers;
  std::map<std::string, std::pair<uint64_t, uint64_t>> by_dtype;
  for (size_t at = 0; at < set.files.size(); ++at) {
    try {
      std::unique_ptr<TensorFile> file = OpenTensorFile(view.Open(set.files[at]), set.files[at]);
      if (at == 0) headers.metadata = file->metadata();
      for (const TensorInfo& tensor : file->tensors()) {
        headers.tensors.push_back(tensor);
        headers.file_of.push_back(at);
        if (!tensor.same_as.empty()) continue;
        headers.tensor_bytes += tensor.bytes;
        headers.parameters += tensor.elements;
        by_dtype[tensor.dtype].first += tensor.elements;
        by_dtype[tensor.dtype].second += tensor.bytes;
      }
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw;
      headers.faults.push_back(set.files[at] + ": " + error.message());
    }
  }
  for (const auto& [dtype, sums] : by_dtype) headers.by_dtype.emplace_back(dtype, sums.first);
  std::stable_sort(headers.by_dtype.begin(), headers.by_dtype.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [dtype, count] : headers.by_dtype)
    headers.bytes_by_dtype.emplace_back(dtype, by_dtype[dtype].second);
  return headers;
}

std::string PrecisionName(const WeightSet& set, const WeightHeaders& headers) {
  if (set.format == "gguf") {
    for (const auto& [key, value] : headers.metadata) {
      if (key != "general.file_type") continue;
      std::optional<uint64_t> number = ParseUint(value);
      std::string_view name = number ? GgufFileTypeName(*number) : std::string_view();
      if (!name.empty()) return std::string(name);
    }
  }
  return headers.by_dtype.empty() ? "" : headers.by_dtype.front().first;
}

}  // namespace hearth::inspector
