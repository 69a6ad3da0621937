#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "hub/fsck.h"

namespace hearth::cli {

void AddFsckCommand(CLI::App& app, Outcome* outcome) {
  auto data = std::make_shared<std::string>("./data");
  auto options = std::make_shared<hub::FsckOptions>();
  CLI::App* command =
      app.add_subcommand("fsck", "Check git, large objects and the database against each other");
  command->add_option("--data", *data, "Folder of the hub; its server must be stopped")
      ->envname("HEARTH_DATA")
      ->capture_default_str();
  command->add_flag("--repair", options->repair,
                    "Rebuild what can be rebuilt, drop what points to nothing");
  command->add_flag("--deep", options->deep,
                    "Read every large object again and compare its SHA-256");
  command->callback([data, options, outcome] {
    hub::Hub hub({.data = std::filesystem::absolute(*data).lexically_normal()}, /*exclusive=*/true);
    bool terminal = ::isatty(STDERR_FILENO) != 0;
    hub::FsckReport report =
        hub::RunFsck(hub, *options, [&](std::string_view stage, size_t done, size_t total) {
          if (!terminal) return;
          std::fprintf(stderr, "\r\033[K%.*s %zu/%zu", static_cast<int>(stage.size()), stage.data(),
                       done, total);
        });
    if (terminal) std::fprintf(stderr, "\r\033[K");
    for (const hub::FsckFinding& finding : report.findings) {
      std::printf("%s %s: %s\n",
                  finding.repaired ? "repaired" : (finding.serious ? "FAULT   " : "note    "),
                  finding.where.c_str(), finding.what.c_str());
    }
    std::printf("checked %zu repositories and %zu objects: %zu faults, %zu repaired, %zu notes\n",
                report.repositories, report.objects, report.CountFaults(), report.CountRepaired(),
                report.CountNotes());
    outcome->exit_code = report.CountFaults() == 0 ? 0 : 1;
  });
}

}  // namespace hearth::cli
