#include "cli/reading.h"

#include <cstdio>
#include <memory>

#include "cli/terminal_text.h"
#include "hub/card_words.h"

namespace hearth::cli {
namespace {

using inspector::Evidence;
using inspector::Level;
using inspector::Presence;

// A folder under the name and type that it will have on a hub.
class NamedFolder : public inspector::RepoView {
 public:
  NamedFolder(const std::string& folder, const ReadingOptions& options)
      : folder_(inspector::OpenFolder(folder)), options_(options) {}

  std::string type() const override { return options_.type; }
  std::string id() const override { return options_.id.empty() ? folder_->id() : options_.id; }
  std::string commit() const override { return {}; }
  const std::vector<inspector::RepoFile>& files() const override { return folder_->files(); }
  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    return folder_->Open(path);
  }

 private:
  std::unique_ptr<inspector::RepoView> folder_;
  const ReadingOptions& options_;
};

std::string PlaceOf(const Evidence& evidence) {
  std::string text = evidence.file;
  if (!evidence.place.empty()) text += (text.empty() ? "" : " ") + evidence.place;
  return text;
}

class Printer {
 public:
  explicit Printer(bool colour) : colour_(colour) {}

  void Print(const inspector::RepoReading& reading) {
    Kinds(reading.kinds);
    Order(reading.order);
    Score(reading.score);
  }

 private:
  std::string Paint(const char* code, const std::string& text) const {
    return colour_ ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
  }
  std::string Dim(const std::string& text) const { return Paint("2", text); }
  void Heading(const char* text) const { std::printf("\n%s\n", Paint("1", text).c_str()); }

  std::string LevelText(Level level) const {
    std::string name(inspector::LevelName(level));
    name.resize(9, ' ');
    if (level == Level::kProved) return Paint("32", name);
    return level == Level::kDeclared ? Paint("36", name) : Paint("33", name);
  }

  std::string StateText(Presence state) const {
    std::string name(inspector::PresenceName(state));
    name.resize(8, ' ');
    if (state == Presence::kFound) return Paint("32", name);
    return state == Presence::kThin ? Paint("33", name) : Paint("31", name);
  }

  void EvidenceLine(const Evidence& evidence) const {
    std::string line = PlaceOf(evidence);
    if (!evidence.rule.empty()) line += (line.empty() ? "" : ": ") + evidence.rule;
    std::printf("    %s\n", Dim(TerminalLine(line)).c_str());
  }

  void Kinds(const inspector::Classification& kinds) const {
    Heading("what it is");
    if (kinds.kinds.empty()) std::printf("  missing: nothing says what this is\n");
    for (const inspector::KindFinding& kind : kinds.kinds) {
      std::printf("  %-12s %s\n", kind.kind.c_str(), LevelText(kind.level).c_str());
      for (size_t i = 0; i < kind.evidence.size() && i < 3; ++i) EvidenceLine(kind.evidence[i]);
    }
    for (const inspector::Alarm& alarm : kinds.alarms) {
      std::printf("  %s %s\n", Paint("31", "!").c_str(), TerminalLine(alarm.message).c_str());
      for (size_t i = 0; i < alarm.evidence.size() && i < 3; ++i) EvidenceLine(alarm.evidence[i]);
    }
    for (const inspector::Reference& reference : kinds.references) {
      std::string line = reference.role + " " + reference.id;
      if (!reference.revision.empty()) line += "@" + reference.revision;
      std::printf("  names %s  %s\n", TerminalLine(line).c_str(),
                  Dim(TerminalLine(PlaceOf(reference.evidence))).c_str());
    }
    for (const std::string& line : kinds.not_read)
      std::printf("  not read: %s\n", TerminalLine(line).c_str());
  }

  void Order(const inspector::ReadingOrder& order) const {
    Heading("reading order");
    int number = 0;
    for (const inspector::ReadingStep& step : order.steps) {
      std::string where =
          step.line > 0 ? "README.md line " + std::to_string(step.line) : step.where;
      std::printf("  %d %-14s %s %s\n", ++number, step.title.c_str(), StateText(step.state).c_str(),
                  Dim(TerminalLine(where)).c_str());
    }
    for (const inspector::NoteLine& line : order.note) {
      std::string text = line.text.empty() ? "missing" : line.text;
      std::printf("  %-16s %s\n", (line.title + ":").c_str(), TerminalLine(text).c_str());
    }
  }

  void Score(const inspector::CardScore& score) const {
    Heading("card score");
    std::printf("  %d of 100 (%s)\n", score.score, score.variant.c_str());
    for (const inspector::ScoreRow& row : score.rows) {
      std::printf("  %5.1f of %2d  %s %-36s %s\n", row.points, row.of, StateText(row.state).c_str(),
                  row.title.c_str(), Dim(TerminalLine(row.hint)).c_str());
    }
    for (const std::string& problem : score.problems)
      std::printf("  not read: %s\n", TerminalLine(problem).c_str());
  }

  bool colour_;
};

}  // namespace

inspector::RepoReading ReadFolder(const std::string& folder, const ReadingOptions& options) {
  return inspector::ReadRepo(NamedFolder(folder, options), hub::CardWords());
}

Json ReadingJson(const inspector::RepoReading& reading) {
  Json json = inspector::ToJson(reading.kinds);
  json.Set("reading_order", inspector::ToJson(reading.order));
  json.Set("card_score", inspector::ToJson(reading.score));
  return json;
}

void PrintReading(const inspector::RepoReading& reading, bool colour) {
  Printer(colour).Print(reading);
}

}  // namespace hearth::cli
