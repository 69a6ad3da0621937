#include "hub/inspector/kind/survey.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/kind/data_files.h"

namespace hearth::inspector {
namespace {

// Beyond these a repository is judged by a part of it, and says so.
constexpr size_t kMaxHeaders = 600;      // files whose header is read
constexpr size_t kMaxTensors = 400'000;  // of all files together
constexpr uint64_t kMaxJsonBytes = 16u << 20;
constexpr size_t kMaxNotes = 20;

bool EndsWithAny(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [text](std::string_view ending) { return text.ends_with(ending); });
}

// States of a training that look like weights by their endings.
bool IsTrainingState(std::string_view name) {
  return name.starts_with("optimizer") || name.starts_with("scheduler") ||
         name.starts_with("rng_state") || name.starts_with("random_states") ||
         name.starts_with("training_args") || name.starts_with("scaler.") ||
         name.find("optim_states") != std::string_view::npos;
}

// By the name alone: what a file claims to be.
std::optional<WeightFormat> ClaimedFormat(std::string_view path) {
  std::string lower = AsciiLower(BaseName(path));
  std::string_view name = lower;
  if (IsTrainingState(name)) return std::nullopt;
  if (name.ends_with(".safetensors")) return WeightFormat::kSafetensors;
  if (name.ends_with(".gguf")) return WeightFormat::kGguf;
  if (name.ends_with(".onnx")) return WeightFormat::kOnnx;
  if (name == "tf_model.h5") return WeightFormat::kTfH5;
  if (name.starts_with("flax_model") && name.ends_with(".msgpack")) return WeightFormat::kFlax;
  if (name.ends_with(".tflite")) return WeightFormat::kTflite;
  if (name.ends_with(".mlmodel")) return WeightFormat::kCoreMl;
  if (name == "manifest.json" && FolderOf(path).ends_with(".mlpackage/"))
    return WeightFormat::kCoreMl;
  if (name.starts_with("openvino") && name.ends_with(".xml")) return WeightFormat::kOpenVino;
  if (EndsWithAny(name, {".engine", ".plan"})) return WeightFormat::kTensorRt;
  if (EndsWithAny(name, {".keras", ".h5", ".hdf5"})) return WeightFormat::kKeras;
  if (name == "saved_model.pb") return WeightFormat::kSavedModel;
  if (EndsWithAny(name, {".nemo", ".mar"})) return WeightFormat::kArchive;
  if (EndsWithAny(name, {".pkl", ".joblib", ".pickle", ".skops"})) return WeightFormat::kPickle;
  if (EndsWithAny(name, {".pt", ".pth", ".ckpt"})) return WeightFormat::kTorch;
  if (name.ends_with(".bin") && !name.starts_with("openvino")) return WeightFormat::kTorch;
  return std::nullopt;
}

// The formats that have an inspector, by its name.
std::string_view InspectorOf(WeightFormat format) {
  switch (format) {
    case WeightFormat::kSafetensors:
      return "safetensors";
    case WeightFormat::kGguf:
      return "gguf";
    case WeightFormat::kTorch:
      return "pytorch";
    case WeightFormat::kOnnx:
      return "onnx";
    case WeightFormat::kTfH5:
    case WeightFormat::kKeras:
      return "hdf5";
    default:
      return {};
  }
}

// Where the first bytes settle it.
bool HeadFits(WeightFormat format, std::string_view head) {
  auto first = head.empty() ? 0u : static_cast<unsigned char>(head[0]);
  switch (format) {
    case WeightFormat::kTflite:
      return head.size() >= 8 && head.substr(4, 4) == "TFL3";
    case WeightFormat::kOpenVino:
      return head.find("<net ") != std::string_view::npos;
    case WeightFormat::kFlax:  // a map
      return (first >= 0x80 && first <= 0x8F) || first == 0xDE || first == 0xDF;
    case WeightFormat::kCoreMl:
      return head.find("itemInfoEntries") != std::string_view::npos || first == 0x08;
    case WeightFormat::kSavedModel:
      return first == 0x08;
    case WeightFormat::kPickle:
      return first == 0x80 || head.starts_with("PK\x03\x04") || first == 'x' || first == 0x1F;
    case WeightFormat::kArchive:
      return head.starts_with("PK\x03\x04") || first == 0x1F ||
             (head.size() > 262 && head.substr(257, 5) == "ustar");
    case WeightFormat::kKeras:
      return head.starts_with("PK\x03\x04");
    default:
      return false;
  }
}

}  // namespace

std::string_view FormatName(WeightFormat format) {
  constexpr std::string_view kNames[] = {
      "safetensors",   "gguf", "pytorch", "pickle",   "keras",  "saved_model", "archive",
      "tensorflow h5", "flax", "onnx",    "openvino", "coreml", "tflite",      "tensorrt"};
  return kNames[static_cast<size_t>(format)];
}

bool IsExport(WeightFormat format) {
  switch (format) {
    case WeightFormat::kGguf:
    case WeightFormat::kOnnx:
    case WeightFormat::kOpenVino:
    case WeightFormat::kCoreMl:
    case WeightFormat::kTflite:
    case WeightFormat::kTensorRt:
      return true;
    default:
      return false;
  }
}

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view FolderOf(std::string_view path) {
  return path.substr(0, path.size() - BaseName(path).size());
}

const Json* WeightFile::Fact(std::string_view key) const {
  for (const InspectedFact& fact : facts) {
    if (fact.key == key) return &fact.value;
  }
  return nullptr;
}

const Json* WeightFile::Metadata(std::string_view key) const {
  for (const auto& [name, value] : metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string WeightFile::folder() const { return std::string(FolderOf(path)); }

Survey::Survey(const RepoView& repo, const CardDocument& card)
    : repo_(repo), card_(card), tensors_left_(kMaxTensors) {
  config_ = ReadJson("config.json");
  if (!config_.is_object()) config_ = {};
  Sort();
}

void Survey::Note(std::string_view path, std::string_view reason) const {
  if (not_read_.size() < kMaxNotes)
    not_read_.push_back(std::string(path) + ": " + std::string(reason));
}

void Survey::Sort() {
  size_t read = 0;
  for (const RepoFile& file : repo_.files()) {
    std::optional<WeightFormat> format = ClaimedFormat(file.path);
    if (!format) continue;
    WeightFile weight{.path = file.path,
                      .size_bytes = file.size_bytes,
                      .format = *format,
                      .problem = {},
                      .tensors = {},
                      .facts = {},
                      .metadata = {}};
    if (++read <= kMaxHeaders) {
      Read(&weight);
    } else {
      weight.problem = "one of too many files";
    }
    // A .bin may be anything: only a checkpoint is weights.
    bool anything = weight.format == WeightFormat::kTorch && weight.path.ends_with(".bin");
    if (anything && !weight.verified && file.path.find("model") == std::string::npos) continue;
    if (!weight.verified) Note(weight.path, weight.problem);
    weights_.push_back(std::move(weight));
  }
}

void Survey::Read(WeightFile* file) {
  try {
    std::unique_ptr<ByteSource> source = repo_.Open(file->path);
    std::string_view wanted = InspectorOf(file->format);
    if (wanted.empty() ||
        (file->format == WeightFormat::kKeras && file->path.ends_with(".keras"))) {
      std::string head =
          source->Read(0, static_cast<size_t>(std::min<uint64_t>(512, source->size_bytes())));
      file->verified = HeadFits(file->format, head);
      if (!file->verified) file->problem = "not what its name says";
      return;
    }
    Inspection inspection = InspectSource(*source, file->path);
    if (inspection.format != wanted) {
      file->problem = "its name says " + std::string(FormatName(file->format)) +
                      ", its bytes do not (" + inspection.format + ")";
      return;
    }
    // Inspectors warn of what they pass over; what they refuse leaves no facts.
    file->verified = !inspection.facts.empty();
    if (!inspection.warnings.empty()) file->problem = inspection.warnings[0];
    if (inspection.tensors.size() > tensors_left_) {
      file->verified = false;
      file->problem = "the repository has too many tensors to look at all";
      return;
    }
    tensors_left_ -= inspection.tensors.size();
    file->tensors = std::move(inspection.tensors);
    file->facts = std::move(inspection.facts);
    file->metadata = std::move(inspection.metadata);
  } catch (const Error& error) {
    file->verified = false;
    file->problem = error.message();
  }
}

Json Survey::ReadJson(std::string_view path) const {
  std::optional<std::string> text = ReadText(path);
  if (!text) return {};
  try {
    return Json::Parse(*text);
  } catch (const Error& error) {
    Note(path, error.message());
    return {};
  }
}

std::optional<std::string> Survey::ReadText(std::string_view path) const {
  const RepoFile* file = repo_.Find(path);
  if (file == nullptr) return std::nullopt;
  try {
    std::optional<std::string> text = repo_.ReadText(path, kMaxJsonBytes);
    if (!text) Note(path, "too large to be read");
    return text;
  } catch (const Error& error) {
    Note(path, error.message());
    return std::nullopt;
  }
}

std::string Survey::Head(std::string_view path, size_t bytes) const {
  if (!Has(path)) return {};
  try {
    std::unique_ptr<ByteSource> source = repo_.Open(path);
    return source->Read(0, static_cast<size_t>(std::min<uint64_t>(bytes, source->size_bytes())));
  } catch (const Error& error) {
    Note(path, error.message());
    return {};
  }
}

std::vector<std::string> Survey::Named(std::string_view name) const {
  std::vector<std::string> paths;
  for (const RepoFile& file : repo_.files()) {
    if (BaseName(file.path) == name) paths.push_back(file.path);
  }
  return paths;
}

bool Survey::HasBelow(std::string_view folder) const {
  std::string prefix = std::string(folder) + "/";
  const std::vector<RepoFile>& files = repo_.files();
  auto at = std::lower_bound(
      files.begin(), files.end(), prefix,
      [](const RepoFile& file, const std::string& key) { return file.path < key; });
  return at != files.end() && at->path.starts_with(prefix);
}

bool Survey::HasTag(std::string_view tag) const {
  for (const std::string& own : CardList(card_.data, "tags")) {
    if (AsciiEqualsIgnoreCase(own, tag)) return true;
  }
  return false;
}

std::string Survey::Relation() const { return CardText(card_.data, "base_model_relation"); }

std::string Survey::LowerName() const { return AsciiLower(BaseName(repo_.id())); }

std::string Survey::UnknownFile() const {
  static constexpr std::string_view kTexts[] = {
      ".md",    ".json", ".txt",           ".jinja",    ".py",       ".yaml",  ".yml",
      ".toml",  ".cfg",  ".ini",           ".xml",      ".html",     ".js",    ".ts",
      ".css",   ".sh",   ".ipynb",         ".rst",      ".png",      ".jpg",   ".jpeg",
      ".gif",   ".svg",  ".webp",          ".pdf",      ".tiktoken", ".model", ".spm",
      ".vocab", ".bpe",  ".tsv",           ".csv",      ".jsonl",    ".cff",   ".bib",
      ".c",     ".cc",   ".cpp",           ".h",        ".rs",       ".go",    ".java",
      ".kt",    ".lock", ".gitattributes", ".gitignore"};
  for (const RepoFile& file : repo_.files()) {
    std::string lower = AsciiLower(file.path);
    std::string_view name = BaseName(lower);
    bool text = std::any_of(std::begin(kTexts), std::end(kTexts),
                            [name](std::string_view ending) { return name.ends_with(ending); });
    // Parts of exports, named after them.
    bool part = name.ends_with(".onnx_data") || name.ends_with(".onnx.data") ||
                (name.starts_with("openvino") && name.ends_with(".bin")) ||
                lower.find(".mlpackage/") != std::string::npos;
    bool weights = std::any_of(weights_.begin(), weights_.end(),
                               [&](const WeightFile& weight) { return weight.path == file.path; });
    bool plain = name.find('.') == std::string_view::npos && file.size_bytes < (1u << 20);
    if (!text && !part && !weights && !plain && DataFormatOf(file.path) == DataFormat::kNone)
      return file.path;
  }
  return {};
}

bool Survey::AllVerified() const {
  return !weights_.empty() && std::all_of(weights_.begin(), weights_.end(),
                                          [](const WeightFile& file) { return file.verified; });
}

}  // namespace hearth::inspector
