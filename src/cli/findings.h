// Findings of the scanner as lines for people, worst first. Used by scan and inspect.
#pragma once

#include <vector>

#include "formats/scan/scan_finding.h"

namespace hearth::cli {

// Exit code of commands that found something dangerous; documented in docs/formats/scanner.md.
constexpr int kExitDangerous = 3;

void PrintFindings(const std::vector<ScanFinding>& findings, bool colour, bool notes);

}  // namespace hearth::cli
