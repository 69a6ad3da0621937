#include "hub/inspector/licences/compat.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hearth::inspector {
namespace {

using Ids = std::initializer_list<std::string_view>;

bool IsOneOf(std::string_view id, Ids ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool IsLlama(const Licence& licence) { return licence.id.starts_with("llama"); }

// Permissive in any way: what comes from it may stand under nearly everything.
bool IsFree(LicenceClass cls) { return cls <= LicenceClass::kDataAttribution; }

CompatVerdict Verdict(Compatibility verdict, std::string rule, std::string text,
                      const Licence& parent) {
  return {verdict, std::move(rule), std::move(text), std::string(parent.place), {}};
}

CompatVerdict Conflict(std::string rule, std::string text, const Licence& parent) {
  return Verdict(Compatibility::kConflict, std::move(rule), std::move(text), parent);
}

// What the parent asks of whoever passes on something derived from it.
std::vector<std::string> DutiesOf(const Licence& parent) {
  std::vector<std::string> duties;
  if (parent.Has(kMustAttribute)) {
    duties.push_back(parent.cls == LicenceClass::kDataAttribution || parent.id.starts_with("cc-by")
                         ? "name the authors, link the licence and say what was changed"
                         : "keep its copyright notice and licence text");
  }
  if (parent.id == "apache-2.0" || parent.id == "ecl-2.0")
    duties.push_back("say which files were changed, and keep a NOTICE file");
  if (parent.Has(kMustPassLimits)) duties.push_back("pass its limits of use on to everybody");
  if (parent.Has(kMustName)) {
    duties.push_back(parent.note.empty() ? "show the name that it asks for"
                                         : std::string(parent.note));
  }
  if (IsLlama(parent) || parent.id == "grok2-community")
    duties.push_back("give a copy of its agreement along");
  if (parent.id == "gemma") duties.push_back("give a copy of its terms along");
  if (parent.Has(kHasUserCap))
    duties.push_back("above its threshold a licence of its owner is needed");
  if (parent.Has(kMustKeepLicence) && !IsLlama(parent))
    duties.push_back("keep the derived part under the same licence");
  return duties;
}

CompatVerdict Allowed(std::string rule, std::string text, const Licence& parent) {
  CompatVerdict verdict = Verdict(Compatibility::kOk, std::move(rule), std::move(text), parent);
  verdict.duties = DutiesOf(parent);
  if (!verdict.duties.empty()) verdict.verdict = Compatibility::kDuty;
  return verdict;
}

CompatVerdict Unknown(std::string rule, std::string text, const Licence& parent) {
  CompatVerdict verdict =
      Verdict(Compatibility::kUnknown, std::move(rule), std::move(text), parent);
  if (parent.cls < LicenceClass::kOther) verdict.duties = DutiesOf(parent);
  return verdict;
}

// --- which licences may take over from one that asks to be kept

struct Takeover {
  std::string_view parent;
  std::string_view child;
  bool sure;  // false: only when the authors said more than the id does ("or later", say)
  std::string_view why;
};

// Apart from the same id. Sources: section 13 of GPL 3 and AGPL 3; section 3 of LGPL 2.1, LGPL 3 as
// terms upon GPL 3; section 3.3 of MPL 2; the appendices of EUPL; Creative Commons' list of
// compatible licences; section 4(b) of CC BY-SA and BY-NC-SA 2.0 and 3.0 (later versions).
constexpr Takeover kTakeovers[] = {
    {"gpl", "gpl-2.0", true, "no version is named, so any may be chosen"},
    {"gpl", "gpl-3.0", true, "no version is named, so any may be chosen"},
    {"gpl", "agpl-3.0", true, "GPL 3, section 13, allows the combination"},
    {"gpl-2.0", "gpl", false, "only where the parent says \"or later\""},
    {"gpl-2.0", "gpl-3.0", false, "only where the parent says \"or later\""},
    {"gpl-2.0", "agpl-3.0", false, "only where the parent says \"or later\""},
    {"gpl-3.0", "gpl", false, "the child must not mean an earlier version"},
    {"gpl-3.0", "agpl-3.0", true, "GPL 3, section 13, allows the combination"},
    {"lgpl", "lgpl-2.1", true, "no version is named, so any may be chosen"},
    {"lgpl", "lgpl-3.0", true, "no version is named, so any may be chosen"},
    {"lgpl", "gpl", true, "the LGPL lets the GPL take over"},
    {"lgpl", "gpl-2.0", true, "the LGPL lets the GPL take over"},
    {"lgpl", "gpl-3.0", true, "the LGPL lets the GPL take over"},
    {"lgpl", "agpl-3.0", true, "by way of GPL 3"},
    {"lgpl-2.1", "lgpl", false, "the child must name the version"},
    {"lgpl-2.1", "lgpl-3.0", false, "only where the parent says \"or later\""},
    {"lgpl-2.1", "gpl", true, "LGPL 2.1, section 3, lets the GPL take over"},
    {"lgpl-2.1", "gpl-2.0", true, "LGPL 2.1, section 3, lets the GPL take over"},
    {"lgpl-2.1", "gpl-3.0", true, "LGPL 2.1, section 3, lets the GPL take over"},
    {"lgpl-2.1", "agpl-3.0", true, "by way of GPL 3"},
    {"lgpl-3.0", "lgpl", false, "the child must name the version"},
    {"lgpl-3.0", "gpl-3.0", true, "LGPL 3 is GPL 3 with permissions that may be left out"},
    {"lgpl-3.0", "gpl", false, "the child must not mean an earlier version"},
    {"lgpl-3.0", "agpl-3.0", true, "by way of GPL 3"},
    {"mpl-2.0", "gpl", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"mpl-2.0", "gpl-2.0", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"mpl-2.0", "gpl-3.0", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"mpl-2.0", "lgpl-2.1", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"mpl-2.0", "lgpl-3.0", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"mpl-2.0", "agpl-3.0", true, "MPL 2.0, section 3.3: a secondary licence"},
    {"epl-1.0", "epl-2.0", true, "EPL 1.0, section 7: a later version may be chosen"},
    {"epl-2.0", "gpl", false, "only where the parent names the GPL as a secondary licence"},
    {"epl-2.0", "gpl-2.0", false, "only where the parent names the GPL as a secondary licence"},
    {"epl-2.0", "gpl-3.0", false, "only where the parent names the GPL as a secondary licence"},
    {"eupl-1.1", "eupl-1.2", true, "EUPL, section 13: a later version may be chosen"},
    {"eupl-1.1", "gpl-2.0", true, "EUPL 1.1, appendix"},
    {"eupl-1.1", "osl-3.0", true, "EUPL 1.1, appendix"},
    {"eupl-1.1", "epl-1.0", true, "EUPL 1.1, appendix"},
    {"eupl-1.2", "gpl-2.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "gpl-3.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "agpl-3.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "lgpl-2.1", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "lgpl-3.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "mpl-2.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "epl-1.0", true, "EUPL 1.2, appendix"},
    {"eupl-1.2", "osl-3.0", true, "EUPL 1.2, appendix"},
    {"cc-by-sa-3.0", "cc-by-sa-4.0", true, "section 4(b): a later version may be chosen"},
    {"cc-by-sa-4.0", "gpl-3.0", true, "GPL 3 is on Creative Commons' list of compatible licences"},
    {"cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", true, "section 4(b): a later version may be chosen"},
    {"cc-by-nc-sa-2.0", "cc-by-nc-sa-4.0", true, "section 4(b): a later version may be chosen"},
    {"cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", true, "section 4(b): a later version may be chosen"},
};

CompatVerdict KeepsLicence(const Licence& child, const Licence& parent) {
  if (child.id == parent.id)
    return Allowed("same-licence", "The derived work keeps the parent's licence.", parent);
  for (const Takeover& takeover : kTakeovers) {
    if (takeover.parent != parent.id || takeover.child != child.id) continue;
    std::string text = std::string(parent.name) + " to " + std::string(child.name) + ": " +
                       std::string(takeover.why) + ".";
    if (!takeover.sure) return Unknown("version", std::move(text), parent);
    CompatVerdict verdict = Allowed("takeover", std::move(text), parent);
    std::erase(verdict.duties, "keep the derived part under the same licence");
    if (verdict.duties.empty()) verdict.verdict = Compatibility::kOk;
    return verdict;
  }
  bool data =
      parent.cls == LicenceClass::kDataShareAlike || parent.cls == LicenceClass::kNonCommercial;
  std::string rule = data                                        ? "share-alike"
                     : parent.cls == LicenceClass::kWeakCopyleft ? "weak-copyleft"
                                                                 : "copyleft";
  return Conflict(rule,
                  std::string(parent.name) + " asks that what is derived from it stays under it; " +
                      std::string(child.name) + " is another licence.",
                  parent);
}

// --- the rules, in the order in which they are asked; nullopt = does not apply

using Rule = std::optional<CompatVerdict> (*)(const Licence& child, const Licence& parent,
                                              Relation relation);

std::optional<CompatVerdict> DatasetRule(const Licence& child, const Licence& parent,
                                         Relation relation) {
  if (relation != Relation::kDataset) return std::nullopt;
  if (parent.cls >= LicenceClass::kOther) {
    return Verdict(Compatibility::kWarning, "data-unknown",
                   "The terms of this data set are not known.", parent);
  }
  bool wider = child.Has(kMayUseCommercially) || child.cls >= LicenceClass::kOther;
  bool limits = !parent.Has(kMayModify) || parent.Has(kMustKeepLicence) ||
                (!parent.Has(kMayUseCommercially) && wider) ||
                (parent.Has(kMustPassLimits) && parent.id != "c-uda");
  if (!limits)
    return Allowed("data", "The data set's licence sets no limits for a model trained on it.",
                   parent);
  return Verdict(Compatibility::kWarning, "data-unsettled",
                 "Whether a model is derived from the data it was trained on is not settled; if it "
                 "is, " +
                     std::string(parent.name) + " binds the model.",
                 parent);
}

std::optional<CompatVerdict> PublicDomainRule(const Licence&, const Licence& parent, Relation) {
  if (parent.cls != LicenceClass::kPublicDomain) return std::nullopt;
  return Allowed("public-domain", "The parent asks for nothing.", parent);
}

std::optional<CompatVerdict> UnknownParentRule(const Licence&, const Licence& parent, Relation) {
  if (parent.cls < LicenceClass::kOther) return std::nullopt;
  return Unknown("parent-not-known",
                 parent.id == "other" ? "The parent stands under a licence of its own: read it."
                                      : "The parent's licence is not known.",
                 parent);
}

std::optional<CompatVerdict> NoDerivativesRule(const Licence& child, const Licence& parent,
                                               Relation relation) {
  if (parent.Has(kMayModify)) return std::nullopt;
  if (relation != Relation::kCopy) {
    return Conflict(
        "no-derivatives",
        std::string(parent.name) + " allows copies, but nothing changed to be passed on.", parent);
  }
  if (child.id == parent.id)
    return Allowed("same-licence", "A copy under the same licence.", parent);
  if (child.cls >= LicenceClass::kOther) return std::nullopt;
  return Conflict("no-derivatives", "A copy keeps the licence of what it is a copy of.", parent);
}

std::optional<CompatVerdict> UnknownChildRule(const Licence& child, const Licence& parent,
                                              Relation) {
  if (child.cls < LicenceClass::kOther) return std::nullopt;
  return Unknown("child-not-known",
                 child.id == "other"
                     ? "This repository stands under a licence of its own: compare it "
                       "with what the parent asks."
                     : "This repository does not say its licence; the parent's "
                       "terms hold in any case.",
                 parent);
}

// A file of its own that holds nothing of the parent's.
std::optional<CompatVerdict> AdapterRule(const Licence& child, const Licence& parent,
                                         Relation relation) {
  if (relation != Relation::kAdapter || child.id == parent.id || IsFree(parent.cls))
    return std::nullopt;
  CompatVerdict verdict = Allowed(
      "adapter",
      "The adapter may have a licence of its own; whoever uses it with its base is bound by " +
          std::string(parent.name) + " as well.",
      parent);
  std::erase(verdict.duties, "keep the derived part under the same licence");
  verdict.duties.push_back("say that the base's licence holds for the two together");
  verdict.verdict = Compatibility::kDuty;
  return verdict;
}

std::optional<CompatVerdict> NonCommercialRule(const Licence& child, const Licence& parent,
                                               Relation) {
  if (parent.Has(kMayUseCommercially)) return std::nullopt;
  if (child.Has(kMayUseCommercially)) {
    return Conflict("nc-parent",
                    std::string(parent.name) + " excludes commercial use; " +
                        std::string(child.name) + " grants it.",
                    parent);
  }
  if (parent.Has(kMustKeepLicence)) return KeepsLicence(child, parent);
  bool research = parent.cls == LicenceClass::kResearchOnly;
  if (research && child.id != parent.id && child.cls != LicenceClass::kResearchOnly) {
    return Conflict("research-only",
                    std::string(parent.name) + " allows research only; " + std::string(child.name) +
                        " allows more.",
                    parent);
  }
  if (research && child.id != parent.id) {
    return Unknown("research-terms",
                   "Both allow research only, in terms of their own: compare them.", parent);
  }
  return Allowed("non-commercial", "Both exclude commercial use.", parent);
}

std::optional<CompatVerdict> KeepLicenceRule(const Licence& child, const Licence& parent,
                                             Relation) {
  if (!parent.Has(kMustKeepLicence) || parent.cls == LicenceClass::kCommunity) return std::nullopt;
  return KeepsLicence(child, parent);
}

std::optional<CompatVerdict> RailRule(const Licence& child, const Licence& parent, Relation) {
  if (parent.cls != LicenceClass::kRail) return std::nullopt;
  if (child.id == parent.id)
    return Allowed("same-licence", "The limits of use are passed on by the same licence.", parent);
  if (child.cls == LicenceClass::kRail) {
    return Allowed("rail",
                   "Both limit uses, by lists of their own: the parent's list must be among "
                   "the child's.",
                   parent);
  }
  return Conflict("rail-dropped",
                  std::string(parent.name) +
                      " limits uses and asks that the limits are passed on; " +
                      std::string(child.name) + " does not hold them.",
                  parent);
}

std::optional<CompatVerdict> CommunityRule(const Licence& child, const Licence& parent, Relation) {
  if (parent.cls != LicenceClass::kCommunity) return std::nullopt;
  if (child.id == parent.id)
    return Allowed("same-licence", "The derived work keeps the parent's agreement.", parent);
  // One's own changes may be limited further; the agreement goes along all the same.
  if (!child.Has(kMayUseCommercially)) {
    return Allowed(
        "community-narrowed",
        "Own changes may be limited further; " + std::string(parent.name) + " holds for the rest.",
        parent);
  }
  bool version = IsLlama(parent) && IsLlama(child);
  return Conflict(version ? "community-version" : "community-dropped",
                  std::string(parent.name) + " must go along with what is derived from it; " +
                      std::string(child.name) +
                      (version ? " is that of another release." : " grants more than it does."),
                  parent);
}

std::optional<CompatVerdict> VendorRule(const Licence&, const Licence& parent, Relation) {
  if (parent.cls != LicenceClass::kVendorTerms) return std::nullopt;
  return Allowed("vendor-terms",
                 "Its terms go along with what is derived from it, whatever licence that has.",
                 parent);
}

std::optional<CompatVerdict> FreeParentRule(const Licence& child, const Licence& parent, Relation) {
  if (parent.cls == LicenceClass::kDataAttribution && child.cls == LicenceClass::kPublicDomain) {
    return Conflict("attribution-dropped",
                    std::string(parent.name) + " asks for attribution; " + std::string(child.name) +
                        " asks for none.",
                    parent);
  }
  if (parent.id == "c-uda" && child.id != "c-uda") {
    return Conflict("limits-dropped", "Whoever gets the data must be bound to computational use.",
                    parent);
  }
  if (IsOneOf(parent.id, {"apache-2.0", "ecl-2.0"}) && child.id == "gpl-2.0") {
    return Unknown("apache-gpl2",
                   "Its terms on patents go with GPL 3, not with GPL 2 alone: only where the child "
                   "says \"or later\".",
                   parent);
  }
  return Allowed("free-parent", "The parent leaves the licence of what is derived from it open.",
                 parent);
}

constexpr Rule kRules[] = {DatasetRule,      PublicDomainRule, UnknownParentRule, NoDerivativesRule,
                           UnknownChildRule, AdapterRule,      NonCommercialRule, KeepLicenceRule,
                           RailRule,         CommunityRule,    VendorRule,        FreeParentRule};

const Licence& RowOf(std::string_view id) {
  const Licence* licence = FindLicence(id);
  return licence != nullptr ? *licence : UnknownLicence();
}

}  // namespace

std::string_view RelationName(Relation relation) {
  static constexpr std::string_view kNames[] = {"copy",    "converted", "quantized", "finetune",
                                                "adapter", "merge",     "dataset"};
  return kNames[static_cast<size_t>(relation)];
}

std::string_view CompatibilityName(Compatibility verdict) {
  static constexpr std::string_view kNames[] = {"ok", "duty", "warning", "unknown", "conflict"};
  return kNames[static_cast<size_t>(verdict)];
}

Json ToJson(const CompatVerdict& verdict) {
  Json json = Json::Obj({{"verdict", CompatibilityName(verdict.verdict)},
                         {"rule", verdict.rule},
                         {"text", verdict.text}});
  if (!verdict.place.empty()) json.Set("place", verdict.place);
  json.Set("duties", Json(verdict.duties));
  return json;
}

CompatVerdict Compat(const Licence& child, const Licence& parent, Relation relation) {
  for (Rule rule : kRules) {
    if (std::optional<CompatVerdict> verdict = rule(child, parent, relation)) return *verdict;
  }
  return Unknown("no-rule", "No rule speaks of these two.", parent);
}

CompatVerdict Compat(std::string_view child, std::string_view parent, Relation relation) {
  return Compat(RowOf(child), RowOf(parent), relation);
}

CompatVerdict CompatOfParents(const Licence& a, const Licence& b) {
  if (a.cls >= LicenceClass::kOther || b.cls >= LicenceClass::kOther)
    return Unknown("parent-not-known", "One of the parents' licences is not known.", a);
  bool unsure = false;
  for (const Licence& child : AllLicences()) {
    if (child.cls >= LicenceClass::kOther) continue;
    Compatibility of_a = Compat(child, a, Relation::kMerge).verdict;
    Compatibility of_b = Compat(child, b, Relation::kMerge).verdict;
    if (of_a == Compatibility::kConflict || of_b == Compatibility::kConflict) continue;
    if (of_a != Compatibility::kUnknown && of_b != Compatibility::kUnknown) {
      return Verdict(Compatibility::kOk, "merge", "There are licences that both parents allow.", a);
    }
    unsure = true;
  }
  if (unsure) {
    return Unknown("merge",
                   "Whether both parents allow one licence depends on what their authors "
                   "said beyond the id.",
                   a);
  }
  return Conflict("merge-pair",
                  std::string(a.name) + " and " + std::string(b.name) +
                      ": no known licence satisfies both parents.",
                  a);
}

void Meet(const Licence& licence, Effective* effective) {
  if (std::find(effective->ids.begin(), effective->ids.end(), licence.id) == effective->ids.end())
    effective->ids.emplace_back(licence.id);
  if (licence.cls >= LicenceClass::kOther) {
    effective->complete = false;
    effective->cls = std::max(effective->cls, licence.cls);
    return;
  }
  LicenceFlags may = effective->flags & licence.flags & kAllMay;
  LicenceFlags must = (effective->flags | licence.flags) & ~kAllMay;
  effective->flags = may | must;
  effective->cls = std::max(effective->cls, licence.cls);
}

}  // namespace hearth::inspector
