#include "cli/perplexity_report.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "cli/progress.h"
#include "runtime/perplexity.h"

namespace hearth::cli {
namespace {

// A text that is read whole; a few hundred windows say what there is to say.
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 30;

runtime::PerplexityOptions OptionsOf(const ModelOptions& model, const PerplexityCommand& command) {
  runtime::PerplexityOptions options;
  options.context = command.context;
  options.max_windows = command.windows;
  options.threads = model.threads;
  // As ModelOptions::Load: fp32 is the reference, and nothing is rounded then.
  if (runtime::ParsePrecision(model.precision) == tensor::Precision::kF32)
    options.kv_type = tensor::KvType::kF32;
  return options;
}

}  // namespace

void PerplexityCommand::AddTo(CLI::App* command) {
  command->add_option("--perplexity", file,
                      "How well the model predicts this text instead of how fast it is");
  command->add_option(
      "--reference", reference,
      "Beside --perplexity: the model that this one is another form of; says how far "
      "its predictions are from that one's, computed in fp32");
  command->add_option("--context", context, "Tokens of a window of --perplexity")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command->add_option("--windows", windows, "Of --perplexity at most; 0: the whole text")
      ->capture_default_str();
}

Json MeasurePerplexity(const ModelOptions& model, const PerplexityCommand& command) {
  const std::string text = ReadFile(command.file, kMaxTextBytes);
  std::unique_ptr<runtime::Runner> runner = model.Load(), reference;
  if (!command.reference.empty()) {
    ModelOptions other = model;
    other.model = command.reference;
    other.precision = "fp32";
    other.adapters.clear();
    reference = other.Load();
  }
  Progress line("reading", 0);
  auto start = std::chrono::steady_clock::now();
  const runtime::Prediction sums =
      runtime::Judge(runner->model(), reference ? &reference->model() : nullptr, text,
                     OptionsOf(model, command), [&](uint64_t done, uint64_t total) {
                       if (done == 1) line.Relabel("reading", total);
                       line.Update(done);
                     });
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  Json report = Json::Obj(
      {{"perplexity", sums.perplexity()},
       {"perplexity_error", sums.perplexity_error()},
       {"bits_per_byte", sums.bits_per_byte()},
       {"windows", sums.windows},
       {"context", sums.context},
       {"tokens", sums.tokens},
       {"tokens_per_second", static_cast<double>(sums.windows * sums.context) / spent.count()}});
  if (!reference) return report;
  report.Set("reference_perplexity", Json(sums.reference_perplexity()));
  report.Set("divergence", Json(sums.divergence / static_cast<double>(sums.tokens)));
  report.Set("same_best",
             Json(static_cast<double>(sums.same_best) / static_cast<double>(sums.tokens)));
  return report;
}

void PrintPerplexity(const Json& report) {
  auto number = [&](const char* key) { return report.Find(key)->AsDouble().value_or(0); };
  fmt::print(
      "perplexity      {:.4f} +- {:.4f}   ({:.0f} windows of {:.0f} tokens, {:.0f} judged)\n",
      number("perplexity"), number("perplexity_error"), number("windows"), number("context"),
      number("tokens"));
  fmt::print("bits per byte   {:.4f}\n", number("bits_per_byte"));
  if (report.Find("divergence") != nullptr) {
    fmt::print("of the reference\n");
    fmt::print("  perplexity    {:.4f} ({:+.3f} %)\n", number("reference_perplexity"),
               100 * (number("perplexity") / number("reference_perplexity") - 1));
    fmt::print("  divergence    {:.6f} nats a token\n", number("divergence"));
    fmt::print("  same token    {:.2f} % of the time the most likely one\n",
               100 * number("same_best"));
  }
  fmt::print("tokens/s        {:.1f}\n", number("tokens_per_second"));
}

}  // namespace hearth::cli
