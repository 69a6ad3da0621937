// `hearth completion bash|zsh|fish`: a script for the shell that completes commands, options and,
// where an option or argument has a fixed set, its values; file names elsewhere. It is written from
// the commands' own descriptions, so that it cannot fall behind them.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "runtime/tasks/task.h"

namespace hearth::cli {
namespace {

// A command as its words lead to it: "", "admin", "admin token".
struct Node {
  std::string path;
  std::vector<std::pair<std::string, std::string>> commands, options;  // name, what it is for
  std::vector<std::string> flags;                                      // options without a value
};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

Node Describe(const CLI::App& app, const std::string& path) {
  Node node{path, {}, {}, {}};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    // Commands without a group are not for people.
    if (command->get_group().empty() || command->get_name().empty()) continue;
    node.commands.emplace_back(command->get_name(), FirstLine(command->get_description()));
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() || option->get_positional()) continue;
    for (const std::string& name : option->get_lnames()) {
      node.options.emplace_back("--" + name, FirstLine(option->get_description()));
      if (option->get_items_expected_max() == 0) node.flags.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      node.options.emplace_back("-" + name, FirstLine(option->get_description()));
      if (option->get_items_expected_max() == 0) node.flags.push_back("-" + name);
    }
  }
  return node;
}

std::vector<Node> Tree(const CLI::App& root) {
  std::vector<Node> nodes;
  std::function<void(const CLI::App&, const std::string&)> walk = [&](const CLI::App& app,
                                                                      const std::string& path) {
    nodes.push_back(Describe(app, path));
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (command->get_group().empty() || command->get_name().empty()) continue;
      walk(*command, path.empty() ? command->get_name() : path + " " + command->get_name());
    }
  };
  walk(root, "");
  return nodes;
}

std::string Names(const std::vector<std::pair<std::string, std::string>>& described) {
  std::string names;
  for (const auto& [name, text] : described) names += (names.empty() ? "" : " ") + name;
  return names;
}

std::string TaskNames() {
  std::string names = "auto";
  for (const runtime::Task* task : runtime::Tasks()) names += " " + std::string(task->name);
  return names;
}

// The words before the cursor choose a command; what follows an option that takes a value is a
// file's name, as far as a script can know.
std::string Bash(const std::vector<Node>& nodes) {
  std::string commands, options, flags;
  for (const Node& node : nodes) {
    std::string key = Quoted(node.path);
    if (!node.commands.empty())
      commands += fmt::format("    {}) words={} ;;\n", key, Quoted(Names(node.commands)));
    options += fmt::format("    {}) words={} ;;\n", key, Quoted(Names(node.options)));
    std::string plain;
    for (const std::string& flag : node.flags) plain += " " + flag;
    flags += fmt::format("    {}) words={} ;;\n", key, Quoted(plain));
  }
  return fmt::format(R"(# bash completion of hearth: source <(hearth completion bash)
_hearth_commands() {{ case "$1" in
{}    *) words= ;; esac; }}
_hearth_options() {{ case "$1" in
{}    *) words= ;; esac; }}
_hearth_flags() {{ case "$1" in
{}    *) words= ;; esac; }}
_hearth() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path= words word taken=0 value=
  COMPREPLY=()
  local i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word="${{COMP_WORDS[i]}}"
    if [[ -n $value ]]; then value=; continue; fi
    if [[ $word == -* ]]; then
      _hearth_flags "$path"
      [[ $word == *=* || " $words " == *" $word "* ]] || value=1
      continue
    fi
    _hearth_commands "$path"
    if [[ " $words " == *" $word "* ]]; then path="${{path:+$path }}$word"; else ((++taken)); fi
  done
  if [[ -n $value ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
    return
  fi
  if [[ $current == -* ]]; then
    _hearth_options "$path"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  _hearth_commands "$path"
  if [[ -n $words && $taken == 0 ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  if [[ $path == run && $taken == 1 ]]; then
    COMPREPLY=($(compgen -W "{}" -- "$current"))
    return
  fi
  if [[ $path == completion ]]; then
    COMPREPLY=($(compgen -W "bash zsh fish" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -f -- "$current"))
  compopt -o filenames 2>/dev/null
}}
complete -F _hearth hearth
)",
                     commands, options, flags, TaskNames());
}

// zsh runs bash's functions; `bashcompinit` is part of every zsh.
std::string Zsh(const std::vector<Node>& nodes) {
  return "#compdef hearth\n# zsh completion of hearth: source <(hearth completion zsh)\n"
         "autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n"
         "compopt() { :; }\n" +
         Bash(nodes);
}

std::string Fish(const std::vector<Node>& nodes) {
  std::string script = R"(# fish completion of hearth: hearth completion fish | source
function __hearth_at
    set -l words (commandline -opc)[2..]
    set -l path
    for word in $words
        string match -q -- '-*' $word; or set -a path $word
    end
    test (count $argv) -le (count $path); or return 1
    for i in (seq (count $argv))
        test $argv[$i] = $path[$i]; or return 1
    end
end
function __hearth_bare
    test (count (string match -v -- '-*' (commandline -opc))) -eq 1
end
)";
  for (const Node& node : nodes) {
    std::string at = node.path.empty() ? "__hearth_bare" : "__hearth_at " + node.path;
    for (const auto& [name, text] : node.commands)
      script +=
          fmt::format("complete -c hearth -f -n {} -a {} -d {}\n", Quoted(at), name, Quoted(text));
    for (const auto& [name, text] : node.options) {
      bool is_long = name.starts_with("--");
      bool is_flag = std::find(node.flags.begin(), node.flags.end(), name) != node.flags.end();
      script +=
          fmt::format("complete -c hearth -n {} {} {}{} -d {}\n", Quoted(at), is_long ? "-l" : "-s",
                      name.substr(is_long ? 2 : 1), is_flag ? "" : " -r", Quoted(text));
    }
  }
  return script + "complete -c hearth -f -n '__hearth_at completion' -a 'bash zsh fish'\n" +
         fmt::format("complete -c hearth -n '__hearth_at run' -a {}\n", Quoted(TaskNames()));
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Outcome*) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "completion", "Print a script by which a shell completes hearth's commands and options");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  source <(hearth completion bash)                    (bash: in ~/.bashrc)\n"
      "  hearth completion fish | source                     (fish: in config.fish)");
  command->callback([&app, shell] {
    std::vector<Node> nodes = Tree(app);
    std::string script = *shell == "bash"  ? Bash(nodes)
                         : *shell == "zsh" ? Zsh(nodes)
                                           : Fish(nodes);
    fmt::print("{}", script);
  });
}

}  // namespace hearth::cli
