#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/targets.h"
#include "cli/terminal_text.h"
#include "formats/scan/scan.h"

namespace hearth::cli {
namespace {

struct ScanCommand {
  std::vector<std::string> targets;
  bool json = false;
  bool strict = false;
  bool globals = false;
};

void PrintGlobals(const ScanReport& report) {
  for (const ScannedGlobal& entry : report.globals) {
    std::string_view cls = GlobalClassName(entry.global.cls);
    std::printf("%-10.*s %s.%s  (%s)\n", static_cast<int>(cls.size()), cls.data(),
                TerminalLine(entry.global.module).c_str(), TerminalLine(entry.global.name).c_str(),
                TerminalLine(entry.path).c_str());
  }
}

int Run(const ScanCommand& command) {
  Scanner scanner;
  size_t files = 0;
  for (const std::string& target : command.targets) {
    for (const TargetFile& file : ListTarget(target)) {
      std::string name = command.targets.size() == 1 ? file.name : file.path.string();
      if (!file.unread.empty()) {
        scanner.AddUnread(name, file.unread);
        continue;
      }
      std::unique_ptr<ByteSource> source = OpenTarget(file.path);
      scanner.Scan(*source, name);
      ++files;
    }
  }
  ScanReport report = scanner.Finish();
  if (command.json) {
    Json json = report.ToJson();
    json.Set("files", files);
    std::printf("%s\n", json.Dump(2).c_str());
  } else {
    PrintFindings(report.findings, WantsColour(), true);
    if (command.globals) PrintGlobals(report);
    std::string_view verdict = report.findings.empty() ? "clean" : SeverityName(report.verdict());
    std::printf("%zu files, %llu objects: %.*s\n", files,
                static_cast<unsigned long long>(report.objects), static_cast<int>(verdict.size()),
                verdict.data());
  }
  Severity limit = command.strict ? Severity::kSuspicious : Severity::kDangerous;
  return report.verdict() >= limit ? kExitDangerous : 0;
}

}  // namespace

void AddScanCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<ScanCommand>();
  CLI::App* command = app.add_subcommand(
      "scan",
      "Look for what runs when a model file is loaded; executes nothing. Exit code 3: dangerous");
  command->add_option("targets", options->targets, "Files or folders")->required();
  command->add_flag("--json", options->json, "Report as JSON");
  command->add_flag("--strict", options->strict, "Exit code 3 for suspicious files as well");
  command->add_flag("--globals", options->globals, "List every global that pickles name");
  command->callback([options, outcome] { outcome->exit_code = Run(*options); });
}

}  // namespace hearth::cli
