#include "hub/inspector/compare/comparison.h"

#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/compare/scores.h"
#include "hub/inspector/quantity_text.h"
#include "text/utf8.h"

namespace hearth::inspector {
namespace {

bool Applies(std::string_view types, const Portrait& portrait) {
  return types.find(portrait.type.empty() ? 'm' : portrait.type[0]) != std::string_view::npos;
}

// Of those that can have it at all: that a data set has no layers is no difference between models.
bool Differs(const std::vector<ComparedCell>& cells) {
  const ComparedCell* first = nullptr;
  for (const ComparedCell& cell : cells) {
    if (!cell.applies) continue;
    if (first != nullptr && cell.cell.text != first->cell.text) return true;
    if (first == nullptr) first = &cell;
  }
  return false;
}

class Aligner {
 public:
  explicit Aligner(const std::vector<Portrait>& portraits) : portraits_(portraits) {}

  Comparison Run() {
    for (const PortraitRow& row : PortraitRows()) {
      Add(row.group, row.row, std::string(row.title), row.types);
      if (row.group == "fit" && row.row == "node") AddDevices();
    }
    FindLineage();
    return std::move(result_);
  }

 private:
  void AddDevices() {
    for (const Portrait& portrait : portraits_) {
      if (portrait.device_rows.empty()) continue;
      for (const auto& [row, title] : portrait.device_rows) Add("fit", row, title, "m");
      return;  // they are the same for all
    }
  }

  void Add(std::string_view group, std::string_view row, std::string title,
           std::string_view types) {
    ComparedRow compared{std::string(row), std::move(title), {}, false};
    bool any = false;
    for (const Portrait& portrait : portraits_) {
      ComparedCell cell;
      cell.applies = Applies(types, portrait);
      any = any || cell.applies;
      if (const Cell* known = portrait.Find(row); known != nullptr && cell.applies)
        cell.cell = *known;
      compared.cells.push_back(std::move(cell));
    }
    if (!any) return;
    compared.differs = Differs(compared.cells);
    if (result_.groups.empty() || result_.groups.back().group != group)
      result_.groups.push_back({std::string(group), std::string(GroupTitle(group)), {}});
    ++result_.rows;
    result_.differing += compared.differs ? 1 : 0;
    result_.groups.back().rows.push_back(std::move(compared));
  }

  // Edges name "ns/name@commit"; a column of another commit of the repository is meant as well.
  static bool Names(const std::string& node, const Portrait& portrait) {
    return AsciiEqualsIgnoreCase(std::string_view(node).substr(0, node.find('@')), portrait.id);
  }

  void FindLineage() {
    for (size_t child = 0; child < portraits_.size(); ++child) {
      for (size_t base = 0; base < portraits_.size(); ++base) {
        if (base == child || portraits_[base].type != "model") continue;
        if (AsciiEqualsIgnoreCase(portraits_[base].id, portraits_[child].id)) continue;
        for (const OriginEdge& edge : portraits_[child].origins) {
          // Equal bytes have no direction.
          if (edge.relation == "copy" || edge.relation == "shares_tensors") continue;
          if (!Names(edge.to, portraits_[base])) continue;
          bool direct = Names(edge.from, portraits_[child]);
          result_.lineage.push_back(
              {base, child, direct ? edge.relation : "ancestor", edge.finding});
          break;
        }
      }
    }
  }

  const std::vector<Portrait>& portraits_;
  Comparison result_;
};

// --- text

std::string Fit(std::string_view text, size_t width) {
  std::string line = Utf8Lossy(text);
  if (CountCodePoints(line) > width) {
    line = std::string(TruncateUtf8(line, width - 1)) + "…";
  }
  size_t points = CountCodePoints(line);
  return line + std::string(width - std::min(width, points), ' ');
}

std::string CellText(const ComparedCell& cell) {
  if (!cell.applies) return "-";
  if (cell.cell.finding.level == Level::kMissing || cell.cell.text.empty()) return "missing";
  return cell.cell.text;
}

}  // namespace

Comparison Compare(const std::vector<Portrait>& portraits) {
  if (portraits.empty()) return {};
  return Aligner(portraits).Run();
}

Json ToJson(const Cell& cell) {
  Json json = ToJson(cell.finding);
  if (cell.finding.level == Level::kMissing) json.Set("value", Json());
  json.Set("text", cell.finding.level == Level::kMissing ? "" : cell.text);
  return json;
}

Json ToJson(const Comparison& comparison, const std::vector<Portrait>& portraits) {
  Json repositories = Json::Arr(), groups = Json::Arr(), lineage = Json::Arr();
  for (const Portrait& portrait : portraits) {
    repositories.Push(Json::Obj({{"type", portrait.type},
                                 {"id", portrait.id},
                                 {"commit", portrait.commit},
                                 {"spec", SpecOf(portrait.type, portrait.id, portrait.commit)}}));
  }
  for (const ComparedGroup& group : comparison.groups) {
    Json rows = Json::Arr();
    for (const ComparedRow& row : group.rows) {
      Json cells = Json::Arr();
      for (const ComparedCell& cell : row.cells) {
        Json json = ToJson(cell.cell);
        json.Set("applies", cell.applies);
        cells.Push(std::move(json));
      }
      rows.Push(Json::Obj({{"row", row.row},
                           {"title", row.title},
                           {"differs", row.differs},
                           {"cells", std::move(cells)}}));
    }
    groups.Push(
        Json::Obj({{"group", group.group}, {"title", group.title}, {"rows", std::move(rows)}}));
  }
  for (const Lineage& line : comparison.lineage) {
    Json json = ToJson(line.finding);
    json.Set("baseline", line.baseline).Set("derivative", line.derivative);
    json.Set("relation", line.relation);
    lineage.Push(std::move(json));
  }
  return Json::Obj({{"repositories", std::move(repositories)},
                    {"groups", std::move(groups)},
                    {"lineage", std::move(lineage)},
                    {"scores", ScoresJson(portraits)},
                    {"rows", comparison.rows},
                    {"differing", comparison.differing}});
}

std::string ComparisonText(const Comparison& comparison, const std::vector<Portrait>& portraits,
                           const TableOptions& options) {
  constexpr size_t kTitleWidth = 26;
  std::string text = std::string(kTitleWidth + 2, ' ');
  for (const Portrait& portrait : portraits) text += Fit(portrait.id, options.column_width) + "  ";
  text += "\n";
  for (const ComparedGroup& group : comparison.groups) {
    std::string lines;
    for (const ComparedRow& row : group.rows) {
      if (options.differences_only && !row.differs) continue;
      lines += (row.differs ? "* " : "  ") + Fit(row.title, kTitleWidth);
      for (const ComparedCell& cell : row.cells)
        lines += Fit(CellText(cell), options.column_width) + "  ";
      while (lines.ends_with(' ')) lines.pop_back();
      lines += "\n";
    }
    if (!lines.empty()) text += "\n" + group.title + "\n" + lines;
  }
  text += "\nScores\n";
  std::vector<std::vector<PortraitScore>> columns;
  for (const Portrait& portrait : portraits) columns.push_back(ScorePortrait(portrait));
  for (size_t i = 0; !columns.empty() && i < columns[0].size(); ++i) {
    text += "  " + Fit(columns[0][i].title, kTitleWidth);
    for (const std::vector<PortraitScore>& scores : columns)
      text += Fit(std::to_string(scores[i].points) + " of 100", options.column_width) + "  ";
    while (text.ends_with(' ')) text.pop_back();
    text += "\n";
  }
  for (const Lineage& line : comparison.lineage) {
    text += "\nbaseline: " + portraits[line.derivative].id + " comes from " +
            portraits[line.baseline].id + " (" + line.relation + ", " +
            std::string(LevelName(line.finding.level)) + ")\n";
  }
  return text + "\n" + std::to_string(comparison.differing) + " of " +
         CountOf(comparison.rows, "row") + (comparison.differing == 1 ? " differs" : " differ") +
         " (*)\n";
}

}  // namespace hearth::inspector
