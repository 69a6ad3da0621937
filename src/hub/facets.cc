#include "hub/facets.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/catalog.h"
#include "hub/inspector/fit/devices.h"
#include "hub/internal/card_tables.h"
#include "hub/internal/facet_table.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

using Value = std::optional<std::string>;

Value AfterPrefix(std::string_view tag, std::string_view prefix) {
  if (tag.size() <= prefix.size() || !tag.starts_with(prefix)) return std::nullopt;
  return std::string(tag.substr(prefix.size()));
}

std::string Same(std::string_view value) { return std::string(value); }
// Capital letter first: "safetensors" and "text" are words, not names.
std::string Capital(std::string_view value) {
  std::string label(value);
  if (!label.empty() && label[0] >= 'a' && label[0] <= 'z') label[0] -= 'a' - 'A';
  return label;
}

// --- tasks, libraries, languages

Value TaskOf(RepoType type, std::string_view tag) {
  if (type == RepoType::kDataset) return AfterPrefix(tag, "task_categories:");
  return AfterPrefix(tag, "\x01p:");
}
std::string TaskLabel(std::string_view value) {
  const TaskEntry* task = FindTask(value);
  return task == nullptr ? std::string(value) : std::string(task->label);
}

Value LibraryOf(RepoType type, std::string_view tag) {
  if (type == RepoType::kDataset) return AfterPrefix(tag, "library:");
  return IsKnownLibrary(tag) ? Value(tag) : std::nullopt;
}
std::string LibraryName(std::string_view value) {
  return std::string(IsKnownLibrary(value) ? LibraryLabel(value) : value);
}

// Models carry plain codes, data sets prefixed ones; either may carry the other.
Value LanguageOf(RepoType, std::string_view tag) {
  if (Value prefixed = AfterPrefix(tag, "language:")) return prefixed;
  return LanguageName(tag).empty() ? std::nullopt : Value(tag);
}
std::string LanguageLabel(std::string_view value) {
  std::string_view name = LanguageName(value);
  return std::string(name.empty() ? value : name);
}

// --- licences

Value LicenseOf(RepoType, std::string_view tag) { return AfterPrefix(tag, "license:"); }

struct LicenseRule {
  std::string_view start;  // of the identifier; "" = any
  std::string_view name;
};
// The first rule that fits. Headlines for narrowing a list: duties and compatibility are the
// inspector's.
constexpr LicenseRule kLicenseRules[] = {
    {"cc-by-nc", "noncommercial"},
    {"fair-noncommercial", "noncommercial"},
    {"apple-amlr", "noncommercial"},
    {"h-research", "noncommercial"},
    {"intel-research", "noncommercial"},
    {"c-uda", "noncommercial"},
    {"deepfloyd", "noncommercial"},
    {"cc-by-nd", "no-derivatives"},
    {"cc-by-sa", "copyleft"},
    {"gpl", "copyleft"},
    {"agpl", "copyleft"},
    {"lgpl", "copyleft"},
    {"mpl", "copyleft"},
    {"epl", "copyleft"},
    {"eupl", "copyleft"},
    {"osl", "copyleft"},
    {"odbl", "copyleft"},
    {"gfdl", "copyleft"},
    {"cdla-sharing", "copyleft"},
    {"ofl", "copyleft"},
    {"lppl", "copyleft"},
    {"ms-pl", "copyleft"},
    {"openrail", "rail"},
    {"creativeml", "rail"},
    {"bigscience", "rail"},
    {"bigcode", "rail"},
    {"llama", "community"},
    {"gemma", "community"},
    {"grok2", "community"},
    {"other", "other"},
    {"unknown", "other"},
};

Value LicenseClassOf(RepoType, std::string_view tag) {
  Value id = AfterPrefix(tag, "license:");
  if (!id) return std::nullopt;
  for (const LicenseRule& rule : kLicenseRules) {
    if (id->starts_with(rule.start)) return std::string(rule.name);
  }
  return IsKnownLicense(*id) && *id != "cc" ? "permissive" : "other";
}
std::string LicenseClassLabel(std::string_view value) {
  static constexpr std::pair<std::string_view, std::string_view> kLabels[] = {
      {"permissive", "Permissive"},        {"copyleft", "Copyleft"},
      {"noncommercial", "Non-commercial"}, {"no-derivatives", "No derivatives"},
      {"rail", "RAIL (use limits)"},       {"community", "Community terms"},
      {"other", "Other or not said"}};
  for (auto [id, label] : kLabels) {
    if (id == value) return std::string(label);
  }
  return std::string(value);
}

// --- formats, sizes, modalities

Value FormatOf(RepoType type, std::string_view tag) {
  if (type == RepoType::kDataset) return AfterPrefix(tag, "format:");
  static constexpr std::string_view kFormats[] = {
      "safetensors", "gguf",   "onnx", "pytorch", "tf",     "jax",        "keras",
      "openvino",    "coreml", "mlx",  "tflite",  "joblib", "tensorboard"};
  bool known = std::find(std::begin(kFormats), std::end(kFormats), tag) != std::end(kFormats);
  return known ? Value(tag) : std::nullopt;
}
Value ModalityOf(RepoType, std::string_view tag) { return AfterPrefix(tag, "modality:"); }
Value SizeOf(RepoType, std::string_view tag) { return AfterPrefix(tag, "size_categories:"); }
Value SdkOf(RepoType, std::string_view tag) {
  static constexpr std::string_view kSdks[] = {"gradio", "docker", "static", "streamlit"};
  bool known = std::find(std::begin(kSdks), std::end(kSdks), tag) != std::end(kSdks);
  return known ? Value(tag) : std::nullopt;
}
Value RangeOf(RepoType, std::string_view tag) { return AfterPrefix(tag, "\x01n:"); }
Value RelationOf(RepoType, std::string_view tag) {
  return AfterPrefix(tag,
                     "\x01"
                     "b:");
}
std::string RelationLabel(std::string_view value) {
  static constexpr std::pair<std::string_view, std::string_view> kLabels[] = {
      {"base", "Names no base model"},
      {"finetune", "Fine-tuned"},
      {"adapter", "Adapter"},
      {"quantized", "Quantized"},
      {"merge", "Merged"}};
  for (auto [id, label] : kLabels) {
    if (id == value) return std::string(label);
  }
  return std::string(value);
}
Value InferenceOf(RepoType, std::string_view tag) {
  return tag == "\x01r:" ? Value("available") : std::nullopt;
}
// --- programs that people run models with, by the format or library that they load

struct App {
  std::string_view name, label, tag;
};
constexpr App kApps[] = {
    {"llama.cpp", "llama.cpp", "gguf"},
    {"ollama", "Ollama", "gguf"},
    {"lmstudio", "LM Studio", "gguf"},
    {"jan", "Jan", "gguf"},
    {"koboldcpp", "KoboldCpp", "gguf"},
    {"node-llama-cpp", "node-llama-cpp", "gguf"},
    {"backyard", "Backyard AI", "gguf"},
    {"jellybox", "Jellybox", "gguf"},
    {"sanctum", "Sanctum", "gguf"},
    {"localai", "LocalAI", "gguf"},
    {"msty", "Msty", "gguf"},
    {"recursechat", "RecurseChat", "gguf"},
    {"docker-model-runner", "Docker Model Runner", "gguf"},
    {"lemonade", "Lemonade", "gguf"},
    {"mlx-lm", "MLX LM", "mlx"},
    {"pi", "Pi", "mlx"},
    {"vllm", "vLLM", "safetensors"},
    {"sglang", "SGLang", "safetensors"},
    {"tgi", "TGI", "safetensors"},
    {"drawthings", "Draw Things", "diffusers"},
    {"diffusionbee", "DiffusionBee", "diffusers"},
    {"invoke", "Invoke", "diffusers"},
    {"joyfusion", "JoyFusion", "diffusers"},
};
std::vector<std::string_view> AppsOf(RepoType, std::string_view tag) {
  std::vector<std::string_view> names;
  for (const App& app : kApps) {
    if (app.tag == tag) names.push_back(app.name);
  }
  return names;
}
const App* FindApp(std::string_view name) {
  auto app = std::find_if(std::begin(kApps), std::end(kApps),
                          [name](const App& candidate) { return candidate.name == name; });
  return app == std::end(kApps) ? nullptr : app;
}
std::string AppLabel(std::string_view value) {
  const App* app = FindApp(value);
  return std::string(app == nullptr ? value : app->label);
}

// --- results of evaluations

Value EvaluationOf(RepoType type, std::string_view tag) {
  if (type == RepoType::kDataset) return AfterPrefix(tag, "benchmark:");
  return tag == "model-index" || tag == "eval-results" ? Value(tag) : std::nullopt;
}
std::string EvaluationLabel(std::string_view value) {
  if (value == "model-index") return "Results on the card";
  if (value == "eval-results") return "Results in files";
  return Capital(value);
}

std::string InferenceLabel(std::string_view) { return "Runs on this hub"; }
std::string GatedLabel(std::string_view value) {
  return value == "true" ? "Gated" : "Open to all who see it";
}
std::string UpdatedLabel(std::string_view value) {
  std::optional<uint32_t> days = ParseUpdatedDays(value);
  if (days == 1u) return "Last 24 hours";
  if (days == 365u) return "Last year";
  return days ? "Last " + std::to_string(*days) + " days" : std::string(value);
}
std::string KindLabel(std::string_view value) {
  std::optional<size_t> place = KindPlace(value);
  return std::string(place ? ModelKinds()[*place].label : value);
}
// "24GiB" -> "24 GiB GPU", "my box:24GiB:400" -> "my box"; devices of the table by their name.
std::string FitLabel(std::string_view value) {
  for (const FitSize& size : FitSizes()) {
    if (size.name == value) return std::string(value.substr(0, value.size() - 3)) + " GiB GPU";
  }
  if (value == "node") return "This hub's machine";
  std::string_view name = TrimAscii(value.substr(0, value.find(':')));
  if (AsciiEqualsIgnoreCase(name, "cpu") || AsciiEqualsIgnoreCase(name, "gpu"))
    return std::string(value);
  return std::string(name.empty() ? value : name);
}

using Kind = FacetKind;
using Order = FacetOrder;
constexpr FacetDef kFacets[] = {
    {"task", "Task", true, true, false, Kind::kTags, false, Order::kByCount, TaskOf, TaskLabel},
    {"kind", "Kind", true, false, false, Kind::kKinds, true, Order::kByCount, nullptr, KindLabel},
    {"fits", "Fits my hardware", true, false, false, Kind::kFits, false, Order::kByScale, nullptr,
     FitLabel},
    {"sdk", "SDK", false, false, true, Kind::kTags, false, Order::kByCount, SdkOf, Capital},
    {"parameters", "Parameters", true, false, false, Kind::kTags, false, Order::kByScale, RangeOf,
     Same},
    {"modality", "Modality", false, true, false, Kind::kTags, true, Order::kByCount, ModalityOf,
     Capital},
    {"size", "Rows", false, true, false, Kind::kTags, false, Order::kByScale, SizeOf, Same},
    {"library", "Library", true, true, false, Kind::kTags, true, Order::kByCount, LibraryOf,
     LibraryName},
    {"language", "Language", true, true, true, Kind::kTags, true, Order::kByCount, LanguageOf,
     LanguageLabel},
    {"license", "Licence", true, true, true, Kind::kTags, false, Order::kByCount, LicenseOf, Same},
    {"license_class", "Licence class", true, true, true, Kind::kTags, false, Order::kByCount,
     LicenseClassOf, LicenseClassLabel},
    {"relation", "Relation", true, false, false, Kind::kTags, false, Order::kByCount, RelationOf,
     RelationLabel},
    {"format", "Format", true, true, false, Kind::kTags, true, Order::kByCount, FormatOf, Same},
    {"inference", "Inference", true, false, false, Kind::kTags, false, Order::kByCount, InferenceOf,
     InferenceLabel},
    {"apps", "Apps", true, false, false, Kind::kTags, true, Order::kByCount, nullptr, AppLabel,
     AppsOf},
    {"benchmark", "Benchmarks", true, true, false, Kind::kTags, true, Order::kByCount, EvaluationOf,
     EvaluationLabel},
    {"gated", "Access", true, true, false, Kind::kGated, false, Order::kByScale, nullptr,
     GatedLabel},
    {"updated", "Updated", true, true, true, Kind::kUpdated, false, Order::kByScale, nullptr,
     UpdatedLabel},
    {"author", "Author", true, true, true, Kind::kAuthor, false, Order::kByCount, nullptr, Same},
};

// --- scales

struct Range {
  std::string_view name;
  uint64_t below;
};
constexpr uint64_t kBillion = 1'000'000'000;
// Where people's machines differ: a phone, a laptop, one card, several, a cluster.
constexpr Range kRanges[] = {{"0-1B", kBillion},
                             {"1B-3B", 3 * kBillion},
                             {"3B-6B", 6 * kBillion},
                             {"6B-12B", 12 * kBillion},
                             {"12B-32B", 32 * kBillion},
                             {"32B-128B", 128 * kBillion},
                             {"128B-500B", 500 * kBillion},
                             {"500B-", UINT64_MAX}};

constexpr std::string_view kSizes[] = {"n<1K",       "1K<n<10K",   "10K<n<100K", "100K<n<1M",
                                       "1M<n<10M",   "10M<n<100M", "100M<n<1B",  "1B<n<10B",
                                       "10B<n<100B", "100B<n<1T",  "n>1T"};
constexpr std::string_view kSpans[] = {"1d", "7d", "30d", "90d", "365d"};

constexpr ModelKind kModelKinds[] = {{"base", "Base model"},
                                     {"finetune", "Fine-tune"},
                                     {"adapter", "Adapter"},
                                     {"quantized", "Quantised"},
                                     {"merged", "Merged"},
                                     {"converted", "Converted"},
                                     {"copy", "Copy"},
                                     {"tokenizer", "Tokenizer only"},
                                     {"pipeline", "Pipeline of parts"},
                                     {"embedding", "Embeddings"},
                                     {"classifier", "Classifier"},
                                     {"scorer", "Scorer"},
                                     {"reranker", "Reranker"},
                                     {"reward", "Reward model"},
                                     {"checkpoint", "Checkpoint of a training"},
                                     {"remote_code", "Runs code of its own"},
                                     {"shell", "Card without content"},
                                     {"dataset", "Data"},
                                     {"library", "Library or code"}};
static_assert(std::size(kModelKinds) <= 32);

constexpr uint64_t kGib = uint64_t{1} << 30;
constexpr FitSize kFitSizes[] = {{"4GiB", 4 * kGib},    {"6GiB", 6 * kGib},   {"8GiB", 8 * kGib},
                                 {"12GiB", 12 * kGib},  {"16GiB", 16 * kGib}, {"24GiB", 24 * kGib},
                                 {"32GiB", 32 * kGib},  {"48GiB", 48 * kGib}, {"80GiB", 80 * kGib},
                                 {"192GiB", 192 * kGib}};

template <typename List>
size_t PlaceIn(const List& list, std::string_view value) {
  return static_cast<size_t>(std::find(std::begin(list), std::end(list), value) - std::begin(list));
}

[[noreturn]] void BadValue(std::string_view key, std::string_view value, std::string_view rule) {
  throw Error(Code::kInvalidArgument, "invalid " + std::string(key) + " \"" +
                                          std::string(value.substr(0, 60)) + "\": expected " +
                                          std::string(rule));
}

void CheckValue(const FacetDef& def, std::string_view value) {
  if (def.key == "parameters") {
    bool known = std::any_of(std::begin(kRanges), std::end(kRanges),
                             [value](const Range& range) { return range.name == value; });
    if (!known) BadValue(def.key, value, "a range such as 1B-3B");
  } else if (def.key == "apps") {
    if (FindApp(value) == nullptr) BadValue(def.key, value, "a program such as llama.cpp or vllm");
  } else if (def.kind == FacetKind::kFits) {
    ParseFit(value);
  } else if (def.kind == FacetKind::kKinds) {
    if (!KindPlace(value)) BadValue(def.key, value, "a kind such as adapter or quantized");
  } else if (def.kind == FacetKind::kUpdated) {
    if (!ParseUpdatedDays(value)) BadValue(def.key, value, "days such as 7d");
  } else if (def.kind == FacetKind::kGated) {
    if (value != "true" && value != "false") BadValue(def.key, value, "true or false");
  }
}

}  // namespace

std::string HiddenTag(char kind, std::string_view text) {
  std::string tag(1, kHiddenTag);
  tag += kind;
  tag += ':';
  tag += text;
  return tag;
}

std::span<const FacetDef> FacetDefs() { return kFacets; }

const FacetDef* FindFacet(RepoType type, std::string_view key) {
  for (const FacetDef& def : kFacets) {
    if (def.key == key && def.Has(type)) return &def;
  }
  return nullptr;
}

std::string_view ParameterRangeOf(uint64_t parameters) {
  if (parameters == 0) return {};
  for (const Range& range : kRanges) {
    if (parameters < range.below) return range.name;
  }
  return kRanges[std::size(kRanges) - 1].name;
}

size_t ScalePlace(std::string_view key, std::string_view value) {
  if (key == "size") return PlaceIn(kSizes, value);
  if (key == "updated") return ParseUpdatedDays(value).value_or(UINT32_MAX);
  if (key == "gated") return value == "true";
  if (key == "fits") return static_cast<size_t>(ParseFit(value).bytes);
  for (size_t i = 0; i < std::size(kRanges); ++i) {
    if (kRanges[i].name == value) return i;
  }
  return std::size(kRanges);
}

std::span<const ModelKind> ModelKinds() { return kModelKinds; }

std::optional<size_t> KindPlace(std::string_view kind) {
  for (size_t i = 0; i < std::size(kModelKinds); ++i) {
    if (kModelKinds[i].kind == kind) return i;
  }
  return std::nullopt;
}

uint32_t KindBits(std::string_view kinds) {
  uint32_t bits = 0;
  if (kinds.empty()) return bits;
  for (std::string_view finding : Split(kinds, ',')) {
    std::string_view kind = finding.substr(0, finding.find(':'));
    bool said = !finding.ends_with(":inferred") || kind == "base";
    std::optional<size_t> place = KindPlace(kind);
    if (said && place) bits |= 1u << *place;
  }
  return bits;
}

std::span<const FitSize> FitSizes() { return kFitSizes; }

size_t FitPlace(uint64_t bytes) {
  size_t place = 0;
  while (place < std::size(kFitSizes) && kFitSizes[place].bytes < bytes) ++place;
  return place;
}

FitLimit ParseFit(std::string_view value) {
  std::optional<inspector::Device> device;
  if (value == "node") {
    device = inspector::ProbeNode();
    if (!device) throw Error(Code::kInvalidArgument, "the memory of this machine is not known");
  } else if (!value.empty() && value[0] >= '0' && value[0] <= '9' &&
             value.find(':') == std::string_view::npos && inspector::FindDevice(value) == nullptr) {
    device = inspector::ParseDevice("GPU:" + std::string(value));
  } else {
    device = inspector::ParseDevice(value);
  }
  return {device->kind == inspector::DeviceKind::kCpu, device->usable_bytes()};
}

std::optional<uint32_t> ParseUpdatedDays(std::string_view value) {
  if (value.size() < 2 || value.size() > 6 || value.back() != 'd') return std::nullopt;
  std::optional<uint64_t> days = ParseUint(value.substr(0, value.size() - 1));
  if (!days || *days == 0) return std::nullopt;
  return static_cast<uint32_t>(*days);
}

std::span<const std::string_view> UpdatedSpans() { return kSpans; }

void FacetColumn::Add(std::string text, uint32_t tag) {
  auto [known, fresh] = by_text.try_emplace(text, static_cast<uint32_t>(values.size()));
  if (fresh) values.push_back({std::move(text), {}});
  values[known->second].tags.push_back(tag);
}

const FacetColumn::Value* FacetColumn::Find(const std::string& text) const {
  auto found = by_text.find(text);
  return found == by_text.end() ? nullptr : &values[found->second];
}

std::vector<std::string_view> FacetKeys(RepoType type) {
  std::vector<std::string_view> keys;
  for (const FacetDef& def : kFacets) {
    if (def.Has(type)) keys.push_back(def.key);
  }
  return keys;
}

bool ApplyFacet(std::string_view key, std::string_view value, CatalogQuery* query) {
  const FacetDef* def = FindFacet(query->type, key);
  if (def == nullptr) return false;
  CheckValue(*def, value);
  std::pair<std::string, std::string> choice(key, value);
  if (def->kind == FacetKind::kAuthor) AsciiLowerInPlace(&choice.second);
  if (std::find(query->facets.begin(), query->facets.end(), choice) == query->facets.end())
    query->facets.push_back(std::move(choice));
  return true;
}

}  // namespace hearth::hub
