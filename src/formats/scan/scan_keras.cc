// Keras models are JSON that names classes: what the reader imports and calls. Lambda layers hold
// Python code; a `module` outside of Keras is imported; some classes of Keras itself load files or
// run other formats.
#include <algorithm>

#include "base/bytes.h"
#include "formats/pickle/pickle_globals.h"
#include "formats/scan/internal/scan_context.h"

namespace hearth {
namespace {

constexpr std::string_view kAdvice =
    "load it only with safe_mode=True and a trusted set of custom objects, or not at all";

// So many classes and modules of one object are looked at, each with each.
constexpr size_t kMaxNames = 32;

// Roots whose classes are layers, optimizers and the like.
constexpr std::string_view kModules[] = {"keras",    "keras_core", "keras_hub", "keras_nlp",
                                         "keras_cv", "tensorflow", "tf_keras"};

// Names inside of Keras that do more than compute.
constexpr std::string_view kHeavyNames[] = {"TFSMLayer",
                                            "TorchModuleWrapper",
                                            "JaxLayer",
                                            "FlaxLayer",
                                            "get_file",
                                            "load_model",
                                            "load_weights",
                                            "model_from_json",
                                            "deserialize",
                                            "deserialize_keras_object",
                                            "enable_unsafe_deserialization",
                                            "get_custom_objects",
                                            "load_img",
                                            "set_image_data_format",
                                            "pip_install",
                                            "custom_object_scope",
                                            "Functional_from_config"};

bool IsKerasModule(std::string_view module) {
  std::string_view root = module.substr(0, module.find('.'));
  return std::find(std::begin(kModules), std::end(kModules), root) != std::end(kModules);
}

// Modules of Keras that hold helpers, not parts of models.
bool IsHelperModule(std::string_view module) {
  for (std::string_view part : {"utils", "saving", "config", "datasets", "applications",
                                "callbacks", "backend", "legacy", "ops", "distribution"}) {
    for (std::string_view step : Split(module, '.')) {
      if (step == part) return true;
    }
  }
  return false;
}

class Walker {
 public:
  Walker(ScanContext& context, const std::string& path) : context_(context), path_(path) {}

  void Visit(const Json& value, const std::string& place, int depth) {
    if (depth > 150) return;
    if (const Json::Array* items = value.AsArray()) {
      for (size_t i = 0; i < items->size(); ++i)
        Visit((*items)[i], place + "/" + std::to_string(i), depth + 1);
      return;
    }
    const Json::Object* object = value.AsObject();
    if (object == nullptr) return;
    CheckObject(value, place);
    for (const auto& [key, item] : *object)
      Visit(item, place + "/" + key.substr(0, 100), depth + 1);
  }

 private:
  static std::string Text(const Json& object, std::string_view key) {
    const Json* value = object.Find(key);
    return value != nullptr && value->AsString() != nullptr ? *value->AsString() : std::string();
  }

  void Add(Severity severity, const char* kind, const std::string& place, std::string what) {
    context_.Add(severity, kind, path_, 0, place.substr(0, 200) + ": " + what,
                 std::string(kAdvice));
  }

  // A key may stand twice: Python takes the last, others the first, so all count.
  static std::vector<std::string> Texts(const Json& object, std::string_view wanted) {
    std::vector<std::string> texts;
    for (const auto& [key, value] : *object.AsObject()) {
      if (key == wanted && value.AsString() != nullptr) texts.push_back(*value.AsString());
    }
    return texts;
  }

  void CheckObject(const Json& object, const std::string& place) {
    std::vector<std::string> types = Texts(object, "class_name");
    std::vector<std::string> modules = Texts(object, "module");
    if (types.size() > 1 || modules.size() > 1)
      Add(Severity::kSuspicious, "keras-duplicate-key", place, "a key stands twice");
    if (types.size() > kMaxNames || modules.size() > kMaxNames)
      return Add(Severity::kDangerous, "keras-duplicate-key", place,
                 "a key stands so often that its readers cannot agree which one counts");
    if (Text(object, "function_type") == "lambda")
      Add(Severity::kDangerous, "keras-lambda", place, "a pickled Python function");
    const Json* config = object.Find("config");
    if (!types.empty() && config != nullptr && config->is_object()) {
      for (const std::string& file : Texts(*config, "vocabulary")) {
        Add(Severity::kSuspicious, "keras-loader", place,
            "a vocabulary read from the file " + file.substr(0, 200));
      }
    }
    if (types.empty()) types.push_back("");
    if (modules.empty()) modules.push_back("");
    for (const std::string& type : types) {
      for (const std::string& module : modules)
        CheckClass(module, type, Text(object, "config"), place);
    }
  }

  void CheckClass(const std::string& module, const std::string& type, const std::string& config,
                  const std::string& place) {
    if (type.ends_with("Lambda"))
      return Add(Severity::kDangerous, "keras-lambda", place,
                 "a Lambda layer, which holds Python code");
    if (type == "__lambda__")
      return Add(Severity::kDangerous, "keras-lambda", place, "a pickled Python function");
    if (type.empty() && module.empty()) return;
    std::string full = module + "." + (type == "function" ? config.substr(0, 100) : type);
    std::string_view last = std::string_view(full).substr(full.rfind('.') + 1);
    if (std::find(std::begin(kHeavyNames), std::end(kHeavyNames), last) != std::end(kHeavyNames)) {
      return Add(Severity::kDangerous, "keras-loader", place,
                 full + ", which loads or runs something else");
    }
    if (module.empty()) return;
    if (module == "builtins") {
      if (type == "function") {
        // Readers before Keras 3.9 take a function of Python where none of that name is Keras's.
        bool bad = ClassifyGlobal(module, config) == GlobalClass::kDangerous;
        if (bad) return Add(Severity::kDangerous, "keras-module", place, "the built-in " + config);
        return Add(Severity::kNote, "keras-custom", place,
                   "needs the custom function " + config.substr(0, 100));
      }
      return Add(Severity::kDangerous, "keras-module", place, "the built-in " + full);
    }
    if (!IsKerasModule(module)) {
      bool bad = ClassifyGlobal(module, type) == GlobalClass::kDangerous;
      return Add(bad ? Severity::kDangerous : Severity::kSuspicious, "keras-module", place,
                 "imports " + full);
    }
    if (IsHelperModule(module))
      Add(Severity::kSuspicious, "keras-helper", place, full + " is no part of a model");
  }

  ScanContext& context_;
  const std::string& path_;
};

}  // namespace

void ExamineKerasConfig(ScanContext& context, const std::string& path, const Json& config) {
  Walker(context, path).Visit(config, "", 0);
}

}  // namespace hearth
