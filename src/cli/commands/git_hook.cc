#include <cstdlib>
#include <iostream>

#include "cli/command.h"
#include "hub/push.h"

namespace hearth::cli {

// Called by git receive-pack through <data>/hooks, never by a person.
void AddGitHookCommand(CLI::App& app, Outcome* outcome) {
  auto data = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("git-hook", "")->group("");
  command->require_subcommand(1);
  CLI::App* receive = command->add_subcommand("pre-receive", "");
  receive->add_option("--data", *data, "")->required();
  receive->callback([data, outcome] {
    outcome->exit_code =
        hub::RunPreReceive(std::cin, std::cerr, hub::PushEnvironment::FromProcess(*data));
  });
}

}  // namespace hearth::cli
