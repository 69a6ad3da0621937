// The command family: one file under commands/ defines `void Add<Name>Command(CLI::App&,
// Outcome*)`, one line in commands.inc names it. A command describes its options, then runs in a
// callback and reports through the Outcome.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace hearth::cli {

struct Outcome {
  int exit_code = 0;
  std::string program;  // path of this binary
};

#define HEARTH_COMMAND(Name) void Add##Name##Command(CLI::App& app, Outcome* outcome);
#include "cli/commands.inc"
#undef HEARTH_COMMAND

// Parses argv, runs the command; returns the process exit code. 0 done, 1 the operation failed, 2
// wrong usage.
int RunMain(int argc, char** argv);

}  // namespace hearth::cli
