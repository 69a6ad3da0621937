#include "hub/inspector/finding.h"

namespace hearth::inspector {

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kProved:
      return "proved";
    case Level::kDeclared:
      return "declared";
    case Level::kInferred:
      return "inferred";
    case Level::kMissing:
      break;
  }
  return "missing";
}

Json ToJson(const Evidence& evidence) {
  Json json = Json::Obj({{"file", evidence.file}});
  if (!evidence.place.empty()) json.Set("place", evidence.place);
  json.Set("rule", evidence.rule);
  if (!evidence.repo.empty()) json.Set("repo", evidence.repo);
  return json;
}

Json ToJson(const Finding& finding) {
  Json evidence = Json::Arr();
  for (const Evidence& item : finding.evidence) evidence.Push(ToJson(item));
  return Json::Obj({{"value", finding.value},
                    {"level", std::string(LevelName(finding.level))},
                    {"evidence", std::move(evidence)}});
}

}  // namespace hearth::inspector
