// Spaces: an app that the hub runs, by the kit that its card names.
#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxCodeFiles = 200;
constexpr uint64_t kMaxCodeBytes = 1u << 20;  // of one file
constexpr uint64_t kMaxAllBytes = 8u << 20;   // of all files
constexpr size_t kMaxReferences = 200;

// The file without which the kit starts nothing; "" when it is there.
std::string MissingFile(const Survey& survey, const std::string& sdk, std::string* app) {
  std::string named = CardText(survey.card().data, "app_file");
  if (sdk == "docker") {
    *app = "Dockerfile";
  } else if (!named.empty()) {
    *app = named;
  } else if (sdk == "static") {
    *app = "index.html";
  } else if (sdk == "streamlit" && !survey.Has("app.py") && survey.Has("streamlit_app.py")) {
    *app = "streamlit_app.py";
  } else {
    *app = "app.py";
  }
  return survey.Has(*app) ? std::string() : *app;
}

void AddReference(Reference reference, Classification* result) {
  if (result->references.size() >= kMaxReferences) return;
  for (const Reference& known : result->references) {
    if (known.type == reference.type && known.id == reference.id &&
        known.revision == reference.revision)
      return;
  }
  result->references.push_back(std::move(reference));
}

std::optional<CodeLanguage> LanguageOf(std::string_view path) {
  std::string lower = AsciiLower(BaseName(path));
  if (lower.ends_with(".py")) return CodeLanguage::kPython;
  for (std::string_view ending : {".js", ".mjs", ".ts", ".tsx", ".jsx", ".html", ".svelte"}) {
    if (lower.ends_with(ending)) return CodeLanguage::kScript;
  }
  if (lower == "dockerfile" || lower.ends_with(".sh")) return CodeLanguage::kShell;
  return std::nullopt;
}

void ReadCode(const Survey& survey, Classification* result) {
  size_t files = 0;
  uint64_t bytes = 0;
  for (const RepoFile& file : survey.repo().files()) {
    std::optional<CodeLanguage> language = LanguageOf(file.path);
    if (!language || file.size_bytes > kMaxCodeBytes) continue;
    if (++files > kMaxCodeFiles || (bytes += file.size_bytes) > kMaxAllBytes) return;
    std::optional<std::string> code = survey.ReadText(file.path);
    if (!code) continue;
    for (Reference& reference : ScanCode(*code, *language, file.path)) {
      // A folder of the repository itself.
      bool local = survey.Has(reference.id) || survey.HasBelow(reference.id);
      if (!local) AddReference(std::move(reference), result);
    }
  }
}

void ReadCard(const Survey& survey, Classification* result) {
  for (const char* type : {"model", "dataset"}) {
    std::string key = std::string(type) + "s";
    for (const std::string& id : CardList(survey.card().data, key)) {
      if (!IsRepoId(id, true)) continue;
      AddReference({.role = type,
                    .type = type,
                    .id = id,
                    .revision = "",
                    .level = Level::kDeclared,
                    .evidence = OnCard(survey, key, "named on the card")},
                   result);
    }
  }
  // "ns/name file,file revision"
  for (const std::string& line : CardList(survey.card().data, "preload_from_hub")) {
    std::vector<std::string_view> words = Split(line, ' ');
    if (!IsRepoId(words[0], true)) continue;
    AddReference({.role = "model",
                  .type = "model",
                  .id = std::string(words[0]),
                  .revision = words.size() > 2 ? std::string(words[2]) : "",
                  .level = Level::kDeclared,
                  .evidence = OnCard(survey, "preload_from_hub", "loaded before the app starts")},
                 result);
  }
}

}  // namespace

void FindSpace(const Survey& survey, Classification* result) {
  std::string sdk = CardText(survey.card().data, "sdk");
  bool space = survey.type() == "space";
  if (!space && (sdk.empty() || !survey.weights().empty())) return;
  if (sdk.empty()) {
    if (survey.Has("app.py") || survey.Has("Dockerfile") || survey.Has("index.html"))
      result->Add("space", Level::kInferred, At("README.md", "", "kept as a Space without an sdk"));
    result->Warn("no_sdk", Level::kProved, "The card names no sdk, so the Space cannot be built.")
        .evidence = {At("README.md", "", "no sdk")};
  } else {
    bool known = sdk == "gradio" || sdk == "docker" || sdk == "static" || sdk == "streamlit";
    std::string app;
    std::string missing = MissingFile(survey, sdk, &app);
    bool whole = known && missing.empty();
    KindFinding& kind = result->Add("space", whole ? Level::kProved : Level::kDeclared,
                                    OnCard(survey, "sdk", "sdk: " + sdk));
    kind.facts.Set("sdk", sdk);
    if (whole) kind.evidence.push_back(At(app, "", "what it starts with"));
    if (!missing.empty()) {
      result
          ->Warn("app_missing", Level::kProved,
                 "The Space starts with " + missing + ", which is not in the repository.")
          .evidence = {OnCard(survey, "sdk", "sdk: " + sdk)};
    }
  }
  ReadCard(survey, result);
  ReadCode(survey, result);
}

}  // namespace hearth::inspector
