#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "base/error.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/perplexity_report.h"
#include "cli/progress.h"

namespace hearth::cli {
namespace {

struct BenchCommand {
  ModelOptions model;
  PerplexityCommand perplexity;
  uint32_t prompt = 512;
  uint32_t generate = 64;
  std::vector<uint32_t> sequences = {1, 4, 16};
  std::vector<uint32_t> lengths = {16, 128, 256};
  int rounds = 5;
  bool json = false;
};

struct Sample {
  double wall_seconds = 0, cpu_seconds = 0;
};

double CpuSeconds() {
  timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

// Items a second of wall time, per CPU second, and the spread of the first.
Json Report(const std::string& what, double items, std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.wall_seconds < b.wall_seconds; });
  const Sample& middle = samples[samples.size() / 2];
  return Json::Obj({{"what", what},
                    {"per_second", items / middle.wall_seconds},
                    {"per_cpu_second", items / middle.cpu_seconds},
                    {"best_per_second", items / samples.front().wall_seconds},
                    {"worst_per_second", items / samples.back().wall_seconds}});
}

template <typename Work>
std::vector<Sample> Measure(int rounds, Progress& progress, uint64_t* done, Work work) {
  work();
  std::vector<Sample> samples;
  for (int i = 0; i < rounds; ++i) {
    auto start = std::chrono::steady_clock::now();
    double cpu = CpuSeconds();
    work();
    std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    samples.push_back({wall.count(), CpuSeconds() - cpu});
    progress.Update(++*done);
  }
  return samples;
}

std::vector<uint32_t> Tokens(const runtime::Model& model, uint32_t count, uint32_t seed) {
  std::vector<uint32_t> tokens(count);
  uint64_t state = seed * 2654435761u + 12345;
  for (uint32_t& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<uint32_t>((state >> 33) % model.shape().vocabulary);
  }
  return tokens;
}

// All sequences at once, each from its own prompt; the time is that from the first token on.
void Decode(runtime::Engine& engine, uint32_t sequences, uint32_t prompt, uint32_t tokens,
            uint32_t* seed) {
  std::mutex mutex;
  std::condition_variable done;
  uint32_t open = sequences;
  for (uint32_t i = 0; i < sequences; ++i) {
    runtime::GenerationRequest request;
    request.prompt = Tokens(engine.model(), prompt, ++*seed);
    request.config.max_new_tokens = tokens;
    request.config.min_new_tokens = tokens;
    engine.Submit(std::move(request), [&](const runtime::GenerationEvent& event) {
      if (!event.is_last()) return true;
      std::lock_guard lock(mutex);
      if (--open == 0) done.notify_one();
      return true;
    });
  }
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return open == 0; });
}

std::vector<Json> BenchGenerator(runtime::Runner& runner, const BenchCommand& command) {
  runtime::Engine& engine = runner.engine();
  Progress progress("measuring", (1 + command.sequences.size()) * command.rounds);
  uint64_t done = 0;
  uint32_t seed = 0;
  std::vector<Json> reports;
  uint32_t prompt = std::min(command.prompt, engine.max_tokens() / 2);
  reports.push_back(Report(
      fmt::format("prefill {}", prompt), prompt,
      Measure(command.rounds, progress, &done, [&] { Decode(engine, 1, prompt, 1, &seed); })));
  for (uint32_t sequences : command.sequences) {
    reports.push_back(
        Report(fmt::format("decode, {} sequences", sequences), 1.0 * command.generate * sequences,
               Measure(command.rounds, progress, &done,
                       [&] { Decode(engine, sequences, 1, command.generate, &seed); })));
  }
  return reports;
}

std::vector<Json> BenchEncoder(runtime::Runner& runner, const BenchCommand& command) {
  runtime::Encoder& encoder = runner.embedder();
  Progress progress("measuring", 2 * command.lengths.size() * command.rounds);
  uint64_t done = 0;
  std::vector<Json> reports;
  for (uint32_t texts : {1u, 32u}) {
    for (uint32_t length : command.lengths) {
      uint32_t tokens = std::min(length, runner.model().shape().max_tokens);
      std::vector<runtime::EncoderInput> inputs(texts);
      for (uint32_t i = 0; i < texts; ++i) inputs[i].ids = Tokens(runner.model(), tokens, i);
      // Short runs are repeated until they can be timed.
      uint32_t repeats = std::max(1u, 4096 / (texts * tokens));
      auto work = [&] {
        for (uint32_t i = 0; i < repeats; ++i) {
          encoder.Run(inputs, "embedding", [](size_t, const tensor::OutputRows&) {});
        }
      };
      reports.push_back(Report(fmt::format("{} x {} tokens", texts, tokens), 1.0 * texts * repeats,
                               Measure(command.rounds, progress, &done, work)));
    }
  }
  return reports;
}

void Run(const BenchCommand& command) {
  if (!command.perplexity.file.empty()) {
    Json report = MeasurePerplexity(command.model, command.perplexity);
    if (command.json) return fmt::print("{}\n", report.Dump(2));
    return PrintPerplexity(report);
  }
  std::unique_ptr<runtime::Runner> runner = command.model.Load();
  bool generates = runner->model().head() == runtime::Head::kCausalLm;
  std::vector<Json> reports =
      generates ? BenchGenerator(*runner, command) : BenchEncoder(*runner, command);
  if (command.json) {
    fmt::print("{}\n", Json(reports).Dump(2));
    return;
  }
  const char* unit = generates ? "tokens" : "texts";
  fmt::print("{:<24} {:>12} {:>16}   {}\n", "", std::string(unit) + "/s", "per CPU second",
             "range of rounds");
  for (const Json& report : reports) {
    auto number = [&](const char* key) { return report.Find(key)->AsDouble().value_or(0); };
    fmt::print("{:<24} {:>12.1f} {:>16.1f}   {:.1f} - {:.1f}\n", *report.Find("what")->AsString(),
               number("per_second"), number("per_cpu_second"), number("worst_per_second"),
               number("best_per_second"));
  }
}

}  // namespace

void AddBenchCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<BenchCommand>();
  CLI::App* command = app.add_subcommand(
      "bench", "How fast a model runs on this machine, or how well it predicts a text");
  options->model.AddTo(command);
  options->perplexity.AddTo(command);
  command->add_option("--prompt", options->prompt, "Tokens of the prefill")->capture_default_str();
  command->add_option("--generate", options->generate, "Tokens that each sequence gets")
      ->capture_default_str();
  command->add_option("--sequences", options->sequences, "Sequences at once")->delimiter(',');
  command->add_option("--lengths", options->lengths, "Tokens a text, for encoders")->delimiter(',');
  command->add_option("--rounds", options->rounds, "Of each measurement")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Numbers as JSON");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
