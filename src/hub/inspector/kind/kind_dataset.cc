// Data sets: files of rows that a reader can sort into splits; and benchmarks, which say how they
// are to be scored.
#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/inspector/kind/data_files.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr YamlLimits kLimits{.max_bytes = 1u << 20, .max_depth = 40, .max_nodes = 50'000};
constexpr size_t kMaxChecked = 5;  // files whose bytes are looked at

// Patterns of the card's configs: "data_files" of strings, lists, or {split, path}.
void CollectPatterns(const Json& value, std::vector<std::string>* patterns) {
  if (patterns->size() > 1000) return;
  if (const std::string* text = value.AsString()) {
    patterns->push_back(*text);
  } else if (const Json::Array* items = value.AsArray()) {
    for (const Json& item : *items) CollectPatterns(item, patterns);
  } else if (const Json::Object* members = value.AsObject()) {
    for (const auto& [key, member] : *members) {
      if (key != "split") CollectPatterns(member, patterns);
    }
  }
}

std::vector<std::string> DeclaredPatterns(const Json& card) {
  std::vector<std::string> patterns;
  const Json* configs = card.Find("configs");
  if (configs == nullptr || !configs->is_array()) return patterns;
  for (const Json& config : *configs->AsArray()) {
    if (const Json* files = config.Find("data_files")) CollectPatterns(*files, &patterns);
  }
  return patterns;
}

class DatasetRule {
 public:
  DatasetRule(const Survey& survey, Classification* result) : survey_(survey), result_(result) {
    for (const RepoFile& file : survey.repo().files()) {
      if (DataFormat format = DataFormatOf(file.path); format != DataFormat::kNone)
        files_.push_back({&file, format});
    }
  }

  void Run() {
    bool dataset = survey_.type() == "dataset";
    // Beside a model, and in an app, tables are examples and logs.
    bool elsewhere = survey_.type() == "space" || !survey_.weights().empty() ||
                     survey_.config().is_object() || result_->Is("adapter") ||
                     result_->Is("space") || !survey_.UnknownFile().empty();
    if (!dataset && elsewhere) return;
    if (!CheckPatterns()) return Declare(dataset);
    if (!Verify()) return Declare(dataset);
    if (!dataset && OnlyLooseText()) return;
    KindFinding& kind = result_->Add("dataset", Level::kProved, evidence_);
    kind.facts.Set("files", files_.size());
    kind.facts.Set("formats", FormatNames());
    kind.facts.Set("splits", Splits());
    Benchmark();
  }

 private:
  struct DataFile {
    const RepoFile* file;
    DataFormat format;
  };

  // False when the card names files that are not there.
  bool CheckPatterns() {
    std::vector<std::string> patterns = DeclaredPatterns(survey_.card().data);
    if (patterns.empty()) return true;
    std::vector<DataFile> named;
    for (const std::string& pattern : patterns) {
      bool local = pattern.find("://") == std::string::npos;
      bool found = !local;
      for (const RepoFile& file : survey_.repo().files()) {
        if (!local || !GlobMatches(pattern, file.path)) continue;
        found = true;
        DataFormat format = DataFormatOf(file.path);
        named.push_back({&file, format == DataFormat::kNone ? DataFormat::kText : format});
      }
      if (found) continue;
      result_
          ->Warn("data_files", Level::kProved,
                 "The card names data files that are not in the repository: " + pattern)
          .evidence = {OnCard(survey_, "configs", "data_files")};
      return false;
    }
    if (!named.empty()) files_ = std::move(named);
    return true;
  }

  // Are the first files what they are called?
  bool Verify() {
    size_t checked = 0;
    for (const DataFile& data : files_) {
      if (checked++ == kMaxChecked) break;
      std::string fault = CheckDataFile(survey_, data.file->path, data.format);
      if (fault.empty()) {
        evidence_ = At(data.file->path, "", "data of the form " + DataFormatName(data.format));
        return true;
      }
      faults_.push_back(At(data.file->path, "", fault));
    }
    if (!faults_.empty()) {
      result_->Warn("data_unreadable", Level::kProved, "Data files are not what their names say.")
          .evidence = faults_;
    }
    return false;
  }

  // A folder with notes in .txt or one .json is no data set for that.
  bool OnlyLooseText() const {
    return std::all_of(files_.begin(), files_.end(), [](const DataFile& data) {
      return data.format == DataFormat::kText || data.format == DataFormat::kJson ||
             data.format == DataFormat::kMedia;
    });
  }

  void Declare(bool dataset) {
    if (!dataset) return;
    const Json& card = survey_.card().data;
    if (!files_.empty() || card.Find("dataset_info") != nullptr ||
        card.Find("configs") != nullptr || HasScript()) {
      result_->Add("dataset", Level::kDeclared,
                   At("README.md", "", "it is kept as a data set; no data file was read"));
    }
    if (files_.empty() && HasScript()) {
      result_->Add("remote_code", Level::kDeclared,
                   At(Script(), "", "a script that makes the data when it is loaded"));
    }
  }

  std::string Script() const {
    std::string name(BaseName(survey_.repo().id()));
    return name + ".py";
  }
  bool HasScript() const { return survey_.Has(Script()); }

  Json FormatNames() const {
    std::set<std::string> names;
    for (const DataFile& data : files_) names.insert(DataFormatName(data.format));
    Json list = Json::Arr();
    for (const std::string& name : names) list.Push(name);
    return list;
  }

  Json Splits() const {
    std::set<std::string> names;
    for (const DataFile& data : files_) names.insert(SplitOf(data.file->path));
    Json list = Json::Arr();
    for (const std::string& name : names) list.Push(name);
    return list;
  }

  void Benchmark() {
    if (survey_.type() != "dataset" || !survey_.Has("eval.yaml")) return;
    std::optional<std::string> text = survey_.ReadText("eval.yaml");
    if (!text) return;
    try {
      Json record = ParseYaml(*text, kLimits);
      const Json* tasks = record.Find("tasks");
      bool sound = tasks != nullptr && tasks->is_array() && tasks->size() > 0;
      KindFinding& kind = result_->Add("benchmark", sound ? Level::kProved : Level::kDeclared,
                                       At("eval.yaml", sound ? "/tasks" : "", "how it is scored"));
      if (sound) kind.facts.Set("tasks", tasks->size());
    } catch (const Error&) {
      result_->Add("benchmark", Level::kDeclared, At("eval.yaml", "", "not readable"));
    }
  }

  const Survey& survey_;
  Classification* result_;
  std::vector<DataFile> files_;
  std::vector<Evidence> faults_;
  Evidence evidence_;
};

}  // namespace

void FindDataset(const Survey& survey, Classification* result) {
  DatasetRule(survey, result).Run();
}

}  // namespace hearth::inspector
