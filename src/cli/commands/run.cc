#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/terminal_text.h"
#include "runtime/tasks/task.h"
#include "runtime/tasks/text_generation.h"

namespace hearth::cli {
namespace {

struct RunCommand {
  ModelOptions model;
  std::string task;
  std::vector<std::string> inputs;
  std::vector<std::string> parameters;
  bool json = false;
};

// "top_k=5": the value is JSON where it parses as such, else text.
Json ReadParameters(const std::vector<std::string>& given) {
  Json parameters = Json::Obj();
  for (const std::string& each : given) {
    size_t at = each.find('=');
    if (at == std::string::npos || at == 0) {
      throw Error(Code::kInvalidArgument, "-p takes name=value, not \"" + each + "\"");
    }
    std::string value = each.substr(at + 1);
    try {
      parameters.Set(each.substr(0, at), Json::Parse(value));
    } catch (const Error&) {
      parameters.Set(each.substr(0, at), value);
    }
  }
  return parameters;
}

// Bars of labels, as people would rather look than read.
void PrintScores(const Json& items) {
  for (const Json& item : *items.AsArray()) {
    const Json *label = item.Find("label"), *score = item.Find("score");
    if (label == nullptr || score == nullptr) {
      fmt::print("{}\n", item.Dump());
      continue;
    }
    double value = score->AsDouble().value_or(0);
    auto cells = static_cast<int>(value * 30 + 0.5);
    std::string bar;
    for (int i = 0; i < 30; ++i) bar += i < cells ? "█" : "·";
    fmt::print("{} {:6.2f}%  {}\n", bar, value * 100, TerminalLine(*label->AsString()));
  }
}

void Print(const Json& answer, bool json) {
  if (json || !answer.is_array() || answer.size() == 0) {
    fmt::print("{}\n", answer.Dump(json ? 2 : 0));
    return;
  }
  const Json& first = answer.AsArray()->front();
  if (first.is_array() && first.size() > 0 && first.AsArray()->front().Find("label")) {
    for (const Json& each : *answer.AsArray()) PrintScores(each);
  } else if (first.Find("label") != nullptr) {
    PrintScores(answer);
  } else {
    for (const Json& each : *answer.AsArray()) fmt::print("{}\n", each.Dump());
  }
}

// Text appears as it is made.
void StreamText(runtime::Runner& runner, const std::string& input, const Json& parameters) {
  runtime::TextGeneration generation = runtime::ReadTextGeneration(runner, Json(input), parameters);
  fmt::print("{}", input);
  std::fflush(stdout);
  std::optional<Error> failure;
  runner.engine().Generate(std::move(generation.request),
                           [&](const runtime::GenerationEvent& event) {
                             std::fwrite(event.text.data(), 1, event.text.size(), stdout);
                             std::fflush(stdout);
                             if (event.error) failure = event.error;
                             return !OutputFailed();
                           });
  CheckOutput();
  fmt::print("\n");
  if (failure) throw *failure;
}

// Files above are none that a model could take.
constexpr uint64_t kMaxFileBytes = 1u << 30;

// A text is a text whatever it begins with; JSON is read where the task is asked with objects.
// Pictures and sounds are files, or come by standard input.
Json ReadInput(const runtime::Task& task, const std::string& input, bool is_argument) {
  if (runtime::TakesFile(task)) return Json(is_argument ? ReadFile(input, kMaxFileBytes) : input);
  if (task.input == runtime::TaskInput::kText) return Json(input);
  std::optional<Json> object;
  try {
    object = Json::Parse(input);
  } catch (const Error&) {
    // Then it is no object.
  }
  if (object && object->is_object()) {
    bool fits = task.input == runtime::TaskInput::kObject || object->Find("text") != nullptr;
    if (fits) return *object;
  }
  if (task.input == runtime::TaskInput::kPair) return Json(input);
  throw Error(Code::kInvalidArgument, "an input of " + std::string(task.name) +
                                          " is a JSON object (see hearth run --help), not \"" +
                                          input.substr(0, 100) + "\"");
}

// nullptr: what the model is for.
const runtime::Task* TaskNamed(const std::string& name) {
  if (name.empty() || name == "auto") return nullptr;
  if (const runtime::Task* task = runtime::FindTask(name)) return task;
  std::string known;
  for (const runtime::Task* each : runtime::Tasks()) known += " " + std::string(each->name);
  throw Error(Code::kInvalidArgument, "unknown task \"" + name + "\"; there are:" + known +
                                          ", and auto for what the model is for");
}

void Run(const RunCommand& command) {
  const runtime::Task* task = TaskNamed(command.task);
  Json parameters = ReadParameters(command.parameters);
  std::unique_ptr<runtime::Runner> runner = command.model.Load();
  if (task == nullptr) task = runtime::DefaultTask(runner->model());
  if (auto refusal = task->refusal(runner->model())) throw Error(Code::kUnprocessable, *refusal);
  std::vector<std::string> inputs = command.inputs;
  if (inputs.empty()) {
    inputs.emplace_back(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  // One text that appears as it is made; of several, the whole answer.
  bool streams = true;
  for (const char* key : {"best_of", "num_beams", "num_return_sequences", "decoder_input_details"})
    streams = streams && parameters.Find(key) == nullptr;
  for (const std::string& input : inputs) {
    Json value = ReadInput(*task, input, !command.inputs.empty());
    if (task->name == "text-generation" && !command.json && streams) {
      StreamText(*runner, input, parameters);
    } else {
      Print(runtime::RunTask(*runner, *task, value, parameters), command.json);
    }
  }
}

}  // namespace

void AddRunCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<RunCommand>();
  CLI::App* command =
      app.add_subcommand("run", "Ask a model once: classify, fill, extract, generate");
  options->model.AddTo(command);
  command->add_option("task", options->task,
                      "text-generation, text-classification, ...; auto: what the model is for");
  command->add_option(
      "inputs", options->inputs,
      "Texts, each asked by itself; a JSON object each for tasks of several texts, a file each "
      "for tasks of pictures and sounds. None: "
      "standard input");
  command->add_option("-p,--parameter", options->parameters, "name=value; may be repeated");
  command->add_flag("--json", options->json, "The answer as the Inference API gives it");
  command->footer(
      "Examples:\n"
      "  hearth run owner/name text-generation 'Once upon a time'    (from the hub of "
      "HF_ENDPOINT)\n"
      "  hearth run ./sentiment auto 'What a day'\n"
      "  hearth run ./vit image-classification cat.jpg\n"
      "  hearth run ./gpt2 text-generation 'Once upon a time' -p max_new_tokens=40\n"
      "  hearth run ./squad question-answering '{\"question\": \"Who?\", \"context\": \"...\"}'");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
