#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/findings.h"
#include "cli/fit_report.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/targets.h"
#include "cli/terminal_text.h"
#include "formats/inspect/inspector.h"
#include "formats/scan/scan.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::cli {
namespace {

constexpr size_t kShownTensors = 40;
constexpr size_t kShownMetadata = 60;
constexpr size_t kShownValueBytes = 160;

struct InspectCommand {
  std::vector<std::string> targets;
  std::string target;  // the first
  bool as_repository = false;
  FitOptions fit;
  ReadingOptions reading;
  bool json = false;
  bool all = false;
  bool no_scan = false;
  bool digests = false;
};

// 22.7 M, 7.24 B: how people name the sizes of models.
std::string Short(uint64_t value) {
  static constexpr std::pair<double, const char*> kUnits[] = {
      {1e12, " T"}, {1e9, " B"}, {1e6, " M"}, {1e3, " K"}};
  char text[40];
  for (auto [unit, word] : kUnits) {
    if (static_cast<double>(value) < unit) continue;
    std::snprintf(text, sizeof text, "%.3g%s", static_cast<double>(value) / unit, word);
    return text;
  }
  return std::to_string(value);
}

// One line, not too long, that cannot move the cursor.
std::string OneLine(std::string_view text) {
  if (text.size() <= kShownValueBytes) return TerminalLine(text);
  size_t end = kShownValueBytes;
  while (end > kShownValueBytes - 4 && (text[end] & 0xC0) == 0x80) --end;  // whole characters
  return TerminalLine(text.substr(0, end)) + "...";
}

std::string Show(const Json& value) {
  const std::string* text = value.AsString();
  return OneLine(text != nullptr ? *text : value.Dump());
}

struct Inspected {
  std::string name;
  uint64_t bytes = 0;
  Inspection inspection;
};

class Printer {
 public:
  Printer(const InspectCommand& command) : command_(command), colour_(WantsColour()) {}

  void Header(const std::string& name, const std::string& line) {
    std::printf("%s%s%s  %s\n", colour_ ? "\033[1m" : "", OneLine(name).c_str(),
                colour_ ? "\033[0m" : "", line.c_str());
  }

  void Findings(const ScanReport& report) {
    if (command_.no_scan) return;
    if (report.verdict() == Severity::kNote) {
      std::printf("%sno dangers found%s in %llu objects\n", colour_ ? "\033[32m" : "",
                  colour_ ? "\033[0m" : "", static_cast<unsigned long long>(report.objects));
    }
    PrintFindings(report.findings, colour_, true);
  }

  void File(const Inspection& inspection) {
    for (const std::string& warning : inspection.warnings)
      std::printf("not read: %s\n", OneLine(warning).c_str());
    if (!inspection.facts.empty()) std::printf("\n");
    for (const InspectedFact& fact : inspection.facts) {
      std::printf("  %-22s %s  %s(%s)%s\n", OneLine(fact.key).c_str(), Show(fact.value).c_str(),
                  Dim(), OneLine(fact.evidence).c_str(), Plain());
    }
    Tensors(inspection);
    Metadata(inspection);
  }

  void Parameters(const Inspection& inspection) {
    uint64_t total = 0;
    for (const auto& [dtype, count] : inspection.CountParameters()) total += count;
    if (inspection.tensors.empty()) return;
    std::printf("\n%zu tensors, %s parameters (%s)\n", inspection.tensors.size(),
                Short(total).c_str(), inspector::CountText(total).c_str());
    for (const auto& [dtype, count] : inspection.CountParameters()) {
      std::printf(
          "  %-14s %16s  %5.1f %%\n", OneLine(dtype).c_str(), inspector::CountText(count).c_str(),
          total == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(total));
    }
  }

 private:
  const char* Dim() const { return colour_ ? "\033[2m" : ""; }
  const char* Plain() const { return colour_ ? "\033[0m" : ""; }

  void Tensors(const Inspection& inspection) {
    if (inspection.tensors.empty()) return;
    Parameters(inspection);
    std::printf("\n");
    size_t width = 20;
    size_t shown = command_.all ? inspection.tensors.size()
                                : std::min(kShownTensors, inspection.tensors.size());
    for (size_t i = 0; i < shown; ++i)
      width = std::max(width, std::min<size_t>(60, inspection.tensors[i].name.size()));
    for (size_t i = 0; i < shown; ++i) {
      const InspectedTensor& tensor = inspection.tensors[i];
      std::printf("  %-*s %-9s %-20s %10s%s%s\n", static_cast<int>(width),
                  OneLine(tensor.name).c_str(), OneLine(tensor.dtype).c_str(),
                  inspector::ShapeText(tensor.shape).c_str(), HumanBytes(tensor.bytes).c_str(),
                  tensor.note.empty() ? "" : "  ", OneLine(tensor.note).c_str());
    }
    if (shown < inspection.tensors.size()) {
      std::printf("  %s... and %zu more (--all shows them)%s\n", Dim(),
                  inspection.tensors.size() - shown, Plain());
    }
  }

  void Metadata(const Inspection& inspection) {
    if (inspection.metadata.empty()) return;
    std::printf("\nmetadata\n");
    size_t shown = command_.all ? inspection.metadata.size()
                                : std::min(kShownMetadata, inspection.metadata.size());
    for (size_t i = 0; i < shown; ++i) {
      const auto& [key, value] = inspection.metadata[i];
      std::printf("  %-40s %s\n", OneLine(key).c_str(), Show(value).c_str());
    }
    if (shown < inspection.metadata.size()) {
      std::printf("  %s... and %zu more (--all shows them)%s\n", Dim(),
                  inspection.metadata.size() - shown, Plain());
    }
  }

  const InspectCommand& command_;
  bool colour_;
};

Json FileJson(const Inspected& file) {
  Json json = file.inspection.ToJson();
  Json row = Json::Obj({{"name", file.name}, {"bytes", file.bytes}});
  for (const auto& [key, value] : *json.AsObject()) row.Set(key, value);
  return row;
}

// Totals of a repository: bytes by format, parameters by dtype.
Inspection Sum(const std::vector<Inspected>& files) {
  Inspection sum;
  for (const Inspected& file : files) {
    sum.tensors.insert(sum.tensors.end(), file.inspection.tensors.begin(),
                       file.inspection.tensors.end());
  }
  return sum;
}

// Of a whole repository these are shown with their facts.
bool TellsOfModel(const Inspection& inspection) {
  static constexpr std::string_view kFormats[] = {"model configuration", "adapter configuration",
                                                  "generation configuration", "tokenizer"};
  return std::find(std::begin(kFormats), std::end(kFormats), inspection.format) !=
         std::end(kFormats);
}

void PrintFolder(const InspectCommand& command, const std::vector<Inspected>& files,
                 const ScanReport& report) {
  Printer printer(command);
  uint64_t bytes = 0;
  for (const Inspected& file : files) bytes += file.bytes;
  printer.Header(command.target, std::to_string(files.size()) + " files, " + HumanBytes(bytes));
  printer.Findings(report);
  std::printf("\n");
  for (const Inspected& file : files) {
    uint64_t parameters = 0;
    for (const auto& [dtype, count] : file.inspection.CountParameters()) parameters += count;
    std::printf("  %-44s %10s  %-18s", OneLine(file.name).c_str(), HumanBytes(file.bytes).c_str(),
                file.inspection.format.c_str());
    if (parameters > 0) std::printf(" %s parameters", Short(parameters).c_str());
    if (!file.inspection.warnings.empty())
      std::printf("  ! %s", OneLine(file.inspection.warnings[0]).c_str());
    std::printf("\n");
  }
  printer.Parameters(Sum(files));
  for (const Inspected& file : files) {
    if (!TellsOfModel(file.inspection) || file.inspection.facts.empty()) continue;
    std::printf("\n%s\n", OneLine(file.name).c_str());
    for (const InspectedFact& fact : file.inspection.facts) {
      std::printf("  %-26s %s\n", OneLine(fact.key).c_str(), Show(fact.value).c_str());
    }
  }
}

void PrintJson(const InspectCommand& command, const std::vector<Inspected>& files,
               const std::optional<inspector::RepoReading>& reading, const ScanReport& report) {
  Json rows = Json::Arr();
  for (const Inspected& file : files) rows.Push(FileJson(file));
  Json json = Json::Obj({{"schema", 1}, {"target", command.target}, {"files", std::move(rows)}});
  if (reading) {
    json.Set("repository", ReadingJson(*reading));
    Json fit = FitJson(command.target, command.fit);
    for (const auto& [key, value] : *fit.AsObject()) json.Set(key, value);
  }
  if (!command.no_scan) json.Set("scan", report.ToJson());
  std::printf("%s\n", json.Dump(2).c_str());
}

// A file that the hub does not give leaves the others to be shown.
template <typename Add>
void InspectRemote(const client::HubFile& file, const Add& add, std::vector<Inspected>* files) {
  try {
    std::unique_ptr<ByteSource> source;
    if (file.bytes == 0) {
      source = std::make_unique<MemorySource>("");  // no range of it can be asked for
    } else {
      source = OpenAddress(file.address);
    }
    add(*source, file.path);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    Inspected row{.name = file.path, .bytes = file.bytes, .inspection = {}};
    row.inspection.format = "not read";
    row.inspection.warnings.push_back(error.message());
    if (files->empty() || files->back().name != file.path) files->push_back(std::move(row));
  }
}

// Only what folders are as repositories: a line of JSON each, or a page each.
int RunAsRepositories(const InspectCommand& command) {
  for (const std::string& folder : command.targets) {
    inspector::RepoReading reading = ReadFolder(folder, command.reading);
    if (command.json) {
      Json json = Json::Obj({{"schema", 1}, {"target", folder}});
      json.Set("repository", ReadingJson(reading));
      std::printf("%s\n", json.Dump().c_str());
    } else {
      Printer(command).Header(folder, inspector::ArtifactPhrase(reading.kinds));
      PrintReading(reading, WantsColour());
      if (command.targets.size() > 1) std::printf("\n");
    }
    CheckOutput();
  }
  return 0;
}

int Run(const InspectCommand& command) {
  if (command.as_repository) return RunAsRepositories(command);
  if (command.targets.size() != 1)
    throw Error(Code::kInvalidArgument, "several targets need --as-repository");
  std::vector<Inspected> files;
  bool remote = IsAddress(command.target);
  ScanLimits limits;
  limits.deep = !remote;  // a range costs a round trip
  Scanner scanner(limits);
  auto add = [&](ByteSource& source, const std::string& name) {
    Inspected file{.name = name,
                   .bytes = source.size_bytes(),
                   .inspection = InspectSource(source, name, {.digests = command.digests})};
    files.push_back(std::move(file));
    if (!command.no_scan) scanner.Scan(source, name);
  };
  std::optional<std::vector<client::HubFile>> repository;
  if (remote) repository = ListRepository(command.target);
  bool folder = repository || (!remote && std::filesystem::is_directory(command.target));
  if (repository) {
    Progress progress("inspecting", repository->size());
    for (const client::HubFile& file : *repository) {
      InspectRemote(file, add, &files);
      progress.Update(files.size());
    }
  } else if (remote) {
    std::unique_ptr<ByteSource> source = OpenAddress(command.target);
    add(*source, AddressFileName(command.target));
  } else {
    for (const TargetFile& target : ListTarget(command.target)) {
      if (!target.unread.empty()) {
        Inspected row{.name = target.name, .bytes = 0, .inspection = {}};
        row.inspection.format = "not read";
        row.inspection.warnings.push_back(target.unread);
        files.push_back(std::move(row));
        if (!command.no_scan) scanner.AddUnread(target.name, target.unread);
        continue;
      }
      std::unique_ptr<ByteSource> source = OpenTarget(target.path);
      add(*source, target.name);
    }
  }
  ScanReport report = scanner.Finish();
  std::optional<inspector::RepoReading> reading;
  if (folder && !remote) reading = ReadFolder(command.target, command.reading);
  if (command.json) {
    PrintJson(command, files, reading, report);
  } else if (folder) {
    PrintFolder(command, files, report);
    if (reading) {
      PrintReading(*reading, WantsColour());
      PrintFit(command.target, command.fit);
    }
  } else {
    Printer printer(command);
    printer.Header(files[0].name, files[0].inspection.format + ", " + HumanBytes(files[0].bytes));
    printer.Findings(report);
    printer.File(files[0].inspection);
  }
  return report.verdict() == Severity::kDangerous ? kExitDangerous : 0;
}

}  // namespace

void AddInspectCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<InspectCommand>();
  CLI::App* command = app.add_subcommand("inspect",
                                         "Show what a model file or folder holds: dangers, "
                                         "tensors, types, metadata; of a folder also what kind of "
                                         "repository it is and how good its card. Exit code 3: "
                                         "dangerous");
  command
      ->add_option("target", options->targets,
                   "A file, a folder, or an http(s) address of a file or "
                   "of a repository on a hub")
      ->required();
  command->add_option("--device", options->fit.devices,
                      "Of folders: does the model fit \"RTX 4090\" or name:24GiB; several times");
  command->add_option("--context", options->fit.context, "Tokens of context to reckon with");
  command->add_flag("--as-repository", options->as_repository,
                    "Only what folders are as repositories: kinds, reading order, card score; "
                    "takes several, and with --json gives one line each");
  command
      ->add_option("--type", options->reading.type,
                   "The type of repository that a folder is kept as")
      ->check(CLI::IsMember({"model", "dataset", "space"}));
  command->add_option("--id", options->reading.id,
                      "The id (namespace/name) that the examples of a folder's card must name");
  command->add_flag("--json", options->json, "Everything as JSON (schema 1)");
  command->add_flag("--all", options->all, "Show all tensors and all metadata");
  command->add_flag("--sha256", options->digests,
                    "Hash every tensor's bytes (JSON only); reads the weights");
  command->add_flag("--no-scan", options->no_scan, "Do not look for dangers");
  command->callback([options, outcome] {
    options->target = options->targets[0];
    outcome->exit_code = Run(*options);
  });
}

}  // namespace hearth::cli
