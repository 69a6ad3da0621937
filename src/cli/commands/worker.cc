#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/confinement.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/stop_signals.h"
#include "net/server.h"
#include "runtime/tasks/task.h"
#include "serving/model_server.h"

namespace hearth::cli {
namespace {

struct WorkerCommand {
  ModelOptions model;
  std::string listen = "127.0.0.1:8090";
  std::string id;
  int drain_seconds = 10;
  int parent = 0;
  std::string adapters_folder;
};

// Loads what the first request would otherwise wait for.
void WarmUp(runtime::Runner& runner) {
  if (runner.model().sentence_modules() != nullptr) {
    runner.embedder();
  } else if (runner.model().head() == runtime::Head::kCausalLm) {
    runner.engine();
  } else {
    runner.encoder(runner.model().head());
  }
}

// A parent that is killed cannot end its workers, so the kernel does. One that was gone before this
// call is seen by its number.
void EndWith(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) throw Error(Code::kConflict, "the parent process is gone");
}

void Run(const WorkerCommand& command) {
  if (command.parent > 0) EndWith(command.parent);
  StopSignals signals;
  std::unique_ptr<runtime::Runner> runner = command.model.Load();
  WarmUp(*runner);
  serving::ModelServerOptions options;
  options.model_id = command.id;
  bool is_path = std::filesystem::exists(command.model.model);
  if (options.model_id.empty() && !is_path) options.model_id = command.model.model;
  if (options.model_id.empty()) {
    std::filesystem::path path = std::filesystem::absolute(command.model.model).lexically_normal();
    options.model_id = path.has_filename() ? path.filename() : path.parent_path().filename();
  }
  options.adapters_folder = command.adapters_folder;
  if (runner->model().shape().input != runtime::ModelInput::kText) {
    options.max_body_bytes = serving::kMaxFileBodyBytes;
  }
  // Only by environment: a command line is visible to every user of the machine.
  if (const char* token = std::getenv("HEARTH_WORKER_TOKEN")) options.token = token;
  serving::ModelServer model_server(*runner, options);
  net::ServerOptions net_options;
  net_options.io_threads = 1;
  // A stream that waits for its next token holds one.
  net_options.worker_threads = 256;
  // The hub writes a line of its own for each.
  net_options.access_log = command.parent == 0;
  net::Server server(net_options, model_server);
  int port = server.Listen({command.listen, "", ""});
  if (auto reason = ConfineProcess()) {
    log::Warning("the worker is not confined: it could start programs and open connections",
                 {{"reason", *reason}});
  }
  server.Start();
  const runtime::Task* task = runtime::DefaultTask(runner->model());
  std::string where = command.listen;
  if (!where.starts_with("unix:")) {
    where = "http://" + where.substr(0, where.rfind(':')) + ":" + std::to_string(port);
  }
  std::printf("%s (%s) listening on %s\n", options.model_id.c_str(),
              std::string(task->name).c_str(), where.c_str());
  std::fflush(stdout);
  signals.Wait();
  server.Stop(std::chrono::seconds(command.drain_seconds));
}

}  // namespace

void AddWorkerCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<WorkerCommand>();
  CLI::App* command = app.add_subcommand(
      "worker", "Serve one model over HTTP: OpenAI, TGI, TEI and inference routes");
  options->model.AddTo(command);
  command->add_option("--listen", options->listen, "host:port or unix:/path; port 0 picks one")
      ->capture_default_str();
  command->add_option("--id", options->id,
                      "Name of the model in answers; default: its id or its folder's");
  command->add_option("--drain-seconds", options->drain_seconds, "For running requests at the end")
      ->capture_default_str();
  command->add_option("--parent", options->parent, "Process with which this one ends");
  command->add_option("--adapters-from", options->adapters_folder,
                      "Requests may load adapters that lie in this folder");
  command->footer(
      "With HEARTH_WORKER_TOKEN set, requests need it as a bearer token.\n"
      "Try: curl URL/v1/chat/completions -d '{\"messages\": [{\"role\": \"user\", \"content\": "
      "\"Hi\"}]}'");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
