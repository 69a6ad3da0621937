#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "hub/gc.h"

namespace hearth::cli {
namespace {

struct GcCommand {
  std::string data = "./data";
  std::string grace = "22d";
  int trash_days = 7;
  bool dry_run = false;
  bool json = false;
  bool list = false;
  int64_t undo = 0;
};

hub::GcHooks ProgressHooks() {
  hub::GcHooks hooks;
  if (::isatty(STDERR_FILENO) == 0) return hooks;
  hooks.progress = [](std::string_view stage, size_t done, size_t total) {
    std::fprintf(stderr, "\r\033[K%.*s %zu", static_cast<int>(stage.size()), stage.data(), done);
    if (total > 0) std::fprintf(stderr, "/%zu", total);
  };
  return hooks;
}

void ClearProgress(const hub::GcHooks& hooks) {
  if (hooks.progress) std::fprintf(stderr, "\r\033[K");
}

void PrintReport(const hub::GcReport& report, const GcCommand& command) {
  if (command.json) {
    std::printf("%s\n", report.ToJson().Dump(2).c_str());
    return;
  }
  for (const hub::GcRepoReport& repo : report.repos) {
    std::printf("%-48s %6zu objects  %10s nominal  %10s freed%s%s\n",
                repo.repo.empty() ? "(no repository)" : repo.repo.c_str(), repo.objects,
                HumanBytes(repo.nominal_bytes).c_str(), HumanBytes(repo.freed_bytes).c_str(),
                repo.problem.empty() ? "" : "  ! ", repo.problem.c_str());
  }
  std::printf("%s %s: %zu objects, %zu Xet files, %zu xorbs, %zu stray files\n",
              command.dry_run ? "would move to the trash" : "moved to the trash",
              HumanBytes(report.freed_bytes).c_str(), report.objects, report.files, report.xorbs,
              report.strays);
  if (report.emptied_runs > 0) {
    std::printf("gave back %s of older trash\n", HumanBytes(report.emptied_bytes).c_str());
  }
  if (!command.dry_run && report.freed_bytes > 0) {
    std::printf("undo with: hearth gc --undo %lld (for %d days, then the space is given back)\n",
                static_cast<long long>(report.run_id), command.trash_days);
  }
}

void List(hub::Hub& hub, bool json) {
  Json rows = Json::Arr();
  for (const hub::GcRun& run : hub::ListGcRuns(hub)) {
    if (!json) {
      std::printf("%6lld  %s  %-9s %8zu entries  %s\n", static_cast<long long>(run.id),
                  FormatIso8601(run.started_at).c_str(), run.state.c_str(), run.entries,
                  HumanBytes(run.bytes).c_str());
      continue;
    }
    Json row = Json::Obj({{"run", run.id},
                          {"state", run.state},
                          {"startedAt", FormatIso8601(run.started_at)},
                          {"entries", run.entries},
                          {"bytes", run.bytes}});
    if (run.finished_at) row.Set("finishedAt", FormatIso8601(*run.finished_at));
    rows.Push(std::move(row));
  }
  if (json) std::printf("%s\n", rows.Dump(2).c_str());
}

// Exit code 1 when something could not be restored.
int Undo(hub::Hub& hub, const GcCommand& command) {
  hub::GcHooks hooks = ProgressHooks();
  hub::GcUndoReport report = hub::UndoGc(hub, command.undo, hooks);
  ClearProgress(hooks);
  if (command.json) {
    std::printf("%s\n", Json::Obj({{"restored", report.restored},
                                   {"superseded", report.superseded},
                                   {"lost", report.lost}})
                            .Dump(2)
                            .c_str());
  } else {
    std::printf("restored %zu entries; %zu were stored anew since; %zu are lost\n", report.restored,
                report.superseded, report.lost);
  }
  return report.lost == 0 ? 0 : 1;
}

int Run(const GcCommand& command) {
  if (!std::filesystem::exists(std::filesystem::path(command.data) / "hearth.db")) {
    throw Error(Code::kNotFound,
                command.data + " holds no hub: give the server's folder with --data");
  }
  hub::GcOptions options;
  options.grace = ParseDuration(command.grace, "--grace");
  options.trash_time = std::chrono::hours(24 * command.trash_days);
  options.dry_run = command.dry_run;
  hub::Hub hub({.data = std::filesystem::absolute(command.data).lexically_normal()},
               /*exclusive=*/false);
  if (command.list) {
    List(hub, command.json);
    return 0;
  }
  if (command.undo != 0) return Undo(hub, command);
  hub::GcHooks hooks = ProgressHooks();
  hub::GcReport report = hub::RunGc(hub, options, hooks);
  ClearProgress(hooks);
  PrintReport(report, command);
  return 0;
}

}  // namespace

void AddGcCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<GcCommand>();
  CLI::App* command =
      app.add_subcommand("gc", "Give back the space of what nothing needs any more");
  command->add_option("--data", options->data, "Folder of the hub; its server may be running")
      ->envname("HEARTH_DATA")
      ->capture_default_str();
  command
      ->add_option("--grace", options->grace,
                   "Keep what was used this recently; clients count on 3 weeks, so less than 22d "
                   "can break their running uploads")
      ->capture_default_str();
  command->add_option("--trash-days", options->trash_days, "How long a run can be undone")
      ->check(CLI::Range(0, 3650))
      ->capture_default_str();
  command->add_flag("--dry-run", options->dry_run, "Only tell what would go");
  command->add_flag("--json", options->json, "Report as JSON");
  auto* list = command->add_flag("--list", options->list, "List the runs and what can be undone");
  command->add_option("--undo", options->undo, "Restore what run N took")
      ->check(CLI::PositiveNumber)
      ->excludes(list);
  command->callback([options, outcome] { outcome->exit_code = Run(*options); });
}

}  // namespace hearth::cli
