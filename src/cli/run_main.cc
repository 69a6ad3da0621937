#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal_text.h"

namespace hearth::cli {
namespace {

std::string OwnPath(const char* fallback) {
  char path[PATH_MAX];
  ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : fallback;
}

// The parser splits a word like "[a, b]" wherever an option takes several. Here a word is a word: a
// NUL, which no argument of a process can hold, keeps the brackets from being its ends, and goes
// when the option is read.
std::vector<std::string> KeptWords(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) {  // the parser takes them from the end
    words.emplace_back(argv[i]);
    if (words.back().starts_with('[') && words.back().ends_with(']')) words.back() += '\0';
  }
  return words;
}

void ReadKeptWords(CLI::App* app) {
  for (CLI::Option* option : app->get_options()) {
    if (option->get_items_expected_max() == 0) continue;
    option->transform([](std::string word) {
      if (word.ends_with('\0')) word.pop_back();
      return word;
    });
  }
  for (CLI::App* command : app->get_subcommands([](CLI::App*) { return true; }))
    ReadKeptWords(command);
}

int RunCommand(int argc, char** argv) {
  CLI::App app("Hearth: a hub for models, datasets and Spaces that you run yourself.", "hearth");
  app.set_version_flag("--version", std::string("hearth ") + HEARTH_VERSION);
  app.require_subcommand(1);
  Outcome outcome;
  outcome.program = OwnPath(argv[0]);
#define HEARTH_COMMAND(Name) Add##Name##Command(app, &outcome);
#include "cli/commands.inc"
#undef HEARTH_COMMAND
  try {
    ReadKeptWords(&app);
    app.parse(KeptWords(argc, argv));
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  } catch (const OutputError&) {
    return 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "hearth: %s\n", TerminalText(error.message()).c_str());
    return 1;
  } catch (const std::bad_alloc&) {
    std::fputs("hearth: there is not enough memory for this\n", stderr);
    return 1;
  } catch (const std::system_error& error) {
    errno = error.code().value();  // fmt throws this for a write that failed
    if (OutputFailed()) return 1;
    std::fprintf(stderr, "hearth: %s\n", TerminalText(error.what()).c_str());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hearth: %s\n", TerminalText(error.what()).c_str());
    return 1;
  }
  return outcome.exit_code;
}

}  // namespace

int RunMain(int argc, char** argv) { return FinishOutput(RunCommand(argc, argv)); }

}  // namespace hearth::cli
