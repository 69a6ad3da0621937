#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/output.h"

namespace hearth::cli {
namespace {

struct ChatCommand {
  ModelOptions model;
  std::string system;
  double temperature = -1;
  uint32_t max_tokens = 1024;
  std::optional<uint64_t> seed;
};

std::atomic<bool> interrupted{false};
void OnInterrupt(int) { interrupted = true; }

// One answer, as it comes; ^C ends it and keeps what there is.
std::string Answer(runtime::Runner& runner, const Json& messages, const ChatCommand& command) {
  const runtime::Model& model = runner.model();
  ChatInput input;
  input.messages = messages;
  input.add_generation_prompt = true;
  runtime::GenerationRequest request;
  request.prompt = model.tokenizer().EncodeIds(model.RenderChat(std::move(input)), false);
  runtime::GenerationConfig wanted;
  wanted.do_sample = command.temperature != 0;
  if (command.temperature > 0) wanted.temperature = command.temperature;
  wanted.max_new_tokens = command.max_tokens;
  wanted.seed = command.seed;
  request.config = model.generation_config().MergedWith(wanted);
  std::string text;
  std::optional<Error> failure;
  interrupted = false;
  runner.engine().Generate(std::move(request), [&](const runtime::GenerationEvent& event) {
    text += event.text;
    std::fwrite(event.text.data(), 1, event.text.size(), stdout);
    std::fflush(stdout);
    if (event.error) failure = event.error;
    return !interrupted && !OutputFailed();
  });
  CheckOutput();
  fmt::print("\n");
  if (failure) throw *failure;
  return text;
}

void Run(const ChatCommand& command) {
  std::unique_ptr<runtime::Runner> runner = command.model.Load();
  if (!runner->model().has_chat_template()) {
    throw Error(Code::kUnprocessable,
                "this model has no chat template: it continues text (hearth run) and holds no "
                "conversations");
  }
  runner->engine();
  Json messages = Json::Arr();
  auto restart = [&] {
    messages = Json::Arr();
    if (!command.system.empty()) {
      messages.Push(Json::Obj({{"role", "system"}, {"content", command.system}}));
    }
  };
  restart();
  bool terminal = ::isatty(STDIN_FILENO) != 0;
  if (terminal) fmt::print("/new begins again, /quit or ^D ends, ^C stops an answer\n");
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
  for (std::string line;;) {
    if (terminal) fmt::print("\033[1m> \033[0m");
    std::fflush(stdout);
    if (!std::getline(std::cin, line) || line == "/quit") break;
    if (line == "/new") restart();
    if (line.empty() || line == "/new") continue;
    messages.Push(Json::Obj({{"role", "user"}, {"content", line}}));
    std::string text = Answer(*runner, messages, command);
    messages.Push(Json::Obj({{"role", "assistant"}, {"content", text}}));
  }
}

}  // namespace

void AddChatCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<ChatCommand>();
  CLI::App* command = app.add_subcommand("chat", "Talk with a model in the terminal");
  options->model.AddTo(command);
  command->add_option("--system", options->system, "What the model is told first");
  command->add_option("--temperature", options->temperature,
                      "0: always the likeliest; default: the model's own setting");
  command->add_option("--max-tokens", options->max_tokens, "Of one answer")->capture_default_str();
  command->add_option("--seed", options->seed, "The same seed gives the same answers");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
