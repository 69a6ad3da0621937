#include "hub/inspector/fit/runtimes.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/gguf/gguf.h"
#include "hub/inspector/weights/weight_sets.h"

namespace hearth::inspector {
namespace {

enum class Need { kRequired, kUsual };

struct AssetRow {
  ModelForm form;
  std::string_view name;
  Need need;
  std::string_view names;
  std::string_view purpose;
};
struct RuntimeRow {
  ModelForm form;
  std::string_view name;
  RunsVerdict verdict;
  std::string_view note;
};

std::span<const AssetRow> AssetRows() {
  using enum ModelForm;
  using enum Need;
  static constexpr AssetRow kRows[] = {
#define HEARTH_ASSET(form, name, need, names, purpose) {form, name, need, names, purpose},
#include "hub/inspector/fit/assets.inc"
#undef HEARTH_ASSET
  };
  return kRows;
}

std::span<const RuntimeRow> RuntimeRows() {
  using enum ModelForm;
  using enum RunsVerdict;
  static constexpr RuntimeRow kRows[] = {
#define HEARTH_RUNTIME(form, name, verdict, note) {form, name, verdict, note},
#include "hub/inspector/fit/runtimes.inc"
#undef HEARTH_RUNTIME
  };
  return kRows;
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The first file that one of the names (separated by '|') stands for, the root before folders.
const RepoFile* FindAsset(const RepoView& view, std::string_view names) {
  for (std::string_view name : Split(names, '|')) {
    if (const RepoFile* root = view.Find(name)) return root;
    if (name.find('/') != std::string_view::npos) continue;
    for (const RepoFile& file : view.files()) {
      bool ending = name.starts_with('.') && file.path.ends_with(name);
      if (ending || FileName(file.path) == name) return &file;
    }
  }
  return nullptr;
}

class Finder {
 public:
  Finder(const RepoView& view, const OwnVerdict& own) : view_(view) {
    report_.own = own;
    config_ = ReadJson("config.json");
  }

  RuntimeReport Run() {
    FindForms();
    for (const FormFound& form : report_.forms) FindAssets(form.form);
    FindPrograms();
    return std::move(report_);
  }

 private:
  Json ReadJson(std::string_view path) const {
    std::optional<std::string> text = view_.ReadText(path);
    if (!text) return {};
    try {
      return Json::Parse(*text);
    } catch (const Error&) {
      return {};
    }
  }

  void Add(ModelForm form, std::string file, std::string place, std::string rule) {
    auto same = std::find_if(report_.forms.begin(), report_.forms.end(),
                             [form](const FormFound& found) { return found.form == form; });
    if (same != report_.forms.end()) return;
    Finding finding{.value = FormName(form), .level = Level::kProved, .evidence = {}};
    finding.evidence.push_back(
        {.file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = {}});
    report_.forms.push_back({form, std::move(finding)});
  }

  void FindForms() {
    FindByConfig();
    for (const RepoFile& file : view_.files()) FindByName(file.path);
  }

  void FindByConfig() {
    bool mlx =
        config_.Find("quantization") != nullptr && config_.Find("quantization_config") == nullptr;
    const Json* method = config_.Find("quantization_config");
    method = method == nullptr ? nullptr : method->Find("quant_method");
    for (const WeightSet& set : FindWeightSets(view_)) {
      if (set.format == "gguf") {
        Add(ModelForm::kGguf, set.files[0], "", "a GGUF file carries weights, sizes and tokenizer");
      } else if (set.format == "pytorch") {
        AddPickle(set);
      } else if (!set.is_adapter && config_.is_object()) {
        if (mlx) {
          Add(ModelForm::kMlx, "config.json", "/quantization", "MLX's own quantisation");
        } else if (method == nullptr) {
          Add(ModelForm::kTransformers, set.files[0], "", "config.json with safetensors");
        }
      }
    }
    if (method != nullptr) {
      Add(ModelForm::kQuantized, "config.json", "/quantization_config/quant_method",
          "a quantisation method is named");
    }
    if (config_.Find("auto_map") != nullptr)
      Add(ModelForm::kRemoteCode, "config.json", "/auto_map",
          "classes from code in the repository");
  }

  // Only what is one: folders of OpenVINO hold .bin files, too.
  void AddPickle(const WeightSet& set) {
    if (set.is_adapter) return;
    for (const std::string& path : set.files) {
      std::string graph = path.substr(0, path.rfind('.')) + ".xml";
      if (view_.Find(graph) != nullptr) return;
    }
    Add(ModelForm::kPickle, set.files[0], "", "a pickled checkpoint of PyTorch");
  }

  void FindByName(const std::string& path) {
    struct Row {
      std::string_view ending;
      ModelForm form;
      std::string_view rule;
    };
    constexpr Row kRows[] = {
        {"adapter_config.json", ModelForm::kAdapter, "an adapter's configuration"},
        {"model_index.json", ModelForm::kDiffusers, "a pipeline of Diffusers"},
        {"modules.json", ModelForm::kSentences, "steps of sentence-transformers"},
        {".onnx", ModelForm::kOnnx, "an ONNX graph"},
        {"openvino_model.xml", ModelForm::kOpenVino, "an OpenVINO graph"},
        {".mlmodel", ModelForm::kCoreMl, "a Core ML model"},
        {".mlpackage/Manifest.json", ModelForm::kCoreMl, "a Core ML package"},
        {".tflite", ModelForm::kTflite, "a LiteRT model"},
        {".engine", ModelForm::kTensorRt, "a TensorRT engine"},
        {".keras", ModelForm::kKeras, "a Keras archive"},
        {"tf_model.h5", ModelForm::kKeras, "TensorFlow weights"},
        {"flax_model.msgpack", ModelForm::kFlax, "Flax weights"},
    };
    for (const Row& row : kRows)
      if (path.ends_with(row.ending)) Add(row.form, path, "", std::string(row.rule));
  }

  void FindAssets(ModelForm form) {
    for (const AssetRow& row : AssetRows()) {
      if (row.form != form) continue;
      AssetFound asset{.form = form,
                       .name = std::string(row.name),
                       .required = row.need == Need::kRequired,
                       .purpose = std::string(row.purpose),
                       .finding = {}};
      if (row.names.empty()) {
        FindGgufTokenizer(&asset);
      } else if (const RepoFile* file = FindAsset(view_, row.names)) {
        asset.finding = {.value = file->path, .level = Level::kProved, .evidence = {}};
        asset.finding.evidence.push_back(
            {.file = file->path, .place = "", .rule = "the file is there", .repo = {}});
      }
      report_.assets.push_back(std::move(asset));
    }
  }

  void FindGgufTokenizer(AssetFound* asset) {
    constexpr std::string_view kKey = "tokenizer.ggml.model";
    for (const RepoFile& file : view_.files()) {
      if (!file.path.ends_with(".gguf")) continue;
      try {
        std::unique_ptr<ByteSource> source = view_.Open(file.path);
        if (ReadGgufHeader(*source).Find(kKey) == nullptr) continue;
      } catch (const Error&) {
        continue;
      }
      asset->finding = {.value = file.path, .level = Level::kProved, .evidence = {}};
      asset->finding.evidence.push_back({.file = file.path,
                                         .place = "metadata " + std::string(kKey),
                                         .rule = "the header holds a tokenizer",
                                         .repo = {}});
      return;
    }
  }

  std::vector<std::string> MissingOf(ModelForm form) const {
    std::vector<std::string> missing;
    for (const AssetFound& asset : report_.assets)
      if (asset.form == form && asset.required && asset.finding.level == Level::kMissing)
        missing.push_back(asset.name);
    return missing;
  }

  // A model of the repository's own classes is loaded with them or not at all.
  bool NeedsCode(const RuntimeRow& row) const {
    bool code = std::any_of(report_.forms.begin(), report_.forms.end(), [](const FormFound& found) {
      return found.form == ModelForm::kRemoteCode;
    });
    return code && row.name == "Transformers" && row.form != ModelForm::kRemoteCode;
  }

  void FindPrograms() {
    for (const RuntimeRow& row : RuntimeRows()) {
      bool there = std::any_of(report_.forms.begin(), report_.forms.end(),
                               [&](const FormFound& found) { return found.form == row.form; });
      if (!there || NeedsCode(row)) continue;
      auto known = std::find_if(report_.runtimes.begin(), report_.runtimes.end(),
                                [&](const RuntimeFound& found) { return found.name == row.name; });
      if (known != report_.runtimes.end() && known->verdict <= row.verdict) continue;
      RuntimeFound found{.name = std::string(row.name),
                         .verdict = row.verdict,
                         .form = row.form,
                         .note = std::string(row.note),
                         .missing = MissingOf(row.form)};
      if (known == report_.runtimes.end()) {
        report_.runtimes.push_back(std::move(found));
      } else {
        *known = std::move(found);
      }
    }
    std::stable_sort(
        report_.runtimes.begin(), report_.runtimes.end(),
        [](const RuntimeFound& a, const RuntimeFound& b) { return a.verdict < b.verdict; });
  }

  const RepoView& view_;
  Json config_;
  RuntimeReport report_;
};

struct FormWords {
  ModelForm form;
  std::string_view name, label;
};
constexpr FormWords kForms[] = {
    {ModelForm::kTransformers, "safetensors", "safetensors with config.json"},
    {ModelForm::kGguf, "gguf", "GGUF"},
    {ModelForm::kAdapter, "adapter", "adapter"},
    {ModelForm::kPickle, "pickle", "PyTorch pickle"},
    {ModelForm::kQuantized, "quantized", "quantised checkpoint"},
    {ModelForm::kOnnx, "onnx", "ONNX"},
    {ModelForm::kOpenVino, "openvino", "OpenVINO"},
    {ModelForm::kCoreMl, "coreml", "Core ML"},
    {ModelForm::kTflite, "tflite", "LiteRT"},
    {ModelForm::kMlx, "mlx", "MLX"},
    {ModelForm::kTensorRt, "tensorrt", "TensorRT engine"},
    {ModelForm::kDiffusers, "diffusers", "Diffusers pipeline"},
    {ModelForm::kRemoteCode, "remote-code", "code in the repository"},
    {ModelForm::kKeras, "keras", "Keras or TensorFlow"},
    {ModelForm::kFlax, "flax", "Flax"},
    {ModelForm::kSentences, "sentence-transformers", "sentence-transformers"},
};

const FormWords& WordsOf(ModelForm form) {
  return *std::find_if(std::begin(kForms), std::end(kForms),
                       [form](const FormWords& words) { return words.form == form; });
}

Json OwnJson(const OwnVerdict& own) {
  if (!own.known) return {};
  Json json = Json::Obj({{"runs", own.runs}, {"tasks", Json(own.tasks)}});
  if (!own.reason.empty()) json.Set("reason", own.reason);
  return json;
}

}  // namespace

std::string_view FormName(ModelForm form) { return WordsOf(form).name; }
std::string_view FormLabel(ModelForm form) { return WordsOf(form).label; }

std::string_view RunsVerdictName(RunsVerdict verdict) {
  switch (verdict) {
    case RunsVerdict::kRuns:
      return "runs";
    case RunsVerdict::kWithPlugin:
      return "with-plugin";
    case RunsVerdict::kAfterConversion:
      return "after-conversion";
    case RunsVerdict::kNever:
      break;
  }
  return "no";
}

RuntimeReport FindRuntimes(const RepoView& view, const OwnVerdict& own) {
  return Finder(view, own).Run();
}

Json ToJson(const RuntimeReport& report) {
  Json forms = Json::Arr(), assets = Json::Arr(), runtimes = Json::Arr();
  for (const FormFound& form : report.forms) {
    Json row = ToJson(form.finding);
    row.Set("label", FormLabel(form.form));
    forms.Push(std::move(row));
  }
  for (const AssetFound& asset : report.assets) {
    Json row = Json::Obj({{"format", FormName(asset.form)},
                          {"name", asset.name},
                          {"required", asset.required},
                          {"purpose", asset.purpose}});
    Json finding = ToJson(asset.finding);
    for (const auto& [key, value] : *finding.AsObject()) row.Set(key, value);
    assets.Push(std::move(row));
  }
  for (const RuntimeFound& runtime : report.runtimes) {
    runtimes.Push(Json::Obj({{"name", runtime.name},
                             {"verdict", RunsVerdictName(runtime.verdict)},
                             {"format", FormName(runtime.form)},
                             {"note", runtime.note},
                             {"missing", Json(runtime.missing)}}));
  }
  return Json::Obj({{"formats", std::move(forms)},
                    {"assets", std::move(assets)},
                    {"hearth", OwnJson(report.own)},
                    {"runtimes", std::move(runtimes)}});
}

std::string RuntimesText(const RuntimeReport& report) {
  if (report.forms.empty()) return "no form of a model that a program loads\n";
  std::string text = "forms:";
  for (const FormFound& form : report.forms) text += " " + std::string(FormLabel(form.form)) + ";";
  text.back() = '\n';
  if (report.own.known)
    text += std::string("  hearth: ") + (report.own.runs ? "runs" : report.own.reason) + "\n";
  for (const RuntimeFound& runtime : report.runtimes) {
    std::string name = runtime.name;
    name.resize(std::max<size_t>(name.size(), 28), ' ');
    std::string verdict(RunsVerdictName(runtime.verdict));
    verdict.resize(std::max<size_t>(verdict.size(), 17), ' ');
    text += "  " + name + verdict + runtime.note;
    for (size_t i = 0; i < runtime.missing.size(); ++i)
      text += (i == 0 ? "; missing: " : ", ") + runtime.missing[i];
    text += "\n";
  }
  for (const AssetFound& asset : report.assets) {
    if (asset.finding.level == Level::kMissing)
      text +=
          "  no " + asset.name + (asset.required ? " (required: " : " (") + asset.purpose + ")\n";
  }
  return text;
}

}  // namespace hearth::inspector
