#include "hub/inspector/licences/licence.h"

#include <unordered_map>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

// The letters of licences.inc; an unknown one does not compile.
consteval LicenceFlags Letters(std::string_view may, std::string_view duties) {
  LicenceFlags flags = 0;
  for (char c : may) {
    flags |= c == 'C'   ? kMayUseCommercially
             : c == 'M' ? kMayModify
             : c == 'R' ? kMayRedistribute
                        : throw "a letter of C, M, R";
  }
  for (char c : duties) {
    flags |= c == 'A'   ? kMustAttribute
             : c == 'S' ? kMustKeepLicence
             : c == 'L' ? kMustPassLimits
             : c == 'N' ? kMustName
             : c == 'U' ? kHasUserCap
             : c == 'Y' ? kNeedsAcceptance
                        : throw "a letter of A, S, L, N, U, Y";
  }
  return flags;
}

constexpr Licence kLicences[] = {
#define HEARTH_LICENCE(id, name, spdx, cls, may, duties, place, note) \
  {id, name, spdx, LicenceClass::cls, Letters(may, duties), place, note},
#include "hub/inspector/licences/licences.inc"
#undef HEARTH_LICENCE
};

struct FlagName {
  LicenceFlags flag;
  const char* name;
};
constexpr FlagName kMayNames[] = {{kMayUseCommercially, "commercial"},
                                  {kMayModify, "modify"},
                                  {kMayRedistribute, "redistribute"}};
constexpr FlagName kDutyNames[] = {
    {kMustAttribute, "attribution"}, {kMustKeepLicence, "sameLicence"},
    {kMustPassLimits, "useLimits"},  {kMustName, "naming"},
    {kHasUserCap, "userCap"},        {kNeedsAcceptance, "acceptance"}};

template <size_t N>
Json NamedFlags(LicenceFlags flags, const FlagName (&names)[N]) {
  Json json = Json::Obj();
  for (const FlagName& entry : names) json.Set(entry.name, (flags & entry.flag) != 0);
  return json;
}

}  // namespace

std::string_view ClassName(LicenceClass cls) {
  static constexpr std::string_view kNames[] = {
      "public domain",    "permissive",       "permissive+patent",
      "data attribution", "weak copyleft",    "data share-alike",
      "strong copyleft",  "network copyleft", "RAIL",
      "vendor terms",     "community",        "no derivatives",
      "non-commercial",   "research only",    "other",
      "unknown"};
  return kNames[static_cast<size_t>(cls)];
}

std::string_view HeadlineName(LicenceHeadline headline) {
  static constexpr std::string_view kNames[] = {"permissive", "restricted", "research only",
                                                "unknown"};
  return kNames[static_cast<size_t>(headline)];
}

LicenceHeadline HeadlineOf(LicenceClass cls) {
  if (cls >= LicenceClass::kOther) return LicenceHeadline::kUnknown;
  if (cls >= LicenceClass::kNonCommercial) return LicenceHeadline::kResearchOnly;
  return cls <= LicenceClass::kDataAttribution ? LicenceHeadline::kPermissive
                                               : LicenceHeadline::kRestricted;
}

std::span<const Licence> AllLicences() { return kLicences; }

const Licence* FindLicence(std::string_view id) {
  static const auto* index = [] {
    auto* made = new std::unordered_map<std::string, const Licence*>;
    for (const Licence& licence : kLicences) {
      made->emplace(licence.id, &licence);
      if (licence.spdx.empty()) continue;
      std::string spdx = AsciiLower(licence.spdx);
      made->emplace(spdx, &licence);
      // The GNU licences' identifiers say whether later versions count.
      made->emplace(spdx + "-only", &licence);
      made->emplace(spdx + "-or-later", &licence);
      made->emplace(spdx + "+", &licence);
    }
    return made;
  }();
  auto found = index->find(AsciiLower(TrimAscii(id)));
  return found == index->end() ? nullptr : found->second;
}

const Licence& UnknownLicence() {
  static const Licence* unknown = FindLicence("unknown");
  return *unknown;
}

Json MayJson(LicenceFlags flags) { return NamedFlags(flags, kMayNames); }
Json DutiesJson(LicenceFlags flags) { return NamedFlags(flags, kDutyNames); }

Json ToJson(const Licence& licence) {
  Json json = Json::Obj({{"id", licence.id}, {"name", licence.name}});
  if (!licence.spdx.empty()) json.Set("spdx", licence.spdx);
  json.Set("class", ClassName(licence.cls));
  json.Set("headline", HeadlineName(HeadlineOf(licence.cls)));
  json.Set("may", MayJson(licence.flags));
  json.Set("duties", DutiesJson(licence.flags));
  if (!licence.place.empty()) json.Set("place", licence.place);
  if (!licence.note.empty()) json.Set("note", licence.note);
  return json;
}

}  // namespace hearth::inspector
