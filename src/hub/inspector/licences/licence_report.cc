#include "hub/inspector/licences/licence_report.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "hub/inspector/licences/licence_facts.h"

namespace hearth::inspector {
namespace {

struct Member {
  ParentLink link;
  std::string of;  // the repository that names it
  int depth = 1;
  std::string commit;  // "" = not here
  std::vector<const Licence*> rows;
  Finding own;
  CompatVerdict verdict;
};

// The most binding answer of all pairs of rows.
CompatVerdict WorstCompat(const std::vector<const Licence*>& children,
                          const std::vector<const Licence*>& parents, Relation relation) {
  CompatVerdict worst;
  bool first = true;
  for (const Licence* child : children) {
    for (const Licence* parent : parents) {
      CompatVerdict verdict = Compat(*child, *parent, relation);
      if (first || verdict.verdict > worst.verdict) worst = std::move(verdict);
      first = false;
    }
  }
  return worst;
}

Finding Check(std::string check, std::string result, std::string text, Level level,
              std::vector<Evidence> evidence) {
  return {
      Json::Obj(
          {{"check", std::move(check)}, {"result", std::move(result)}, {"text", std::move(text)}}),
      level, std::move(evidence)};
}

class Report {
 public:
  Report(const RepoView& view, const Neighbours& neighbours)
      : view_(view), neighbours_(neighbours), facts_(ReadLicenceFacts(view)) {}

  Json Make() {
    visited_.insert(Key("model", view_.id()));
    for (const Licence* row : facts_.rows) Meet(*row, &effective_);
    NoteLevel(facts_.own.level);
    Walk(view_.id(), facts_, 1);
    CheckText();
    CheckMentions();
    CheckConfig();
    CheckBases();
    CheckDefault();
    return Render();
  }

 private:
  static std::string Key(std::string_view type, std::string_view id) {
    return std::string(type) + ":" + AsciiLower(id);
  }

  void NoteLevel(Level level) { weakest_ = std::max(weakest_, level); }

  void AddCheck(Finding check) { checks_.push_back(std::move(check)); }

  // --- the chain

  void Walk(const std::string& of, const LicenceFacts& child, int depth) {
    std::vector<size_t> merged;
    for (const ParentLink& link : child.parents) {
      bool data = link.relation == Relation::kDataset;
      // Only the repository's own data sets: those of its bases are for their pages.
      if (data && depth > 1) continue;
      if (members_.size() >= kMaxChainMembers || depth > kMaxChainDepth) {
        cut_ = true;
        return;
      }
      if (!visited_.insert(Key(link.type, link.id)).second) {
        if (!data) NoteRepeat(link, of);
        continue;
      }
      size_t at = AddMember(link, of, child, depth);
      if (link.relation == Relation::kMerge) merged.push_back(at);
    }
    CheckMerge(of, merged);
  }

  // Two ways to the same base are usual; a repository among its own bases is not.
  void NoteRepeat(const ParentLink& link, const std::string& of) {
    bool above = Key(link.type, link.id) == Key("model", view_.id()) ||
                 std::any_of(path_.begin(), path_.end(), [&](const std::string& key) {
                   return key == Key(link.type, link.id);
                 });
    if (!above) return;
    Evidence evidence = link.evidence;
    evidence.repo = of == view_.id() ? "" : of;
    AddCheck(Check("cycle", "odd", of + " names " + link.id + " as its base, which comes from it.",
                   Level::kProved, {evidence}));
  }

  size_t AddMember(const ParentLink& link, const std::string& of, const LicenceFacts& child,
                   int depth) {
    Member member{
        .link = link, .of = of, .depth = depth, .commit = {}, .rows = {}, .own = {}, .verdict = {}};
    std::unique_ptr<RepoView> parent = neighbours_.Find(link.type, link.id, link.revision);
    LicenceFacts facts;
    if (parent == nullptr) {
      member.rows = {&UnknownLicence()};
      member.own = {nullptr, Level::kMissing, {{"", "", "named, but not to be read here", ""}}};
    } else {
      facts = ReadLicenceFacts(*parent);
      member.commit = parent->commit();
      member.rows = facts.rows;
      member.own = facts.own;
      for (Evidence& evidence : member.own.evidence)
        evidence.repo = parent->id() + "@" + member.commit;
    }
    member.verdict = WorstCompat(child.rows, member.rows, link.relation);
    bool data = link.relation == Relation::kDataset;
    if (!data) {
      for (const Licence* row : member.rows) Meet(*row, &effective_);
      NoteLevel(member.own.level);
    }
    size_t at = members_.size();
    members_.push_back(std::move(member));
    if (parent != nullptr && !data) {
      path_.push_back(Key(link.type, link.id));
      Walk(link.id, facts, depth + 1);
      path_.pop_back();
    }
    return at;
  }

  void CheckMerge(const std::string& of, const std::vector<size_t>& merged) {
    for (size_t i = 0; i < merged.size(); ++i) {
      for (size_t j = i + 1; j < merged.size(); ++j) {
        const Member& a = members_[merged[i]];
        const Member& b = members_[merged[j]];
        for (const Licence* left : a.rows) {
          for (const Licence* right : b.rows) {
            CompatVerdict verdict = CompatOfParents(*left, *right);
            if (verdict.verdict != Compatibility::kConflict) continue;
            worst_ = Compatibility::kConflict;
            AddCheck(Check("merge", "conflict",
                           of + " merges " + a.link.id + " and " + b.link.id + ": " + verdict.text,
                           Level::kInferred, {a.link.evidence, b.link.evidence}));
          }
        }
      }
    }
  }

  // --- do the places agree?

  void CheckText() {
    bool known = false;
    for (const LicenceFile& file : facts_.files) {
      for (const TextMatch& match : file.matches) {
        known = true;
        if (facts_.declared.empty()) continue;
        bool agrees = std::any_of(facts_.rows.begin(), facts_.rows.end(), [&](const Licence* row) {
          return row->id == match.id || (!row->spdx.empty() && match.id.starts_with(row->id));
        });
        bool declared =
            std::any_of(facts_.declared.begin(), facts_.declared.end(), [&](const std::string& id) {
              return FindLicence(id) == FindLicence(match.id) || match.id.starts_with(id + "-");
            });
        bool other = facts_.declared[0] == "other";
        Evidence place{file.path, "", "the text of " + match.name, ""};
        if (declared || (other && agrees)) {
          AddCheck(Check("card-text", "agree", "Card and " + file.path + " agree.",
                         match.exact() ? Level::kProved : Level::kInferred,
                         {facts_.declared_at, place}));
        } else if (!(other && match.id == "other")) {
          AddCheck(Check("card-text", "differ",
                         "The card says " + facts_.declared[0] + ", " + file.path +
                             " holds the text of " + match.name + ".",
                         match.exact() ? Level::kProved : Level::kInferred,
                         {facts_.declared_at, place}));
        }
      }
    }
    if (!known && !facts_.declared.empty() && facts_.files.empty()) {
      AddCheck(Check("card-text", "missing", "There is no LICENSE file beside the card.",
                     Level::kMissing, {facts_.declared_at}));
    }
  }

  void CheckMentions() {
    auto look = [&](const std::vector<LicenceMention>& mentions, const char* check) {
      if (mentions.empty() || facts_.declared.empty()) return;
      bool agrees =
          std::any_of(mentions.begin(), mentions.end(), [&](const LicenceMention& mention) {
            return std::any_of(facts_.declared.begin(), facts_.declared.end(),
                               [&](const std::string& id) {
                                 return FindLicence(id) == FindLicence(mention.id) ||
                                        mention.id.starts_with(id + "-");
                               });
          });
      const LicenceMention& first = mentions.front();
      Evidence place{"README.md", "line " + std::to_string(first.line), "\"" + first.words + "\"",
                     ""};
      AddCheck(Check(check, agrees ? "agree" : "differ",
                     agrees ? "Front matter and text of the card agree."
                            : "The front matter says " + facts_.declared[0] + ", the text " +
                                  first.words + ".",
                     Level::kInferred, {facts_.declared_at, place}));
    };
    look(facts_.spdx, "card-spdx");
    look(facts_.section, "card-section");
  }

  void CheckConfig() {
    const Licence* config = FindLicence(facts_.config_licence);
    if (config == nullptr || facts_.declared.empty()) return;
    bool agrees = std::any_of(facts_.declared.begin(), facts_.declared.end(),
                              [&](const std::string& id) { return FindLicence(id) == config; });
    AddCheck(Check(
        "card-config", agrees ? "agree" : "differ",
        agrees ? "Card and config.json agree."
               : "The card says " + facts_.declared[0] + ", config.json " +
                     std::string(config->id) + ".",
        Level::kDeclared,
        {facts_.declared_at, {"config.json", "/license", "the configuration's licence", ""}}));
  }

  void CheckBases() {
    for (const Member& member : members_) {
      worst_ = std::max(worst_, member.verdict.verdict);
      if (member.verdict.verdict != Compatibility::kConflict) continue;
      Evidence evidence = member.link.evidence;
      if (member.of != view_.id()) evidence.repo = member.of;
      AddCheck(Check("card-base", "conflict",
                     member.of + " from " + member.link.id + ": " + member.verdict.text,
                     member.own.level, {evidence}));
    }
    if (cut_) {
      AddCheck(Check("chain", "cut", "The chain of bases is longer than is looked at.",
                     Level::kProved, {}));
    }
  }

  // Upload scripts and templates fill in a licence that nobody chose.
  void CheckDefault() {
    if (facts_.declared.size() != 1 || !facts_.files.empty() || facts_.has_section ||
        !facts_.spdx.empty() || facts_.rows.size() != 1) {
      return;
    }
    const Licence& row = *facts_.rows[0];
    if (HeadlineOf(row.cls) != LicenceHeadline::kPermissive) return;
    auto differs = [&](const Member& member) {
      return member.depth == 1 && member.link.relation != Relation::kDataset &&
             member.rows[0] != &row && member.rows[0]->cls < LicenceClass::kOther;
    };
    auto base = std::find_if(members_.begin(), members_.end(), differs);
    if (base == members_.end() && !facts_.template_left) return;
    std::string why = base != members_.end() ? "its base " + base->link.id + " stands under " +
                                                   std::string(base->rows[0]->id)
                                             : std::string("the card is an unfinished template");
    AddCheck(Check("default-licence", "odd",
                   std::string(row.id) + " is named in the front matter alone and " + why +
                       ": it may be a default that nobody chose.",
                   Level::kInferred, {facts_.declared_at}));
  }

  // --- the answer

  static Json MemberJson(const Member& member) {
    Json json = Json::Obj({{"id", member.link.id},
                           {"type", member.link.type},
                           {"depth", member.depth},
                           {"of", member.of},
                           {"relation", RelationName(member.link.relation)},
                           {"relationLevel", LevelName(member.link.relation_level)},
                           {"licence", ToJson(member.own)},
                           {"class", ClassName(member.rows[0]->cls)},
                           {"headline", HeadlineName(HeadlineOf(member.rows[0]->cls))},
                           {"verdict", ToJson(member.verdict)},
                           {"evidence", ToJson(member.link.evidence)}});
    if (!member.commit.empty()) json.Set("commit", member.commit);
    return json;
  }

  Json Render() {
    Json rows = Json::Arr();
    for (const Licence* row : facts_.rows) rows.Push(ToJson(*row));
    Json chain = Json::Arr(), datasets = Json::Arr(), checks = Json::Arr();
    for (const Member& member : members_) {
      (member.link.relation == Relation::kDataset ? datasets : chain).Push(MemberJson(member));
    }
    for (const Finding& check : checks_) checks.Push(ToJson(check));
    Json value = Json::Obj({{"licences", Json(effective_.ids)},
                            {"class", ClassName(effective_.cls)},
                            {"headline", HeadlineName(HeadlineOf(effective_.cls))},
                            {"may", MayJson(effective_.flags)},
                            {"duties", DutiesJson(effective_.flags)},
                            {"complete", effective_.complete}});
    // What is not known of one member is not known of the whole.
    if (!effective_.complete) {
      value.Set("class", ClassName(LicenceClass::kUnknown));
      value.Set("headline", HeadlineName(LicenceHeadline::kUnknown));
    }
    Finding effective{std::move(value), weakest_, facts_.own.evidence};
    for (const Member& member : members_) {
      if (member.link.relation == Relation::kDataset) continue;
      Evidence evidence = member.link.evidence;
      if (member.of != view_.id()) evidence.repo = member.of;
      effective.evidence.push_back(std::move(evidence));
    }
    Json json = Json::Obj({{"banner", kLicenceBanner}, {"licence", ToJson(facts_.own)}});
    if (!facts_.declared_name.empty()) json.Set("name", facts_.declared_name);
    if (!facts_.declared_link.empty()) json.Set("link", facts_.declared_link);
    json.Set("rows", std::move(rows));
    json.Set("checks", std::move(checks));
    json.Set("chain", std::move(chain));
    json.Set("datasets", std::move(datasets));
    json.Set("effective", ToJson(effective));
    json.Set("verdict", CompatibilityName(worst_));
    return json;
  }

  const RepoView& view_;
  const Neighbours& neighbours_;
  const LicenceFacts facts_;
  std::unordered_set<std::string> visited_;
  std::vector<std::string> path_;
  std::vector<Member> members_;
  std::vector<Finding> checks_;
  Effective effective_;
  Level weakest_ = Level::kProved;
  Compatibility worst_ = Compatibility::kOk;
  bool cut_ = false;
};

std::string Field(const Json& json, std::string_view key) {
  return json.StringField(key).value_or("");
}

const Json& Part(const Json& json, std::string_view key) {
  static const Json nothing;
  const Json* part = json.Find(key);
  return part != nullptr ? *part : nothing;
}

std::string Shown(const Json& value) {
  if (value.is_null()) return "missing";
  const std::string* text = value.AsString();
  return text != nullptr ? *text : value.Dump();
}

}  // namespace

Json LicenceReport(const RepoView& view, const Neighbours& neighbours) {
  return Report(view, neighbours).Make();
}

std::string LicenceReportText(const Json& report) {
  const Json& licence = Part(report, "licence");
  const Json& effective = Part(Part(report, "effective"), "value");
  std::string text =
      "licence     " + Shown(Part(licence, "value")) + " (" + Field(licence, "level") + ")\n";
  text += "in effect   " + Field(effective, "headline") + ": " + Field(effective, "class") + "\n";
  for (const char* list : {"chain", "datasets"}) {
    const Json& members = Part(report, list);
    if (members.AsArray() == nullptr) continue;
    for (const Json& member : *members.AsArray()) {
      const Json& verdict = Part(member, "verdict");
      text += "from        " + Field(member, "id") + " (" + Field(member, "relation") + "), " +
              Shown(Part(Part(member, "licence"), "value")) + ": " + Field(verdict, "verdict") +
              ". " + Field(verdict, "text") + "\n";
    }
  }
  const Json& checks = Part(report, "checks");
  if (checks.AsArray() != nullptr) {
    for (const Json& check : *checks.AsArray()) {
      const Json& value = Part(check, "value");
      if (Field(value, "result") == "agree") continue;
      text += "check       " + Field(value, "text") + "\n";
    }
  }
  return text + std::string(kLicenceBanner) + "\n";
}

}  // namespace hearth::inspector
