#include <unistd.h>

#include <climits>
#include <cstdio>
#include <new>

#include "base/error.h"
#include "cli/command.h"
#include "cli/terminal_text.h"

namespace hearth::cli {
namespace {

std::string OwnPath(const char* fallback) {
  char path[PATH_MAX];
  ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : fallback;
}

}  // namespace

int RunMain(int argc, char** argv) {
  CLI::App app("Hearth: a hub for models, datasets and Spaces that you run yourself.", "hearth");
  app.set_version_flag("--version", std::string("hearth ") + HEARTH_VERSION);
  app.require_subcommand(1);
  Outcome outcome;
  outcome.program = OwnPath(argv[0]);
#define HEARTH_COMMAND(Name) Add##Name##Command(app, &outcome);
#include "cli/commands.inc"
#undef HEARTH_COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  } catch (const Error& error) {
    std::fprintf(stderr, "hearth: %s\n", TerminalText(error.message()).c_str());
    return 1;
  } catch (const std::bad_alloc&) {
    std::fputs("hearth: there is not enough memory for this\n", stderr);
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hearth: %s\n", TerminalText(error.what()).c_str());
    return 1;
  }
  return outcome.exit_code;
}

}  // namespace hearth::cli
