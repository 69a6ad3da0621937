#include "cli/findings.h"

#include <cstdio>

namespace hearth::cli {
namespace {

const char* ColourOf(Severity severity) {
  switch (severity) {
    case Severity::kDangerous:
      return "\033[1;31m";
    case Severity::kSuspicious:
      return "\033[33m";
    case Severity::kNote:
      return "\033[2m";
  }
  return "";
}

}  // namespace

void PrintFindings(const std::vector<ScanFinding>& findings, bool colour, bool notes) {
  for (const ScanFinding& finding : findings) {
    if (finding.severity == Severity::kNote && !notes) continue;
    std::string word(SeverityName(finding.severity));
    for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
    std::printf("%s%-10s%s %s\n           %s", colour ? ColourOf(finding.severity) : "",
                word.c_str(), colour ? "\033[0m" : "", finding.path.c_str(),
                finding.evidence.c_str());
    if (finding.offset > 0)
      std::printf(" (byte %llu)", static_cast<unsigned long long>(finding.offset));
    std::printf("\n");
    if (!finding.advice.empty()) std::printf("           %s\n", finding.advice.c_str());
  }
}

}  // namespace hearth::cli
