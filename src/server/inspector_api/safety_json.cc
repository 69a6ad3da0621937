#include "server/inspector_api/safety_json.h"

#include <algorithm>

namespace hearth::server {
namespace {

using hub::SafetyState;

bool IsOpen(SafetyState state) {
  return state == SafetyState::kUnknown || state == SafetyState::kQueued ||
         state == SafetyState::kScanning;
}

// The wire has no word for a scan under way.
std::string_view WireState(SafetyState state) {
  if (state == SafetyState::kUnknown) return "unscanned";
  if (state == SafetyState::kScanning) return "queued";
  return hub::SafetyStateName(state);
}

// The clients' words for how safe an import is.
std::string_view WireSafety(const std::string& cls) {
  if (cls == "safe") return "innocuous";
  return cls == "suspicious" ? "suspicious" : "dangerous";
}

Json PickleScan(const Json& report) {
  const Json* imports = report.Find("imports");
  if (imports == nullptr || imports->size() == 0) return {};
  SafetyState worst = SafetyState::kSafe;
  Json list = Json::Arr();
  for (const Json& import : *imports->AsArray()) {
    std::string_view safety = WireSafety(import.StringField("class").value_or(""));
    if (safety == "dangerous") worst = SafetyState::kUnsafe;
    if (safety == "suspicious") worst = std::max(worst, SafetyState::kSuspicious);
    list.Push(Json::Obj({{"module", import.StringField("module").value_or("")},
                         {"name", import.StringField("name").value_or("")},
                         {"safety", safety}}));
  }
  return Json::Obj({{"status", WireState(worst)},
                    {"pickleImports", std::move(list)},
                    {"version", std::to_string(hub::kSafetyRules)}});
}

}  // namespace

bool IsIssue(SafetyState state) {
  return state == SafetyState::kCaution || state == SafetyState::kSuspicious ||
         state == SafetyState::kUnsafe;
}

bool MayReadSafety(const Context& context) {
  return context.hub.repos().May(context.actor, context.repo().record().id,
                                 hub::Right::kReadContent);
}

Json FileSafetyJson(const hub::FileSafety& file) {
  if (file.state == SafetyState::kUnknown) return {};
  return Json::Obj({{"status", WireState(file.state)},
                    {"avScan", nullptr},
                    {"pickleImportScan", PickleScan(file.report)}});
}

Json NotScanned() { return Json::Obj({{"scansDone", false}, {"filesWithIssues", Json::Arr()}}); }

Json RepoSafetyJson(hub::Hub& hub, const hub::RepoHandle& repo,
                    const std::optional<GitOid>& commit) {
  if (!commit || hub.safety().policy() == hub::Quarantine::kOff) return NotScanned();
  hub::FactsPtr facts = hub.catalog().FactsOf(repo, *commit);
  std::vector<hub::SafetyKey> keys;
  for (const hub::Sibling& file : facts->siblings) keys.push_back(hub::SafetyKeyOf(file));
  auto found = hub.safety().Find(repo.record(), keys, hub::Safety::Detail::kStates);
  Json issues = Json::Arr();
  bool done = true;
  for (size_t i = 0; i < found.size(); ++i) {
    done = done && !IsOpen(found[i].state);
    if (!IsIssue(found[i].state)) continue;
    issues.Push(
        Json::Obj({{"path", facts->siblings[i].path}, {"level", WireState(found[i].state)}}));
  }
  return Json::Obj({{"scansDone", done}, {"filesWithIssues", std::move(issues)}});
}

Json ReportFor(const Json& report, const std::string& path) {
  Json copy = report;
  Json* findings = copy.Find("findings");
  if (findings == nullptr || findings->AsArray() == nullptr) return copy;
  for (Json& finding : *findings->AsArray()) {
    std::string at = finding.StringField("path").value_or("");
    if (at.starts_with(hub::kScannedName)) at.replace(0, hub::kScannedName.size(), path);
    finding.Set("path", at);
  }
  return copy;
}

Json FirstFindings(const Json& report, const std::string& path, size_t limit) {
  Json findings = Json::Arr();
  Json own = ReportFor(report, path);
  const Json* list = own.Find("findings");
  if (list == nullptr || list->AsArray() == nullptr) return findings;
  for (const Json& finding : *list->AsArray()) {
    if (findings.size() == limit) break;
    findings.Push(Json::Obj({{"kind", finding.StringField("kind").value_or("")},
                             {"evidence", finding.StringField("evidence").value_or("")},
                             {"advice", finding.StringField("advice").value_or("")}}));
  }
  return findings;
}

}  // namespace hearth::server
