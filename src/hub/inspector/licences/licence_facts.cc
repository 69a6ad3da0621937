#include "hub/inspector/licences/licence_facts.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxLicenceFiles = 20;
constexpr uint64_t kMaxLicenceBytes = 1 << 20;
constexpr size_t kMaxParents = 64;
constexpr YamlLimits kYaml{.max_bytes = 4u << 20, .max_depth = 60, .max_nodes = 300'000};

Json ParseOrNull(const std::string& text, Json (*parse)(const std::string&)) {
  try {
    return parse(text);
  } catch (const Error&) {
    return {};  // a broken file says nothing
  }
}
Json ParseYamlText(const std::string& text) { return ParseYaml(text, kYaml); }
Json ParseJsonText(const std::string& text) { return Json::Parse(text); }

Json ReadJson(const RepoView& view, std::string_view path) {
  std::optional<std::string> text = view.ReadText(path);
  return text ? ParseOrNull(*text, ParseJsonText) : Json();
}

std::vector<std::string> TextList(const Json* value) {
  std::vector<std::string> list;
  if (value == nullptr) return list;
  if (const std::string* text = value->AsString()) list.push_back(*text);
  if (const Json::Array* items = value->AsArray()) {
    for (const Json& item : *items) {
      if (const std::string* text = item.AsString()) list.push_back(*text);
    }
  }
  return list;
}

// "ns/name" or a one-part name; not a folder of somebody's disk.
bool LooksLikeRepo(std::string_view id) {
  if (id.empty() || id.size() > 200 || id.front() == '/' || id.front() == '.') return false;
  if (std::count(id.begin(), id.end(), '/') > 1) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  });
}

struct RelationWord {
  std::string_view word;
  Relation relation;
};
constexpr RelationWord kRelationWords[] = {
    {"finetune", Relation::kFinetune}, {"adapter", Relation::kAdapter},
    {"merge", Relation::kMerge},       {"quantized", Relation::kQuantized},
    {"copy", Relation::kCopy},         {"converted", Relation::kConverted}};

class Reader {
 public:
  explicit Reader(const RepoView& view) : view_(view) {}

  LicenceFacts Read() {
    readme_ = view_.ReadText("README.md").value_or("");
    ReadCard();
    ReadFiles();
    ReadReadme();
    ReadConfig();
    ReadParents();
    Believe();
    return std::move(facts_);
  }

 private:
  void ReadCard() {
    FrontMatter front = SplitFrontMatter(readme_);
    if (front.present) card_ = ParseOrNull(front.yaml, ParseYamlText);
    for (const std::string& id : TextList(card_.Find("license")))
      facts_.declared.push_back(AsciiLower(TrimAscii(id)));
    facts_.declared_name = card_.StringField("license_name").value_or("");
    facts_.declared_link = card_.StringField("license_link").value_or("");
    if (!facts_.declared.empty())
      facts_.declared_at = FrontMatterEvidence(readme_, "license", "the card's licence");
  }

  void ReadFiles() {
    for (const RepoFile& file : view_.files()) {
      if (facts_.files.size() >= kMaxLicenceFiles) return;
      if (!IsLicenceFileName(file.path)) continue;
      std::optional<std::string> text = view_.ReadText(file.path, kMaxLicenceBytes);
      if (!text) continue;
      LicenceFile read{.path = file.path, .matches = MatchLicenceText(*text), .mentions = {}};
      if (read.matches.empty()) {
        read.mentions = FindSpdxLines(*text);
        std::string_view start = std::string_view(*text).substr(0, 4096);
        if (read.mentions.empty()) read.mentions = FindLicenceNames(start);
      }
      facts_.files.push_back(std::move(read));
    }
  }

  void ReadReadme() {
    facts_.spdx = FindSpdxLines(readme_);
    facts_.template_left = readme_.find("[More Information Needed]") != std::string::npos;
    std::optional<TextSection> section = FindLicenceSection(readme_);
    facts_.has_section = section.has_value();
    if (section)
      facts_.section = FindLicenceNames(section->text.substr(0, 16384), section->first_line);
  }

  void ReadConfig() {
    config_ = ReadJson(view_, "config.json");
    facts_.config_licence = config_.StringField("license").value_or("");
  }

  void AddParent(ParentLink link) {
    if (!LooksLikeRepo(link.id) || facts_.parents.size() >= kMaxParents) return;
    std::string key = link.type + ":" + AsciiLower(link.id);
    if (AsciiLower(link.id) == AsciiLower(view_.id()) || !seen_.insert(key).second) return;
    facts_.parents.push_back(std::move(link));
  }

  Relation GuessRelation(size_t bases) const {
    if (view_.Find("adapter_config.json") != nullptr) return Relation::kAdapter;
    if (bases > 1 || view_.Find("mergekit_config.yml") != nullptr) return Relation::kMerge;
    if (config_.Find("quantization_config") != nullptr) return Relation::kQuantized;
    bool gguf = std::any_of(view_.files().begin(), view_.files().end(),
                            [](const RepoFile& file) { return file.path.ends_with(".gguf"); });
    return gguf ? Relation::kQuantized : Relation::kFinetune;
  }

  void ReadParents() {
    std::vector<std::string> bases = TextList(card_.Find("base_model"));
    Relation relation = GuessRelation(bases.size());
    Level level = Level::kInferred;
    std::string word = AsciiLower(card_.StringField("base_model_relation").value_or(""));
    for (const RelationWord& known : kRelationWords) {
      if (known.word != word) continue;
      relation = known.relation;
      level = Level::kDeclared;
    }
    for (const std::string& id : bases) {
      AddParent({"model", id, "", relation, level,
                 FrontMatterEvidence(readme_, "base_model", "the card's base model")});
    }
    ReadAdapter();
    ReadMerge();
    for (const std::string& id : TextList(card_.Find("datasets"))) {
      AddParent({"dataset", id, "", Relation::kDataset, Level::kDeclared,
                 FrontMatterEvidence(readme_, "datasets", "the card's data set")});
    }
  }

  void ReadAdapter() {
    Json adapter = ReadJson(view_, "adapter_config.json");
    std::string id = adapter.StringField("base_model_name_or_path").value_or("");
    AddParent({"model",
               id,
               adapter.StringField("revision").value_or(""),
               Relation::kAdapter,
               Level::kDeclared,
               {"adapter_config.json", "/base_model_name_or_path", "what the adapter is for", ""}});
  }

  void ReadMerge() {
    std::optional<std::string> text = view_.ReadText("mergekit_config.yml");
    if (!text) return;
    Json recipe = ParseOrNull(*text, ParseYamlText);
    std::function<void(const Json&, int)> walk = [&](const Json& value, int depth) {
      if (depth > 20) return;
      if (const Json::Object* object = value.AsObject()) {
        for (const auto& [key, item] : *object) {
          const std::string* id = item.AsString();
          if (id != nullptr && (key == "model" || key == "base_model")) {
            AddParent({"model",
                       *id,
                       "",
                       Relation::kMerge,
                       Level::kDeclared,
                       {"mergekit_config.yml", "", "a model of the merge", ""}});
          }
          walk(item, depth + 1);
        }
      } else if (const Json::Array* items = value.AsArray()) {
        for (const Json& item : *items) walk(item, depth + 1);
      }
    };
    walk(recipe, 0);
  }

  // --- which licence is believed

  void AddRow(const Licence* row) {
    if (row != nullptr &&
        std::find(facts_.rows.begin(), facts_.rows.end(), row) == facts_.rows.end())
      facts_.rows.push_back(row);
  }

  // License text files at the top speak for the repository; deeper ones may belong to parts.
  const LicenceFile* MainFile() const {
    const LicenceFile* best = nullptr;
    for (const LicenceFile& file : facts_.files) {
      bool top = file.path.find('/') == std::string::npos;
      if (top && !file.matches.empty() && best == nullptr) best = &file;
    }
    return best;
  }

  static Evidence TextEvidence(const LicenceFile& file, const TextMatch& match) {
    std::string rule = "this is the text of " + match.name;
    if (match.verbatim && !match.exact()) rule = "the whole text of " + match.name + " stands here";
    if (!match.verbatim) {
      rule = std::to_string(static_cast<int>(match.share * 100)) + " % of the text of " +
             match.name + " stands here, changed";
    }
    if (!match.exact() && match.extra_words > 6)
      rule += ", and " + std::to_string(match.extra_words) + " words more";
    return {file.path, "", std::move(rule), ""};
  }

  void Believe() {
    const LicenceFile* text = MainFile();
    if (!facts_.declared.empty()) {
      BelieveCard(text);
    } else if (text != nullptr) {
      const TextMatch& match = text->matches.front();
      AddRow(FindLicence(match.id));
      SetOwn(match.id, match.exact() ? Level::kProved : Level::kInferred,
             {TextEvidence(*text, match)});
    } else if (!facts_.spdx.empty()) {
      BelieveMention(facts_.spdx.front(), Level::kDeclared, "an SPDX identifier");
    } else if (!facts_.section.empty()) {
      BelieveMention(facts_.section.front(), Level::kInferred,
                     "the licence section names \"" + facts_.section.front().words + "\"");
    } else {
      BelieveFileMention();
    }
    if (facts_.rows.empty()) facts_.rows.push_back(&UnknownLicence());
  }

  void BelieveFileMention() {
    for (const LicenceFile& file : facts_.files) {
      if (file.mentions.empty()) continue;
      AddRow(FindLicence(file.mentions.front().id));
      SetOwn(file.mentions.front().id, Level::kInferred,
             {{file.path, "line " + std::to_string(file.mentions.front().line),
               "the file names \"" + file.mentions.front().words + "\"", ""}});
      return;
    }
  }

  void BelieveMention(const LicenceMention& mention, Level level, std::string rule) {
    AddRow(FindLicence(mention.id));
    SetOwn(mention.id, level,
           {{"README.md", "line " + std::to_string(mention.line), std::move(rule), ""}});
  }

  void BelieveCard(const LicenceFile* text) {
    std::vector<std::string> ids = facts_.declared;
    // "other" with a name that is an id, or with a text that is known.
    const Licence* named = FindLicence(facts_.declared_name);
    bool other = ids.size() == 1 && (ids[0] == "other" || ids[0] == "unknown");
    if (other && named != nullptr) {
      AddRow(named);
      SetOwn(std::string(named->id), Level::kDeclared,
             {facts_.declared_at,
              FrontMatterEvidence(readme_, "license_name", "the name of the licence")});
      return;
    }
    if (other && text != nullptr && text->matches.front().id != "other") {
      const TextMatch& match = text->matches.front();
      AddRow(FindLicence(match.id));
      SetOwn(match.id, match.exact() ? Level::kProved : Level::kInferred,
             {facts_.declared_at, TextEvidence(*text, match)});
      return;
    }
    for (const std::string& id : ids) AddRow(FindLicence(id) ? FindLicence(id) : &UnknownLicence());
    std::vector<Evidence> evidence = {facts_.declared_at};
    Level level = Level::kDeclared;
    if (text != nullptr) {
      const TextMatch& match = text->matches.front();
      evidence.push_back(TextEvidence(*text, match));
      bool same = ids.size() == 1 && FindLicence(ids[0]) == FindLicence(match.id);
      if (same && match.exact()) level = Level::kProved;
      // Which of the two holds is for people to find out; both are reckoned with.
      if (!same && match.id != "other" && !UnderGeneralId(ids, match.id))
        AddRow(FindLicence(match.id));
    }
    if (ids.size() == 1) {
      SetOwn(ids[0], level, std::move(evidence));
    } else {
      facts_.own = {Json(ids), level, std::move(evidence)};
    }
  }

  // "gpl" beside the text of GPL 3 is no contradiction.
  static bool UnderGeneralId(const std::vector<std::string>& ids, const std::string& text_id) {
    return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
      return (id == "gpl" || id == "lgpl" || id == "bsd" || id == "cc") &&
             text_id.starts_with(id + "-");
    });
  }

  void SetOwn(std::string id, Level level, std::vector<Evidence> evidence) {
    facts_.own = {Json(std::move(id)), level, std::move(evidence)};
  }

  const RepoView& view_;
  std::string readme_;
  Json card_, config_;
  std::unordered_set<std::string> seen_;
  LicenceFacts facts_;
};

}  // namespace

Evidence FrontMatterEvidence(std::string_view readme, std::string_view key, std::string rule) {
  Evidence evidence{"README.md", "", std::move(rule), ""};
  size_t line = 1;
  while (!readme.empty() && line < 10'000) {
    std::string_view row = readme.substr(0, readme.find('\n'));
    if (row.starts_with(key) && row.substr(key.size()).starts_with(":")) {
      evidence.place = "line " + std::to_string(line);
      break;
    }
    readme.remove_prefix(std::min(row.size() + 1, readme.size()));
    ++line;
  }
  return evidence;
}

LicenceFacts ReadLicenceFacts(const RepoView& view) { return Reader(view).Read(); }

}  // namespace hearth::inspector
