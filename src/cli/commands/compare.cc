#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "cli/hub_target.h"
#include "cli/portraits.h"
#include "cli/progress.h"
#include "cli/terminal_text.h"
#include "hub/inspector/compare/comparison.h"
#include "hub/inspector/provenance/changes.h"
#include "hub/inspector/provenance/weight_diff.h"

namespace hearth::cli {
namespace {

constexpr size_t kStripWidth = 100;
constexpr size_t kShownTensors = 10;

struct CompareCommand {
  std::string from, to;
  std::vector<std::string> more;
  std::vector<std::string> devices;
  std::string from_file, to_file;
  bool side_by_side = false;
  bool differences = false;
  bool json = false;
  bool headers_only = false;
};

inspector::WeightDistance ReadWeights(const inspector::ComparedRepo& from,
                                      const inspector::ComparedRepo& to) {
  inspector::TensorPairs pairs = inspector::PairTensors(from.side, to.side);
  uint64_t total = 0, done = 0;
  for (const inspector::TensorPair& pair : pairs.pairs)
    total += to.headers.tensors[pair.to].elements;
  Progress progress("comparing weights", total);
  inspector::ScanHooks hooks;
  hooks.progress = [&](uint64_t values) { progress.Update(done += values); };
  return inspector::MeasureDistance({from.view, from.side}, {to.view, to.side}, pairs, hooks);
}

void PrintDistance(const inspector::WeightDistance& distance) {
  std::printf("\nweights: %llu tensors compared, %llu equal, %llu not compared, relative %.3g\n",
              static_cast<unsigned long long>(distance.compared),
              static_cast<unsigned long long>(distance.equal),
              static_cast<unsigned long long>(distance.skipped), distance.relative);
  std::string strip = inspector::HeatStrip(distance, kStripWidth);
  if (!strip.empty())
    std::printf("layers from left to right: · equal ░ <0.001 ▒ <0.01 ▓ <0.1 █ more\n%s",
                TerminalText(strip).c_str());
  std::vector<const inspector::TensorDistance*> far;
  for (const inspector::TensorDistance& tensor : distance.tensors)
    if (tensor.skipped.empty() && !tensor.equal) far.push_back(&tensor);
  std::stable_sort(far.begin(), far.end(),
                   [](const auto* a, const auto* b) { return a->relative > b->relative; });
  for (size_t i = 0; i < far.size() && i < kShownTensors; ++i) {
    std::printf("  %-52s relative %-9.3g cosine %-9.6f max %-9.3g %5.1f %% changed\n",
                TerminalLine(far[i]->name).c_str(), far[i]->relative, far[i]->cosine,
                far[i]->max_abs, 100 * far[i]->changed);
  }
}

void RunSideBySide(const CompareCommand& command) {
  std::vector<std::string> targets = {command.from, command.to};
  targets.insert(targets.end(), command.more.begin(), command.more.end());
  std::vector<inspector::Portrait> portraits = ReadPortraits(targets, command.devices);
  inspector::Comparison comparison = inspector::Compare(portraits);
  if (command.json) {
    std::printf("%s\n", inspector::ToJson(comparison, portraits).Dump(2).c_str());
    return;
  }
  inspector::TableOptions options;
  options.differences_only = command.differences;
  std::printf("%s", TerminalText(ComparisonText(comparison, portraits, options)).c_str());
}

void Run(const CompareCommand& command) {
  if (command.side_by_side || command.differences || !command.more.empty()) {
    RunSideBySide(command);
    return;
  }
  std::unique_ptr<inspector::RepoView> from_view = OpenRepoTarget(command.from);
  std::unique_ptr<inspector::RepoView> to_view = OpenRepoTarget(command.to);
  auto from = inspector::PrepareRepo(*from_view, nullptr, command.from_file);
  auto to = inspector::PrepareRepo(*to_view, nullptr, command.to_file);
  inspector::ChangesReport report = inspector::FindChanges(*from, *to);
  std::optional<inspector::WeightDistance> distance;
  if (!command.headers_only && from->set && to->set) distance = ReadWeights(*from, *to);
  if (distance) inspector::AnswerWeights(*distance, &report);
  if (command.json) {
    Json json = inspector::ToJson(report);
    if (distance) json.Set("weights", inspector::ToJson(*distance));
    std::printf("%s\n", json.Dump(2).c_str());
    return;
  }
  std::printf("%s", TerminalText(inspector::ChangesText(report)).c_str());
  if (distance) PrintDistance(*distance);
}

}  // namespace

void AddCompareCommand(CLI::App& app, Outcome* outcome) {
  (void)outcome;
  auto options = std::make_shared<CompareCommand>();
  CLI::App* command = app.add_subcommand(
      "compare",
      "Show what changed from one model to another: data, weights, precision, format, "
      "prompt, licence, configuration, tokenizer. With more than two, or with --side-by-side: "
      "everything that the inspector says of each, row by row");
  command->add_option("from", options->from, "A folder, or the address of a repository on a hub")
      ->required();
  command->add_option("to", options->to, "The same")->required();
  command->add_option("more", options->more, "Others, for a table side by side");
  command->add_flag("--side-by-side", options->side_by_side,
                    "A table of what each is, whatever they have to do with each other");
  command->add_flag("--differences", options->differences, "The same, only rows that differ");
  command
      ->add_option("--device", options->devices,
                   "Of the table: does it fit \"RTX 4090\" or name:24GiB; several times")
      ->expected(1)
      ->take_all();
  command->add_option("--from-file", options->from_file,
                      "Which of several weights of the first: the name of a file or index");
  command->add_option("--to-file", options->to_file, "The same of the second");
  command->add_flag("--headers-only", options->headers_only, "Do not read the weights");
  command->add_flag("--json", options->json, "Everything as JSON");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
