#include "hub/inspector/compare/portrait.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/compare/portrait_parts.h"
#include "hub/inspector/inspect_repo.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxPlaces = 20;

constexpr PortraitRow kRows[] = {
#define HEARTH_ROW(group, row, title, types) {group, row, title, types},
#include "hub/inspector/compare/rows.inc"
#undef HEARTH_ROW
};

constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"what", "What it is"},     {"licence", "Licence and duties"},
    {"card", "Card"},           {"files", "Files and sizes"},
    {"data", "Data"},           {"parameters", "Parameters"},
    {"precision", "Precision"}, {"architecture", "Architecture"},
    {"context", "Context"},     {"tokenizer", "Tokenizer"},
    {"template", "Template"},   {"runs", "Where it runs"},
    {"fit", "Hardware fit"},    {"provenance", "Where it comes from"},
    {"safety", "Safety"},       {"dates", "Dates"},
};

void DescribeKinds(const PortraitInput& input, Portrait* portrait) {
  const Classification& kinds = input.kinds;
  if (std::string phrase = ArtifactPhrase(kinds); !phrase.empty()) {
    Json names = Json::Arr();
    std::vector<Evidence> evidence;
    for (const KindFinding& kind : kinds.kinds) {
      names.Push(kind.kind);
      for (const Evidence& item : kind.evidence)
        if (evidence.size() < kMaxPlaces) evidence.push_back(item);
    }
    portrait->Set("artifact", MakeCell(phrase, std::move(names), kinds.kinds[0].level, evidence));
  }
  std::vector<std::string> messages, named;
  std::vector<Evidence> alarm_places, name_places;
  Level level = Level::kProved;
  for (const Alarm& alarm : kinds.alarms) {
    messages.push_back(alarm.message);
    level = std::max(level, alarm.level);
    for (const Evidence& item : alarm.evidence)
      if (alarm_places.size() < kMaxPlaces) alarm_places.push_back(item);
  }
  // That no rule saw one does not prove that there is none.
  portrait->Set("alarms",
                messages.empty()
                    ? MakeCell("none seen", Json(0), Level::kInferred,
                               {At("", "", "no rule for contradictions found one")})
                    : MakeCell(Joined(messages, 3), Json(messages.size()), level, alarm_places));
  for (const Reference& reference : kinds.references) {
    std::string word = reference.id;
    if (reference.state == ReferenceState::kNotHere) word += " (not here)";
    if (std::find(named.begin(), named.end(), word) != named.end()) continue;
    named.push_back(std::move(word));
    if (name_places.size() < kMaxPlaces) name_places.push_back(reference.evidence);
  }
  if (!named.empty())
    portrait->Set("names",
                  MakeCell(Joined(named, 6), Json(named), kinds.references[0].level, name_places));
}

void DescribeFiles(const PortraitInput& input, Portrait* portrait) {
  uint64_t bytes = 0;
  std::map<std::string, uint64_t> endings;
  for (const RepoFile& file : input.view->files()) {
    bytes += file.size_bytes;
    std::string name = file.path.substr(file.path.rfind('/') + 1);
    size_t dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0 || name.size() - dot > 14) continue;
    endings[AsciiLower(name.substr(dot + 1))] += file.size_bytes;
  }
  size_t count = input.view->files().size();
  portrait->Set("files", MakeCell(CountText(count), Json(count), Level::kProved,
                                  {At("", "", "the list of files at this commit")}));
  portrait->Set("bytes", MakeCell(SizeText(bytes), Json(bytes), Level::kProved,
                                  {At("", "", "sizes of all files together")}));
  // Models say their forms by what the files hold; of others the endings are all there is.
  if (portrait->type == "model" || endings.empty()) return;
  std::vector<std::pair<uint64_t, std::string>> sorted;
  for (const auto& [ending, size] : endings) sorted.emplace_back(size, ending);
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<std::string> names;
  for (const auto& [size, ending] : sorted) names.push_back(ending);
  portrait->Set("formats", MakeCell(Joined(names, 6), Json(names), Level::kInferred,
                                    {At("", "", "endings of names, most bytes first")}));
}

}  // namespace

std::span<const PortraitRow> PortraitRows() { return kRows; }

std::string_view GroupTitle(std::string_view group) {
  for (const auto& [name, title] : kGroups)
    if (name == group) return title;
  return group;
}

const Cell* Portrait::Find(std::string_view row) const {
  for (const auto& [name, cell] : cells)
    if (name == row) return &cell;
  return nullptr;
}

std::string Portrait::TextOf(std::string_view row) const {
  const Cell* cell = Find(row);
  return cell == nullptr ? std::string() : cell->text;
}

void Portrait::Set(std::string_view row, Cell cell) {
  if (cell.finding.evidence.size() > kMaxPlaces) cell.finding.evidence.resize(kMaxPlaces);
  for (auto& [name, known] : cells) {
    if (name != row) continue;
    known = std::move(cell);
    return;
  }
  cells.emplace_back(std::string(row), std::move(cell));
}

Portrait DescribeAlone(const PortraitInput& input) {
  Portrait portrait;
  portrait.type = input.view->type().empty() ? input.kinds.type : input.view->type();
  if (portrait.type.empty()) portrait.type = "model";
  portrait.id = input.view->id();
  portrait.commit = input.view->commit();
  CardDocument card = ParseCard(ReadCardFile(*input.view));
  DescribeCard(input, card, &portrait);
  DescribeFiles(input, &portrait);
  if (portrait.type == "dataset") DescribeData(input, card, &portrait);
  if (portrait.type == "model") DescribeModel(input, &portrait);
  if (!portrait.commit.empty())
    portrait.Set("commit", MakeCell(portrait.commit.substr(0, 10), Json(portrait.commit),
                                    Level::kProved, {At("", "", "git's name of the commit")}));
  return portrait;
}

void DescribeAmong(const PortraitInput& input, Portrait* portrait) {
  DescribeKinds(input, portrait);
  DescribeLicence(input, portrait);
  if (portrait->type == "model") DescribeOrigins(input, portrait);
  if (input.scans) {
    Level level = input.scans->state == "queued" || input.scans->state == "unknown"
                      ? Level::kMissing
                      : Level::kProved;
    std::string text;
    if (input.scans->counts.is_object()) {
      for (const auto& [state, count] : *input.scans->counts.AsObject())
        text += (text.empty() ? "" : ", ") + count.Dump() + " " + state;
    }
    portrait->Set("scans", MakeCell(text, input.scans->counts, level, input.scans->evidence));
  }
  for (const auto& [row, time, rule] :
       {std::tuple{"created", input.created, "the hub's record"},
        std::tuple{"changed", input.changed, "time that the commit bears"}}) {
    if (time.empty()) continue;
    portrait->Set(row,
                  MakeCell(time.substr(0, 10), Json(time),
                           std::string_view(row) == "created" ? Level::kProved : Level::kDeclared,
                           {At("", "", rule)}));
  }
}

Cell MakeCell(std::string text, Json value, Level level, std::vector<Evidence> evidence) {
  return {{std::move(value), level, std::move(evidence)}, std::move(text)};
}

Cell MakeCell(std::string text, Level level, std::vector<Evidence> evidence) {
  Json value = text;
  return MakeCell(std::move(text), std::move(value), level, std::move(evidence));
}

Evidence At(std::string file, std::string place, std::string rule) {
  return {.file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = ""};
}

std::string Joined(const std::vector<std::string>& words, size_t most) {
  std::string text;
  for (size_t i = 0; i < words.size() && i < most; ++i) text += (i > 0 ? ", " : "") + words[i];
  if (words.size() > most) text += " and " + std::to_string(words.size() - most) + " more";
  return text;
}

std::string Excerpt(std::string_view text, size_t bytes) {
  std::string line;
  bool blank = false;
  for (char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') {
      blank = !line.empty();
      continue;
    }
    if (blank) line += ' ';
    blank = false;
    line += c;
    if (line.size() > bytes + 4) break;
  }
  if (line.size() <= bytes) return line;
  size_t end = line.rfind(' ', bytes);
  if (end == std::string::npos || end < bytes / 2) {
    end = bytes;  // a script without blanks: never within a character
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  }
  return line.substr(0, end) + "…";
}

Level LevelOfName(std::string_view name) {
  for (Level level : {Level::kProved, Level::kDeclared, Level::kInferred})
    if (LevelName(level) == name) return level;
  return Level::kMissing;
}

std::vector<Evidence> EvidenceOfJson(const Json& finding) {
  std::vector<Evidence> list;
  const Json* items = finding.Find("evidence");
  if (items == nullptr || items->AsArray() == nullptr) return list;
  for (const Json& item : *items->AsArray()) {
    if (!item.is_object() || list.size() >= kMaxPlaces) continue;
    list.push_back({.file = item.StringField("file").value_or(""),
                    .place = item.StringField("place").value_or(""),
                    .rule = item.StringField("rule").value_or(""),
                    .repo = item.StringField("repo").value_or("")});
  }
  return list;
}

std::string SpecOf(std::string_view type, std::string_view id, std::string_view commit) {
  std::string spec = std::string(type) + "s/" + std::string(id);
  if (!commit.empty()) spec += "@" + std::string(commit);
  return spec;
}

RepoSpec ParseRepoSpec(std::string_view text) {
  RepoSpec spec;
  text = TrimAscii(text);
  size_t at = text.find('@');
  if (at != std::string_view::npos) {
    spec.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  for (std::string_view type : {"model", "dataset", "space"}) {
    std::string prefix = std::string(type) + "s/";
    if (!text.starts_with(prefix)) continue;
    spec.type = type;
    text.remove_prefix(prefix.size());
    break;
  }
  spec.id = text;
  constexpr size_t kMaxNames = 200;
  if (!IsRepoId(spec.id, true) || spec.revision.size() > kMaxNames || spec.id.size() > kMaxNames)
    throw Error(Code::kInvalidArgument,
                "name repositories like models/ns/name, datasets/ns/name@revision, spaces/ns/name");
  return spec;
}

}  // namespace hearth::inspector
