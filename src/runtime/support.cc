#include "runtime/support.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/convert/architecture.h"
#include "formats/part_name.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"

namespace hearth::runtime {
namespace {

// Counts changes of the rules below.
constexpr int kRulesVersion = 3;
// Packed weights, tables and the working memory of a batch come on top of a file's bytes.
constexpr uint64_t kOverheadBytes = 64u << 20;

uint64_t MemoryFor(uint64_t weight_bytes) {
  return weight_bytes + weight_bytes / 4 + kOverheadBytes;
}

constexpr size_t kMaxNear = 3;
constexpr size_t kMaxShownBytes = 60;

// A reason not to run, on its way out.
struct Refusal {
  std::string reason;
};

[[noreturn]] void Refuse(std::string reason) { throw Refusal{std::move(reason)}; }

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, kMaxShownBytes)) + "\"";
}

std::string Gigabytes(uint64_t bytes) {
  uint64_t tenths = (bytes + 50'000'000) / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

bool InRoot(std::string_view path) { return path.find('/') == std::string_view::npos; }

bool Holds(std::span<const SupportFile> files, std::string_view path) {
  return std::any_of(files.begin(), files.end(),
                     [path](const SupportFile& file) { return file.path == path; });
}

bool AnyInRoot(std::span<const SupportFile> files, bool (*matches)(std::string_view name)) {
  return std::any_of(files.begin(), files.end(), [matches](const SupportFile& file) {
    return InRoot(file.path) && matches(file.path);
  });
}

// Sum over the files of the root that match; nullopt when there are none.
std::optional<uint64_t> SumInRoot(std::span<const SupportFile> files,
                                  bool (*matches)(std::string_view name)) {
  std::optional<uint64_t> sum;
  for (const SupportFile& file : files) {
    if (InRoot(file.path) && matches(file.path)) sum = sum.value_or(0) + file.size_bytes;
  }
  return sum;
}

// --- model types

// Changes of letters that make one word the other, for short words.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

// The known names that look most like an unknown one; empty when none does.
std::string NearNames(std::string_view wanted) {
  wanted = wanted.substr(0, kMaxShownBytes);
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const Architecture* each : Architectures()) {
    size_t distance = Distance(wanted, each->model_type);
    bool part = each->model_type.size() >= 3 && wanted.find(each->model_type) != std::string::npos;
    if (part || distance * 3 <= std::max(wanted.size(), each->model_type.size())) {
      near.emplace_back(distance, each->model_type);
    }
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > kMaxNear) near.resize(kMaxNear);
  std::string text;
  for (const auto& [distance, name] : near) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

[[noreturn]] void RefuseType(const ModelConfig& config, std::string_view type) {
  if (config.Find({"auto_map"}) != nullptr) {
    Refuse("the model type " + Quoted(type) +
           " is computed by code in the repository, and code of repositories is never run here");
  }
  std::string near = NearNames(type);
  Refuse("models of type " + Quoted(type) + " do not run here yet" +
         (near.empty() ? "" : "; types near to it that do: " + near));
}

// --- weights

// Throws a Refusal when a file that the parts speak of is not there.
void CheckParts(std::span<const SupportFile> files, std::string_view ending) {
  for (const SupportFile& file : files) {
    std::optional<PartName> part = ParsePartName(file.path);
    if (!part || !InRoot(file.path) || !file.path.ends_with(ending)) continue;
    size_t there = static_cast<size_t>(
        std::count_if(files.begin(), files.end(), [&](const SupportFile& other) {
          std::optional<PartName> found = ParsePartName(other.path);
          return found && found->stem == part->stem && found->count == part->count &&
                 other.path.ends_with(ending);
        }));
    if (there < part->count) {
      Refuse("only " + std::to_string(there) + " of the " + std::to_string(part->count) +
             " files with weights are there");
    }
  }
}

// The names that loaders look for; an adapter's or an original's files beside them are not read.
bool IsSafetensors(std::string_view name) {
  return name.starts_with("model") && name.ends_with(".safetensors");
}
bool IsTorch(std::string_view name) {
  return name.starts_with("pytorch_model") && name.ends_with(".bin");
}

struct ForeignFormat {
  bool (*matches)(std::string_view name);
  std::string_view name;
};
constexpr ForeignFormat kForeign[] = {
    {[](std::string_view n) { return n.ends_with(".onnx"); }, "ONNX"},
    {[](std::string_view n) { return n.ends_with(".h5"); }, "TensorFlow"},
    {[](std::string_view n) { return n.ends_with(".msgpack"); }, "Flax"},
    {[](std::string_view n) { return n.ends_with(".pt") || n.ends_with(".pth"); },
     "PyTorch's own (.pt)"},
};

[[noreturn]] void RefuseWithoutWeights(std::span<const SupportFile> files) {
  if (Holds(files, "adapter_config.json")) {
    Refuse(
        "this is an adapter: it runs together with its base model only, which cannot be done "
        "here yet");
  }
  if (Holds(files, "model_index.json")) Refuse("pipelines of diffusers do not run here yet");
  for (const ForeignFormat& format : kForeign) {
    if (AnyInRoot(files, format.matches)) {
      Refuse("its weights are in " + std::string(format.name) +
             " format; safetensors, pytorch_model.bin and GGUF run here");
    }
  }
  Refuse("it has no weights: no model.safetensors, pytorch_model.bin or GGUF file");
}

void CheckMemory(uint64_t needed, uint64_t allowed) {
  if (needed <= allowed) return;
  Refuse("it needs about " + Gigabytes(needed) + " of memory; models here may take " +
         Gigabytes(allowed));
}

// --- config.json

void CheckQuantisation(const ModelConfig& config) {
  const Json* settings = config.Find({"quantization_config"});
  if (settings == nullptr || !settings->is_object()) return;
  std::string method = settings->StringField("quant_method").value_or("an unnamed method");
  Refuse("its weights are quantised by " + Quoted(method) +
         ", which does not run here yet; GGUF files of any kind do");
}

bool IsTokenizer(std::string_view name) {
  return name == "tokenizer.json" || name == "vocab.txt" || name == "vocab.json" ||
         name.ends_with(".model") || name.ends_with(".tiktoken") ||
         (name.starts_with("tekken") && name.ends_with(".json"));
}

// What the file's names of labels allow a model with a classifier.
void AddClassifierTasks(const ModelConfig& config, std::vector<std::string>* tasks) {
  const Json* labels = config.Find({"id2label"});
  size_t count = labels != nullptr ? labels->size() : config.Count({"num_labels"}, 2u);
  if (count == 1) tasks->push_back("text-ranking");
  tasks->push_back("text-classification");
  if (labels == nullptr || labels->AsObject() == nullptr) return;
  for (const auto& [index, label] : *labels->AsObject()) {
    if (label.AsString() != nullptr && AsciiLower(*label.AsString()).starts_with("entail")) {
      tasks->push_back("zero-shot-classification");
      return;
    }
  }
}

void AddEmbeddingTasks(bool similarity_first, std::vector<std::string>* tasks) {
  std::array<const char*, 2> names = {"feature-extraction", "sentence-similarity"};
  if (similarity_first) std::swap(names[0], names[1]);
  tasks->insert(tasks->end(), names.begin(), names.end());
}

// Of models that take something else than texts.
std::vector<std::string> MediaTasks(const ModelConfig& config, ModelInput input) {
  bool has_labels = HeadOf(config) == Head::kSequenceClassification;
  if (input == ModelInput::kImage) {
    return {has_labels ? "image-classification" : "image-feature-extraction"};
  }
  if (!has_labels) Refuse("it has no head for a task: it gives states of sounds and no labels");
  return {"audio-classification"};
}

// sentences: it has modules that make a vector of a text.
std::vector<std::string> TasksOf(const ModelConfig& config, const SupportInput& input,
                                 bool sentences) {
  std::vector<std::string> tasks;
  if (sentences) AddEmbeddingTasks(true, &tasks);
  Head head = HeadOf(config);
  switch (head) {
    case Head::kCausalLm:
      tasks.push_back("text-generation");
      if (input.has_chat_template) tasks.push_back("conversational");
      break;
    case Head::kMaskedLm:
      tasks.push_back("fill-mask");
      break;
    case Head::kSequenceClassification:
      AddClassifierTasks(config, &tasks);
      break;
    case Head::kTokenClassification:
      tasks.push_back("token-classification");
      break;
    case Head::kQuestionAnswering:
      tasks.push_back("question-answering");
      break;
    case Head::kStates:
    case Head::kNone:
      break;
  }
  bool embeds = head == Head::kNone || head == Head::kMaskedLm || head == Head::kCausalLm;
  if (embeds && !sentences) AddEmbeddingTasks(false, &tasks);
  return tasks;
}

// Modules that are read (runtime/sentence_modules.cc). Whether they make a vector of a text: none
// do not, and a sparse pooling does not.
bool CheckModules(std::string_view text) {
  if (text.empty()) return false;
  bool is_sparse = false;
  Json list = Json::Parse(text);
  if (list.AsArray() == nullptr) Refuse("modules.json holds no list of modules");
  for (const Json& entry : *list.AsArray()) {
    std::string type = entry.StringField("type").value_or("");
    std::string name = type.substr(type.rfind('.') + 1);
    constexpr std::string_view kKnown[] = {"Transformer",   "MLMTransformer", "Pooling",
                                           "SpladePooling", "Normalize",      "Dense",
                                           "LayerNorm",     "Dropout"};
    bool known = std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
    is_sparse |= name == "SpladePooling";
    if (!known) Refuse("the sentence module " + Quoted(type) + " does not run here yet");
    if (name.ends_with("Transformer") && !entry.StringField("path").value_or("").empty()) {
      Refuse("its transformer lies in a folder of its own, which cannot be read yet");
    }
  }
  return !is_sparse;
}

Support JudgeFolder(const SupportInput& input) {
  std::span<const SupportFile> files = input.files;
  std::optional<uint64_t> weights = SumInRoot(files, IsSafetensors);
  std::string_view ending = ".safetensors";
  if (Holds(files, "model.safetensors")) {
    weights = SumInRoot(files, [](std::string_view name) { return name == "model.safetensors"; });
  } else if (weights) {
    CheckParts(files, ending);
  } else if ((weights = SumInRoot(files, IsTorch))) {
    CheckParts(files, ".bin");
  }
  bool adapter = Holds(files, "adapter_config.json") && !Holds(files, "model.safetensors");
  if (!weights || adapter) RefuseWithoutWeights(files);
  if (input.config.empty()) Refuse("it has no config.json, which says what its weights are");
  ModelConfig config = LanguageModelConfig(Json::Parse(input.config));
  std::string type = config.model_type();
  const Architecture* architecture = FindArchitecture(type);
  if (architecture == nullptr) RefuseType(config, type);
  CheckQuantisation(config);
  // Throws for sizes that are missing or contradict each other.
  ModelInput takes = architecture->shape(config).input;
  bool sentences = false;
  if (takes == ModelInput::kText) {
    sentences = CheckModules(input.modules);
    if (!AnyInRoot(files, IsTokenizer)) Refuse("it has no tokenizer file");
  } else if (!Holds(files, "preprocessor_config.json")) {
    Refuse("it has no preprocessor_config.json, which says how its inputs are prepared");
  }
  Support support;
  support.memory_bytes = MemoryFor(*weights);
  CheckMemory(support.memory_bytes, input.memory_bytes);
  support.tasks =
      takes == ModelInput::kText ? TasksOf(config, input, sentences) : MediaTasks(config, takes);
  return support;
}

// --- GGUF

bool IsGguf(std::string_view path) { return path.ends_with(".gguf"); }

// Beside a model lie its projector and what quantisation was guided by.
bool IsSideFile(std::string_view path) {
  std::string lower = AsciiLower(path);
  return lower.find("mmproj") != std::string::npos || lower.find("imatrix") != std::string::npos;
}

struct GgufChoice {
  std::string_view path;
  uint64_t size_bytes = 0;
  bool is_only_one = false;
};

uint64_t SumOfParts(std::span<const SupportFile> files, const PartName& first) {
  uint64_t sum = 0;
  for (const SupportFile& file : files) {
    std::optional<PartName> part = ParsePartName(file.path);
    if (part && part->stem == first.stem && IsGguf(file.path)) sum += file.size_bytes;
  }
  return sum;
}

// Of several quantisations: the usual compromise where there is one, else the largest that fits.
GgufChoice ChooseGguf(const SupportInput& input) {
  std::vector<GgufChoice> models;
  for (const SupportFile& file : input.files) {
    if (!InRoot(file.path) || !IsGguf(file.path) || IsSideFile(file.path)) continue;
    std::optional<PartName> part = ParsePartName(file.path);
    if (part && part->number > 1) continue;
    models.push_back(
        {.path = file.path, .size_bytes = part ? SumOfParts(input.files, *part) : file.size_bytes});
  }
  auto fits = [&](const GgufChoice& model) {
    return MemoryFor(model.size_bytes) <= input.memory_bytes;
  };
  if (models.size() == 1) models[0].is_only_one = true;
  GgufChoice best;
  for (const GgufChoice& model : models) {
    bool usual = AsciiLower(model.path).find("q4_k_m") != std::string::npos;
    if (usual && fits(model)) return model;
    bool better =
        best.path.empty() || (fits(model) && !fits(best)) ||
        (fits(model) == fits(best) && (model.size_bytes > best.size_bytes) == fits(model));
    if (better) best = model;
  }
  return best;
}

Support JudgeGguf(const SupportInput& input) {
  GgufChoice chosen = ChooseGguf(input);
  if (chosen.path.empty()) Refuse("its GGUF files hold no model, only parts beside one");
  if (ParsePartName(chosen.path)) CheckParts(input.files, ".gguf");
  if (chosen.is_only_one && input.gguf_parameters == 0)
    Refuse("its GGUF file holds a vocabulary and no weights");
  const convert::Architecture* tables = convert::FindByGguf(input.gguf_architecture);
  if (tables == nullptr) {
    Refuse("GGUF models of architecture " + Quoted(input.gguf_architecture) +
           " do not run here yet");
  }
  Support support;
  support.gguf_file = std::string(chosen.path);
  support.memory_bytes = MemoryFor(chosen.size_bytes);
  CheckMemory(support.memory_bytes, input.memory_bytes);
  std::string_view type = tables->model_type;
  bool encoder = type.find("bert") != std::string_view::npos || type == "mpnet";
  if (!encoder) {
    support.tasks.push_back("text-generation");
    if (input.has_chat_template) support.tasks.push_back("conversational");
  }
  AddEmbeddingTasks(encoder, &support.tasks);
  return support;
}

}  // namespace

Support JudgeSupport(const SupportInput& input) {
  Support refused;
  try {
    bool folder = AnyInRoot(input.files, IsSafetensors) || AnyInRoot(input.files, IsTorch);
    if (!folder && AnyInRoot(input.files, IsGguf)) return JudgeGguf(input);
    return JudgeFolder(input);
  } catch (const Refusal& refusal) {
    refused.reason = refusal.reason;
  } catch (const Error& error) {
    refused.reason = "its configuration cannot be used: " + error.message();
  }
  return refused;
}

std::string SupportFingerprint(uint64_t memory_bytes) {
  std::string text = std::to_string(kRulesVersion) + ":" + std::to_string(memory_bytes >> 20);
  uint32_t hash = 2166136261u;  // FNV-1a over the names: a new family is a new answer
  for (const Architecture* each : Architectures()) {
    for (char c : each->model_type) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  }
  return text + ":" + std::to_string(hash);
}

}  // namespace hearth::runtime
