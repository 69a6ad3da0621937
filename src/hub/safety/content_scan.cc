#include "hub/safety/content_scan.h"

#include <algorithm>

#include "formats/scan/scan.h"
#include "formats/scan/secret_scan.h"
#include "hub/commits.h"

namespace hearth::hub {
namespace {

// Rows are read with every look at a file's safety.
constexpr size_t kMaxFindings = 200;
constexpr size_t kMaxImports = 300;
// Longer texts are data: looked through up to here.
constexpr uint64_t kMaxSecretBytes = 16u << 20;

// The scanner's finding of code that is asked for by name is the usual case of models with code of
// their own: worth a word, not an alarm.
SafetyState StateOf(const ScanFinding& finding) {
  if (finding.severity == Severity::kDangerous) return SafetyState::kUnsafe;
  if (finding.severity == Severity::kNote) return SafetyState::kSafe;
  return finding.kind == "remote-code" ? SafetyState::kCaution : SafetyState::kSuspicious;
}

Json ImportsJson(const ScanReport& report) {
  Json rows = Json::Arr();
  for (const ScannedGlobal& entry : report.globals) {
    if (rows.size() >= kMaxImports) break;
    rows.Push(Json::Obj({{"module", entry.global.module},
                         {"name", entry.global.name},
                         {"class", GlobalClassName(entry.global.cls)}}));
  }
  return rows;
}

Json SecretsJson(ByteSource& source) {
  Json rows = Json::Arr();
  uint64_t size = std::min(source.size_bytes(), kMaxSecretBytes);
  std::string sample = source.Read(0, static_cast<size_t>(std::min<uint64_t>(size, kSampleBytes)));
  if (size == 0 || LooksBinary(sample)) return rows;
  std::string text = source.Read(0, static_cast<size_t>(size));
  for (const SecretFinding& secret : ScanSecrets(text)) {
    rows.Push(Json::Obj({{"kind", secret.kind},
                         {"line", secret.line},
                         {"length", secret.length},
                         {"digest", secret.digest}}));
  }
  return rows;
}

}  // namespace

ContentVerdict ScanContent(ByteSource& source, const std::string& kind) {
  std::string name(kScannedName);
  if (kind.find('.') != std::string::npos) {
    name = kind;
  } else if (!kind.empty()) {
    name += "." + kind;
  }
  ScanReport scanned = ScanSource(source, name);
  for (ScanFinding& finding : scanned.findings) {
    if (finding.path.starts_with(name)) finding.path.replace(0, name.size(), kScannedName);
  }
  ContentVerdict verdict;
  for (const ScanFinding& finding : scanned.findings)
    verdict.state = std::max(verdict.state, StateOf(finding));
  Json secrets = SecretsJson(source);
  if (secrets.size() > 0) verdict.state = std::max(verdict.state, SafetyState::kCaution);
  verdict.report = Json::Obj({{"findings", scanned.FindingsJson(kMaxFindings)},
                              {"imports", ImportsJson(scanned)},
                              {"secrets", std::move(secrets)}});
  return verdict;
}

}  // namespace hearth::hub
