#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "hub/scrub.h"

namespace hearth::cli {
namespace {

struct ScrubCommand {
  std::string data = "./data";
  int rate = 50;
  bool json = false;
  bool once = false;
};

// Exit code 1 when anything is damaged.
int Run(const ScrubCommand& command) {
  if (!std::filesystem::exists(std::filesystem::path(command.data) / "hearth.db")) {
    throw Error(Code::kNotFound,
                command.data + " holds no hub: give the server's folder with --data");
  }
  hub::Hub hub({.data = std::filesystem::absolute(command.data).lexically_normal()},
               /*exclusive=*/false);
  hub::ScrubOptions options;
  options.bytes_per_second = static_cast<uint64_t>(command.rate) * 1'000'000;
  options.from_start = command.once;
  hub::GcHooks hooks;
  bool terminal = ::isatty(STDERR_FILENO) != 0;
  if (terminal) {
    hooks.progress = [](std::string_view stage, size_t done, size_t) {
      std::fprintf(stderr, "\r\033[K%.*s %zu", static_cast<int>(stage.size()), stage.data(), done);
    };
  }
  hub::ScrubReport report = hub::RunScrub(hub, options, hooks);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  if (command.json) {
    std::printf("%s\n", report.ToJson().Dump(2).c_str());
  } else {
    for (const hub::ScrubFinding& finding : report.findings) {
      std::printf("DAMAGED %s: %s\n", finding.what.c_str(), finding.reason.c_str());
      for (const std::string& who : finding.affected) std::printf("        %s\n", who.c_str());
    }
    std::printf("read %zu objects and %zu xorbs, %s: %zu damaged\n", report.objects, report.xorbs,
                HumanBytes(report.bytes).c_str(), report.findings.size());
  }
  return report.findings.empty() ? 0 : 1;
}

}  // namespace

void AddScrubCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<ScrubCommand>();
  CLI::App* command = app.add_subcommand(
      "scrub", "Read everything stored again and compare it with its hashes; moves rot away");
  command->add_option("--data", options->data, "Folder of the hub; its server may be running")
      ->envname("HEARTH_DATA")
      ->capture_default_str();
  command->add_option("--rate", options->rate, "MB per second that it may read; 0 = no limit")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_flag("--once", options->once,
                    "Begin at the front, not where an interrupted scrub stopped");
  command->add_flag("--json", options->json, "Report as JSON");
  command->callback([options, outcome] { outcome->exit_code = Run(*options); });
}

}  // namespace hearth::cli
