#include "hub/inspector/licences/compat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace hearth::inspector {
namespace {

struct Case {
  std::string_view child;
  std::string_view parent;
  Relation relation;
  Compatibility verdict;
  std::string_view rule;
};

constexpr Case kCases[] = {
#define CASE(child, parent, relation, verdict, rule) \
  {child, parent, Relation::relation, Compatibility::verdict, rule},
#include "hub/inspector/licences/compat_cases.inc"
#undef CASE
};

TEST(Compat, HandCheckedTriples) {
  EXPECT_GE(std::size(kCases), 150u);
  for (const Case& c : kCases) {
    CompatVerdict verdict = Compat(c.child, c.parent, c.relation);
    EXPECT_EQ(CompatibilityName(verdict.verdict), CompatibilityName(c.verdict))
        << c.child << " <- " << c.parent << " (" << RelationName(c.relation)
        << "): " << verdict.text;
    EXPECT_EQ(verdict.rule, c.rule)
        << c.child << " <- " << c.parent << " (" << RelationName(c.relation) << ")";
    EXPECT_FALSE(verdict.text.empty());
  }
}

// Whatever two licences meet, the answer is complete: a rule, a sentence, the clause's place for a
// conflict, and no duty without something to do.
TEST(Compat, EveryPairOfLicencesHasAnAnswer) {
  for (const Licence& child : AllLicences()) {
    for (const Licence& parent : AllLicences()) {
      for (int relation = 0; relation <= static_cast<int>(Relation::kDataset); ++relation) {
        CompatVerdict verdict = Compat(child, parent, static_cast<Relation>(relation));
        EXPECT_NE(verdict.rule, "no-rule") << child.id << " <- " << parent.id;
        if (verdict.verdict == Compatibility::kConflict) {
          EXPECT_FALSE(verdict.place.empty()) << child.id << " <- " << parent.id;
          EXPECT_NE(static_cast<Relation>(relation), Relation::kDataset);
        }
        if (verdict.verdict == Compatibility::kDuty) {
          EXPECT_FALSE(verdict.duties.empty()) << child.id << " <- " << parent.id;
        }
      }
    }
  }
}

// A derived work may always keep the licence that it came under, unless that forbids derived works.
TEST(Compat, KeepingTheLicenceIsNeverAConflict) {
  for (const Licence& licence : AllLicences()) {
    if (licence.cls >= LicenceClass::kOther || !licence.Has(kMayModify)) continue;
    EXPECT_NE(Compat(licence, licence, Relation::kFinetune).verdict, Compatibility::kConflict)
        << licence.id;
  }
}

TEST(Compat, LlamaAsksForItsNameItsAgreementAndItsPolicy) {
  std::vector<std::string> duties = Compat("llama3.1", "llama3.1", Relation::kFinetune).duties;
  auto has = [&](std::string_view part) {
    return std::any_of(duties.begin(), duties.end(), [&](const std::string& duty) {
      return duty.find(part) != std::string::npos;
    });
  };
  EXPECT_TRUE(has("Built with Llama"));
  EXPECT_TRUE(has("begin with \"Llama\""));
  EXPECT_TRUE(has("copy of its agreement"));
  EXPECT_TRUE(has("limits of use"));
  EXPECT_TRUE(has("threshold"));
}

TEST(Compat, ParentsOfAMergeMustLeaveOneLicence) {
  auto pair = [](std::string_view a, std::string_view b) {
    return CompatOfParents(*FindLicence(a), *FindLicence(b)).verdict;
  };
  EXPECT_EQ(pair("mit", "apache-2.0"), Compatibility::kOk);
  EXPECT_EQ(pair("mit", "cc-by-nc-4.0"), Compatibility::kOk);
  EXPECT_EQ(pair("llama3", "mit"), Compatibility::kOk);
  EXPECT_EQ(pair("gpl-3.0", "apache-2.0"), Compatibility::kOk);
  EXPECT_EQ(pair("gpl-3.0", "agpl-3.0"), Compatibility::kOk);
  EXPECT_EQ(pair("gpl-3.0", "cc-by-nc-4.0"), Compatibility::kConflict);
  EXPECT_EQ(pair("gpl-3.0", "llama2"), Compatibility::kConflict);
  EXPECT_EQ(pair("cc-by-sa-4.0", "cc-by-nc-4.0"), Compatibility::kConflict);
  EXPECT_EQ(pair("creativeml-openrail-m", "cc-by-nc-4.0"), Compatibility::kConflict);
  EXPECT_EQ(pair("gpl-2.0", "gpl-3.0"), Compatibility::kUnknown);
  EXPECT_EQ(pair("cc-by-nd-4.0", "mit"), Compatibility::kConflict);
  EXPECT_EQ(pair("mit", "other"), Compatibility::kUnknown);
  for (const Licence& a : AllLicences()) {
    for (const Licence& b : AllLicences()) {
      EXPECT_EQ(CompatOfParents(a, b).verdict, CompatOfParents(b, a).verdict)
          << a.id << " " << b.id;
    }
  }
}

TEST(Effective, TheMeetHasTheRightsOfBothAndTheDutiesOfEither) {
  Effective effective;
  Meet(*FindLicence("apache-2.0"), &effective);
  Meet(*FindLicence("llama3.1"), &effective);
  EXPECT_EQ(effective.cls, LicenceClass::kCommunity);
  EXPECT_TRUE((effective.flags & kMayUseCommercially) != 0);
  EXPECT_TRUE((effective.flags & kMustName) != 0);
  Meet(*FindLicence("cc-by-nc-4.0"), &effective);
  EXPECT_EQ(effective.cls, LicenceClass::kNonCommercial);
  EXPECT_FALSE((effective.flags & kMayUseCommercially) != 0);
  EXPECT_TRUE((effective.flags & kMustName) != 0);
  EXPECT_TRUE(effective.complete);
  Meet(UnknownLicence(), &effective);
  EXPECT_FALSE(effective.complete);
  EXPECT_EQ(effective.ids,
            (std::vector<std::string>{"apache-2.0", "llama3.1", "cc-by-nc-4.0", "unknown"}));
}

TEST(Licences, EveryRowIsWhole) {
  std::set<std::string_view> ids;
  for (const Licence& licence : AllLicences()) {
    EXPECT_TRUE(ids.insert(licence.id).second) << licence.id;
    EXPECT_FALSE(licence.name.empty());
    bool known = licence.cls < LicenceClass::kOther;
    EXPECT_EQ(known, licence.Has(kMayRedistribute)) << licence.id;
    bool research = HeadlineOf(licence.cls) == LicenceHeadline::kResearchOnly;
    EXPECT_EQ(known && !research, licence.Has(kMayUseCommercially)) << licence.id;
    if (licence.cls == LicenceClass::kRail) EXPECT_TRUE(licence.Has(kMustPassLimits));
    if (licence.cls == LicenceClass::kCommunity) EXPECT_TRUE(licence.Has(kHasUserCap));
  }
  EXPECT_EQ(ids.size(), 83u);
  EXPECT_EQ(FindLicence("GPL-3.0-or-later"), FindLicence("gpl-3.0"));
  EXPECT_EQ(FindLicence("Apache-2.0")->id, "apache-2.0");
  EXPECT_EQ(FindLicence("no such licence"), nullptr);
}

}  // namespace
}  // namespace hearth::inspector
