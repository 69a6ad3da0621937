#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/model_options.h"
#include "cli/stop_signals.h"
#include "codec/yaml.h"
#include "hub/hub.h"
#include "hub/push.h"
#include "hub/upkeep.h"
#include "inference/scheduler.h"
#include "inference/search_embedder.h"
#include "net/server.h"
#include "server/app.h"
#include "server/inference_api/model_judge.h"
#include "tensor/executors.h"

namespace hearth::cli {
namespace {

struct ServeOptions {
  std::string data = "./data";
  std::string config;
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  std::string base_url;
  std::string tls_certificate;
  std::string tls_key;
  std::vector<std::string> trusted_proxies;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string log_file;
  bool access_log = true;
  int io_threads = 0;
  int worker_threads = 0;
  int drain_seconds = 20;
  bool allow_sign_up = false;
  std::string xet_convert_after = "600";
  std::optional<uint64_t> reserve_bytes;
  std::string gc_every = "1d";
  std::string gc_grace = "22d";
  std::string scrub_every = "off";
  std::string quarantine = "warn";
  std::string search_model;
  int scrub_rate = 10;
  std::string upkeep_pause = "60s";
  std::string inference = "on";
  std::string inference_memory = "0";
  std::string inference_idle = "15m";
  int inference_threads = 0;
  std::string inference_executor = "cpu";
  server::AdmissionOptions admission;
  std::string admin_user, admin_password, admin_token;
};

// Fills options that neither a flag nor the environment gave from the YAML file of --config. Keys
// are the long option names without dashes in front ("base-url"); a key that no option has is an
// error, so that typos are seen.
void ApplyConfigFile(CLI::App* command, const std::string& file) {
  if (file.empty()) return;
  Json config = ParseYaml(ReadFile(file, 1 << 20));
  if (config.is_null()) return;
  const Json::Object* members = config.AsObject();
  if (members == nullptr) throw Error(Code::kInvalidArgument, file + ": expected a map of options");
  for (const auto& [key, value] : *members) {
    CLI::Option* option = command->get_option_no_throw("--" + key);
    if (option == nullptr || key == "config") {
      throw Error(Code::kInvalidArgument,
                  file + ": unknown option '" + key + "'; see hearth serve --help");
    }
    if (option->count() > 0) continue;
    auto add = [&](const Json& item) {
      option->add_result(item.AsString() != nullptr ? *item.AsString() : item.Dump());
    };
    if (const Json::Array* items = value.AsArray()) {
      for (const Json& item : *items) add(item);
    } else {
      add(value);
    }
    option->run_callback();
  }
}

log::Level ParseLevel(const std::string& name) {
  static const std::map<std::string, log::Level> levels = {{"debug", log::Level::kDebug},
                                                           {"info", log::Level::kInfo},
                                                           {"warning", log::Level::kWarning},
                                                           {"error", log::Level::kError}};
  auto found = levels.find(name);
  if (found == levels.end()) {
    throw Error(Code::kInvalidArgument,
                "unknown log level '" + name + "': debug, info, warning or error");
  }
  return found->second;
}

// Seconds, or "off".
std::optional<std::chrono::seconds> ParseConvertAfter(const std::string& text) {
  if (text == "off") return std::nullopt;
  std::optional<uint64_t> seconds = ParseUint(text);
  constexpr uint64_t kTenYears = 10ull * 366 * 24 * 3600;
  if (!seconds || *seconds > kTenYears) {
    throw Error(Code::kInvalidArgument,
                "--xet-convert-after must be a number of seconds or off, not '" + text + "'");
  }
  return std::chrono::seconds(*seconds);
}

// A hub without users gets its first administrator: from HEARTH_ADMIN_* or with made-up secrets
// that are printed once.
// Returns the made-up token's text, or "".
std::string EnsureAdministrator(hub::Hub& hub, const ServeOptions& options) {
  if (!hub.accounts().List(false).empty()) return "";
  std::string name = options.admin_user.empty() ? "admin" : options.admin_user;
  std::string password =
      options.admin_password.empty() ? RandomAlphanumeric(20) : options.admin_password;
  hub::AccountPtr admin = hub.accounts().CreateUser(name, password, "", true);
  hub::NewToken token;
  token.name = "first administrator";
  token.role = hub::TokenRole::kWrite;
  std::string text = options.admin_token;
  if (text.empty()) {
    text = hub.accounts().CreateToken(admin->id, token).second;
  } else {
    hub.accounts().ImportToken(admin->id, token, text);
  }
  if (!options.admin_password.empty() || !options.admin_token.empty()) return "";
  std::printf(
      "\nThe first administrator was made. These secrets are shown only now:\n"
      "  user      %s\n  password  %s\n  token     %s\n\n",
      admin->name.c_str(), password.c_str(), text.c_str());
  return text;
}

std::string UrlOf(const ServeOptions& options, const std::string& address, int port) {
  if (address.starts_with("unix:")) return address;
  std::string host = address.substr(0, address.rfind(':'));
  return (options.tls_certificate.empty() ? "http://" : "https://") + host + ":" +
         std::to_string(port);
}

// The lines that a person pastes into the shell of a client.
void PrintClientSetup(const std::string& url, const ServeOptions& options,
                      const std::string& first_token) {
  if (url.starts_with("unix:")) return;
  std::printf("\nFor a client:\n  export HF_ENDPOINT=%s\n  export HF_TOKEN=%s\n\n",
              options.base_url.empty() ? url.c_str() : options.base_url.c_str(),
              first_token.empty()
                  ? "<a token of yours: hearth admin token create USER --role write>"
                  : first_token.c_str());
}

std::optional<std::chrono::milliseconds> Interval(const std::string& text, const char* option) {
  if (text == "off") return std::nullopt;
  std::chrono::seconds interval = ParseDuration(text, option);
  if (interval.count() == 0) {
    throw Error(Code::kInvalidArgument, std::string(option) + ": give a duration, or off");
  }
  return interval;
}

hub::UpkeepOptions UpkeepFor(const ServeOptions& options) {
  hub::UpkeepOptions upkeep;
  upkeep.pause = ParseDuration(options.upkeep_pause, "--upkeep-pause");
  upkeep.gc_every = Interval(options.gc_every, "--gc-every");
  upkeep.gc.grace = ParseDuration(options.gc_grace, "--gc-grace");
  upkeep.scrub_every = Interval(options.scrub_every, "--scrub-every");
  upkeep.scrub.bytes_per_second = static_cast<uint64_t>(options.scrub_rate) * 1'000'000;
  return upkeep;
}

// "0", bytes, or a number with K, M, G or T: powers of 1000.
uint64_t ParseBytes(const std::string& text, const char* option) {
  static constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = text;
  uint64_t factor = 1;
  size_t unit = text.empty() ? std::string_view::npos
                             : kUnits.find(static_cast<char>(std::toupper(text.back())));
  if (unit != std::string_view::npos) {
    digits.remove_suffix(1);
    for (size_t i = 0; i <= unit; ++i) factor *= 1000;
  }
  std::optional<uint64_t> number = ParseUint(digits);
  if (!number || *number > (1ull << 60) / factor) {
    throw Error(Code::kInvalidArgument,
                std::string(option) + ": a number of bytes such as 8G, not '" + text + "'");
  }
  return *number * factor;
}

uint64_t ModelMemory(const ServeOptions& options) {
  uint64_t bytes = ParseBytes(options.inference_memory, "--inference-memory");
  return bytes > 0 ? bytes : inference::DefaultMemoryBytes();
}

std::unique_ptr<inference::Scheduler> StartInference(hub::Hub& hub, const ServeOptions& options,
                                                     const Outcome& outcome) {
  if (options.inference == "off") {
    if (options.search_model.empty()) return nullptr;
    throw Error(Code::kInvalidArgument, "--search-model needs --inference on: it is run here");
  }
  inference::SchedulerOptions scheduler;
  scheduler.program = outcome.program;
  scheduler.folder = hub.data() / "inference";
  scheduler.memory_bytes = ModelMemory(options);
  scheduler.idle_after = ParseDuration(options.inference_idle, "--inference-idle");
  scheduler.threads = options.inference_threads;
  scheduler.executor = options.inference_executor;
  tensor::RequireExecutor(scheduler.executor);
  return std::make_unique<inference::Scheduler>(hub, scheduler);
}

void Serve(const ServeOptions& options, const Outcome& outcome) {
  StopSignals signals;
  log::Configure(ParseLevel(options.log_level),
                 options.log_format == "json" ? log::Format::kJson : log::Format::kText,
                 options.log_file);

  std::filesystem::create_directories(options.data);
  std::filesystem::path data = std::filesystem::absolute(options.data).lexically_normal();
  hub::Hub hub({.data = data,
                .xet_convert_after = ParseConvertAfter(options.xet_convert_after),
                .reserve_bytes = options.reserve_bytes,
                .judge = options.inference == "off" ? hub::ModelJudge{}
                                                    : server::MakeModelJudge(ModelMemory(options)),
                .quarantine = hub::ParseQuarantine(options.quarantine).value()},
               /*exclusive=*/true);
  hub::InstallHooks(data, outcome.program);
  std::string first_token = EnsureAdministrator(hub, options);

  std::unique_ptr<inference::Scheduler> scheduler = StartInference(hub, options, outcome);
  server::App app(hub, {.base_url = options.base_url,
                        .allow_sign_up = options.allow_sign_up,
                        .program = outcome.program,
                        .scheduler = scheduler.get(),
                        .admission = options.admission});
  net::ServerOptions net_options;
  net_options.spool_dir = hub.temp_folder();
  net_options.io_threads = options.io_threads;
  net_options.worker_threads = options.worker_threads;
  net_options.trusted_proxies = options.trusted_proxies;
  net_options.access_log = options.access_log;
  net::Server server(net_options, app);
  app.SetServerStats([&server] { return server.stats(); });
  server.on_request_done = [&app](const std::string& method, const std::string& route, int status,
                                  std::chrono::microseconds elapsed) {
    app.RecordRequest(method, route, status, elapsed);
  };
  std::vector<std::string> urls;
  for (const std::string& address : options.listen) {
    int port = server.Listen({address, options.tls_certificate, options.tls_key});
    urls.push_back(UrlOf(options, address, port));
  }
  server.Start();
  hub.StartBackground();
  if (!options.search_model.empty()) {
    hub.full_text().meaning().Start(
        std::make_shared<inference::SearchEmbedder>(hub, *scheduler, options.search_model));
  }
  hub::Upkeep upkeep(hub, UpkeepFor(options));
  app.SetReady(true);
  for (const std::string& url : urls) std::printf("listening on %s\n", url.c_str());
  PrintClientSetup(urls.front(), options, first_token);
  std::fflush(stdout);

  log::Info("shutting down", {{"signal", std::to_string(signals.Wait())}});
  app.SetReady(false);
  upkeep.Stop();
  app.StopChores();
  server.Stop(std::chrono::seconds(options.drain_seconds));
  if (scheduler) scheduler->Stop();
  hub.StopBackground();
}

}  // namespace

void AddServeCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the hub");
  auto env = [](const char* name) { return std::string("HEARTH_") + name; };
  command->add_option("--data", options->data, "Folder for everything the hub keeps")
      ->envname(env("DATA"))
      ->capture_default_str();
  command->add_option("--config", options->config, "YAML file with any of these options")
      ->envname(env("CONFIG"));
  command
      ->add_option("--listen", options->listen,
                   "host:port, [v6]:port or unix:/path; may be repeated; port 0 picks one")
      ->envname(env("LISTEN"))
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--base-url", options->base_url,
                   "URL that clients use, when a proxy stands in front")
      ->envname(env("BASE_URL"));
  command
      ->add_option("--tls-certificate", options->tls_certificate,
                   "PEM file; with --tls-key the listeners speak TLS")
      ->envname(env("TLS_CERTIFICATE"));
  command->add_option("--tls-key", options->tls_key, "PEM file")->envname(env("TLS_KEY"));
  command
      ->add_option("--trusted-proxy", options->trusted_proxies,
                   "Address or CIDR block whose Forwarded headers count; may be repeated")
      ->envname(env("TRUSTED_PROXY"))
      ->delimiter(',');
  command->add_option("--log-level", options->log_level, "debug, info, warning or error")
      ->envname(env("LOG_LEVEL"))
      ->capture_default_str();
  command->add_option("--log-format", options->log_format, "text or json")
      ->envname(env("LOG_FORMAT"))
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--log-file", options->log_file, "File instead of standard error")
      ->envname(env("LOG_FILE"));
  command->add_option("--access-log", options->access_log, "One line per request")
      ->envname(env("ACCESS_LOG"))
      ->capture_default_str();
  command
      ->add_option("--io-threads", options->io_threads,
                   "Threads that wait on sockets; 0 = one per core")
      ->envname(env("IO_THREADS"))
      ->capture_default_str();
  command
      ->add_option("--worker-threads", options->worker_threads,
                   "Threads that run requests; 0 = by cores")
      ->envname(env("WORKER_THREADS"))
      ->capture_default_str();
  command
      ->add_option("--drain-seconds", options->drain_seconds,
                   "How long running requests may go on at shutdown")
      ->envname(env("DRAIN_SECONDS"))
      ->capture_default_str();
  command->add_option("--allow-sign-up", options->allow_sign_up, "Visitors may make accounts")
      ->envname(env("ALLOW_SIGN_UP"))
      ->capture_default_str();
  command
      ->add_option("--xet-convert-after", options->xet_convert_after,
                   "Age in seconds at which files that came by LFS or git are deduplicated and "
                   "offered by Xet too; off = never")
      ->envname(env("XET_CONVERT_AFTER"))
      ->capture_default_str();
  command
      ->add_option("--reserve-bytes", options->reserve_bytes,
                   "Free disk below which no upload by Xet is taken; default: 1 GiB, or 2% of a "
                   "smaller disk")
      ->envname(env("RESERVE_BYTES"));
  command
      ->add_option("--gc-every", options->gc_every,
                   "How often space is given back (12h, 1d, ...), or off")
      ->envname(env("GC_EVERY"))
      ->capture_default_str();
  command
      ->add_option("--gc-grace", options->gc_grace,
                   "What was used this recently stays; less than 22d can break running uploads")
      ->envname(env("GC_GRACE"))
      ->capture_default_str();
  command
      ->add_option("--scrub-every", options->scrub_every,
                   "How often everything stored is read and hashed again (4w, ...), or off")
      ->envname(env("SCRUB_EVERY"))
      ->capture_default_str();
  command->add_option("--scrub-rate", options->scrub_rate, "MB per second that it may read")
      ->envname(env("SCRUB_RATE"))
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--upkeep-pause", options->upkeep_pause,
                   "How long after its start the server leaves collecting and scrubbing alone")
      ->envname(env("UPKEEP_PAUSE"))
      ->capture_default_str();
  command
      ->add_option("--quarantine", options->quarantine,
                   "Files that scans find dangerous: warn says so, block does not give them out "
                   "either, off = nothing is scanned")
      ->envname(env("QUARANTINE"))
      ->check(CLI::IsMember({"off", "warn", "block"}))
      ->capture_default_str();
  command
      ->add_option("--search-model", options->search_model,
                   "Embedding model of this hub (owner/name) that orders what search finds by "
                   "meaning too")
      ->envname(env("SEARCH_MODEL"));
  command
      ->add_option("--inference", options->inference,
                   "Whether the hub runs models that are asked for: on or off")
      ->envname(env("INFERENCE"))
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      ->add_option("--inference-memory", options->inference_memory,
                   "Memory of all running models together (8G, ...); 0 = half of the machine's")
      ->envname(env("INFERENCE_MEMORY"))
      ->capture_default_str();
  command
      ->add_option("--inference-idle", options->inference_idle,
                   "A model that nobody asked for so long is unloaded (15m, ...)")
      ->envname(env("INFERENCE_IDLE"))
      ->capture_default_str();
  command
      ->add_option("--inference-threads", options->inference_threads,
                   "Threads of each running model; 0 = one per core")
      ->envname(env("INFERENCE_THREADS"))
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--inference-executor", options->inference_executor,
                   "What computes models: cpu, reference or torch (when its plugin is installed)")
      ->envname(env("INFERENCE_EXECUTOR"))
      ->check(CLI::IsMember(ExecutorOptions()))
      ->capture_default_str();
  auto limit = [&](const char* name, const char* variable, double* value, const char* what) {
    command->add_option(name, *value, what)
        ->envname(env(variable))
        ->check(CLI::Range(0.0, 1e9))
        ->capture_default_str();
  };
  limit("--inference-requests", "INFERENCE_REQUESTS", &options->admission.user.requests,
        "Requests to models that a user may make in five minutes; 0 = any number");
  limit("--inference-seconds", "INFERENCE_SECONDS", &options->admission.user.compute_seconds,
        "Seconds that models may be busy for a user in five minutes; 0 = any number");
  limit("--inference-requests-anonymous", "INFERENCE_REQUESTS_ANONYMOUS",
        &options->admission.address.requests, "The same of an address where nobody has signed in");
  limit("--inference-seconds-anonymous", "INFERENCE_SECONDS_ANONYMOUS",
        &options->admission.address.compute_seconds,
        "The same of an address where nobody has signed in");
  // Only by environment: secrets on a command line are visible to every user of the machine.
  auto secret = [&](const char* name, std::string* value) {
    if (const char* text = std::getenv(name)) *value = text;
  };
  secret("HEARTH_ADMIN_USER", &options->admin_user);
  secret("HEARTH_ADMIN_PASSWORD", &options->admin_password);
  secret("HEARTH_ADMIN_TOKEN", &options->admin_token);
  command->footer(
      "The first administrator comes from HEARTH_ADMIN_USER, HEARTH_ADMIN_PASSWORD and "
      "HEARTH_ADMIN_TOKEN;\n"
      "without them one is made up and its secrets are printed once.");
  command->callback([command, options, outcome] {
    ApplyConfigFile(command, options->config);
    Serve(*options, *outcome);
  });
}

}  // namespace hearth::cli
