// Rows that depend on which other repositories the caller may read: licences along the chain, and
// where the weights come from.
#include <algorithm>

#include "hub/inspector/compare/portrait_parts.h"
#include "hub/inspector/licences/licence_report.h"

namespace hearth::inspector {
namespace {

class Nobody : public Neighbours {
 public:
  std::unique_ptr<RepoView> Find(std::string_view, std::string_view,
                                 std::string_view) const override {
    return nullptr;
  }
};

const Json& Part(const Json& json, std::string_view key) {
  static const Json nothing;
  const Json* part = json.Find(key);
  return part != nullptr ? *part : nothing;
}

std::string WordOf(const Json& json, std::string_view key) {
  const std::string* text = Part(json, key).AsString();
  return text == nullptr ? std::string() : *text;
}

std::vector<std::string> WordsOf(const Json& value) {
  std::vector<std::string> words;
  if (const std::string* one = value.AsString()) words.push_back(*one);
  if (value.AsArray() == nullptr) return words;
  for (const Json& item : *value.AsArray())
    if (item.AsString() != nullptr) words.push_back(*item.AsString());
  return words;
}

std::string_view DutyText(std::string_view duty) {
  static constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {"attribution", "name the authors"},        {"sameLicence", "pass on under the same licence"},
      {"useLimits", "pass on limits of use"},     {"naming", "keep a part of the name"},
      {"userCap", "ask above a number of users"}, {"acceptance", "accept the terms first"}};
  for (const auto& [name, text] : kTexts)
    if (name == duty) return text;
  return duty;
}

void SetMay(const Json& effective, Level level, const std::vector<Evidence>& evidence,
            Portrait* portrait) {
  const Json& may = Part(Part(effective, "value"), "may");
  for (const auto& [key, row] :
       {std::pair{"commercial", "commercial"}, std::pair{"modify", "modify"},
        std::pair{"redistribute", "redistribute"}}) {
    const Json& allowed = Part(may, key);
    std::string text = allowed.AsBool()                ? (*allowed.AsBool() ? "yes" : "no")
                       : allowed.AsString() != nullptr ? *allowed.AsString()
                                                       : "";
    if (!text.empty()) portrait->Set(row, MakeCell(text, allowed, level, evidence));
  }
  const Json& duties = Part(Part(effective, "value"), "duties");
  std::vector<std::string> names;
  if (duties.is_object()) {
    for (const auto& [duty, holds] : *duties.AsObject())
      if (holds.AsBool().value_or(false)) names.emplace_back(DutyText(duty));
  }
  portrait->Set("duties",
                MakeCell(names.empty() ? "none" : Joined(names), Json(names), level, evidence));
}

void SetChain(const Json& report, Portrait* portrait) {
  const Json& chain = Part(report, "chain");
  std::vector<Evidence> evidence;
  std::vector<std::string> texts;
  if (chain.AsArray() != nullptr) {
    for (const Json& member : *chain.AsArray()) {
      const Json& verdict = Part(member, "verdict");
      std::string word = WordOf(verdict, "verdict");
      if (word != "ok")
        texts.push_back(WordOf(member, "id") + ": " + word + ". " + WordOf(verdict, "text"));
      for (Evidence& item : EvidenceOfJson(Part(member, "licence")))
        evidence.push_back(std::move(item));
    }
  }
  std::string text = WordOf(report, "verdict");
  if (chain.size() == 0) return;  // nothing was it made from, as far as anybody says
  if (!texts.empty()) text += " (" + Joined(texts, 3) + ")";
  portrait->Set("chain", MakeCell(text, Json(WordOf(report, "verdict")), Level::kInferred,
                                  std::move(evidence)));
}

// "ns/name@0123..." -> "ns/name"
std::string IdOf(const std::string& node) { return node.substr(0, node.find('@')); }

}  // namespace

void DescribeLicence(const PortraitInput& input, Portrait* portrait) {
  Nobody nobody;
  Json report =
      LicenceReport(*input.view, input.neighbours != nullptr ? *input.neighbours : nobody);
  const Json& licence = Part(report, "licence");
  std::vector<std::string> ids = WordsOf(Part(licence, "value"));
  if (!ids.empty()) {
    std::string text = Joined(ids, 4);
    if (std::string name = WordOf(report, "name"); !name.empty())
      text += " (" + Excerpt(name, 80) + ")";
    portrait->Set("licence",
                  MakeCell(text, Part(licence, "value"), LevelOfName(WordOf(licence, "level")),
                           EvidenceOfJson(licence)));
  }
  const Json& effective = Part(report, "effective");
  std::string headline = WordOf(Part(effective, "value"), "headline");
  Level level = LevelOfName(WordOf(effective, "level"));
  SetChain(report, portrait);
  if (headline.empty() || headline == "unknown" || level == Level::kMissing) return;
  std::string cls = WordOf(Part(effective, "value"), "class");
  portrait->Set("effective", MakeCell(headline == cls ? headline : headline + " (" + cls + ")",
                                      Json(cls), level, EvidenceOfJson(effective)));
  SetMay(effective, level, EvidenceOfJson(effective), portrait);
}

void DescribeOrigins(const PortraitInput& input, Portrait* portrait) {
  OriginsInput ask;
  ask.view = input.view;
  ask.stored = input.stored;
  ask.join = input.join;
  ask.neighbours = input.neighbours;
  Origins origins = FindOrigins(ask);
  std::vector<std::string> bases, shared;
  std::vector<Evidence> base_places, shared_places;
  Level base_level = Level::kProved;
  for (const OriginEdge& edge : origins.edges) {
    if (edge.from != origins.repo) continue;  // of an ancestor
    bool by_bytes = edge.relation == "copy" || edge.relation == "shares_tensors";
    std::string word = IdOf(edge.to);
    if (edge.relation == "copy") word += " (copy)";
    if (!by_bytes && edge.relation != "base") word += " (" + edge.relation + ")";
    (by_bytes ? shared : bases).push_back(std::move(word));
    if (!by_bytes) base_level = std::max(base_level, edge.finding.level);
    for (const Evidence& item : edge.finding.evidence)
      (by_bytes ? shared_places : base_places).push_back(item);
  }
  if (!bases.empty())
    portrait->Set("base", MakeCell(Joined(bases, 4), Json(bases), base_level, base_places));
  if (!shared.empty())
    portrait->Set("shared",
                  MakeCell(Joined(shared, 4), Json(shared), Level::kProved, shared_places));
  portrait->origins = std::move(origins.edges);
}

}  // namespace hearth::inspector
