// What a licence id stands for: one row for each id that cards may carry, with its class, what it
// allows and what it asks. A reading aid, not legal advice. Constant data; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::inspector {

inline constexpr std::string_view kLicenceBanner = "A reading aid, not legal advice.";

// From least to most binding, as far as classes can be put in a row; unknown things come last.
enum class LicenceClass {
  kPublicDomain,
  kPermissive,
  kPermissivePatent,  // with a grant of patents
  kDataAttribution,   // made for data or content, asks for attribution
  kWeakCopyleft,
  kDataShareAlike,
  kStrongCopyleft,
  kNetworkCopyleft,
  kRail,         // allowed but for listed uses, and the list must be passed on
  kVendorTerms,  // a company's own terms of use
  kCommunity,    // a company's terms with a threshold (users, revenue)
  kNoDerivatives,
  kNonCommercial,
  kResearchOnly,
  kOther,    // the card says "other"
  kUnknown,  // nobody says
};
std::string_view ClassName(LicenceClass cls);  // "permissive", "strong copyleft", ...

// One word for a badge.
enum class LicenceHeadline { kPermissive, kRestricted, kResearchOnly, kUnknown };
std::string_view HeadlineName(LicenceHeadline headline);
LicenceHeadline HeadlineOf(LicenceClass cls);

// What a licence allows (kMay...) and asks (kMust...), as bits.
using LicenceFlags = uint32_t;
inline constexpr LicenceFlags kMayUseCommercially = 1 << 0;
inline constexpr LicenceFlags kMayModify = 1 << 1;
inline constexpr LicenceFlags kMayRedistribute = 1 << 2;
inline constexpr LicenceFlags kMustAttribute = 1 << 3;
inline constexpr LicenceFlags kMustKeepLicence = 1 << 4;  // derivatives under the same licence
inline constexpr LicenceFlags kMustPassLimits = 1 << 5;   // limits of use go with derivatives
inline constexpr LicenceFlags kMustName = 1 << 6;         // a name or a line to be shown
inline constexpr LicenceFlags kHasUserCap = 1 << 7;       // ends at a number of users or a revenue
inline constexpr LicenceFlags kNeedsAcceptance = 1 << 8;  // must be accepted before the download
inline constexpr LicenceFlags kAllMay = kMayUseCommercially | kMayModify | kMayRedistribute;

struct Licence {
  std::string_view id;    // as on cards: "apache-2.0"
  std::string_view name;  // "Apache License 2.0"
  std::string_view spdx;  // SPDX identifier; "" = it has none
  LicenceClass cls;
  LicenceFlags flags;
  std::string_view place;  // where in its text the clause stands that binds derivatives; may be ""
  std::string_view note;   // what the flags cannot say; may be ""

  bool Has(LicenceFlags flag) const { return (flags & flag) == flag; }
};

std::span<const Licence> AllLicences();
// By id or SPDX identifier, without case; nullptr when there is no such row.
const Licence* FindLicence(std::string_view id);
// The row of "unknown".
const Licence& UnknownLicence();

// {"commercial": bool, "modify": bool, "redistribute": bool}
Json MayJson(LicenceFlags flags);
// {"attribution": bool, "sameLicence", "useLimits", "naming", "userCap", "acceptance"}
Json DutiesJson(LicenceFlags flags);
// {"id", "name", "spdx"?, "class", "headline", "may", "duties", "place"?, "note"?}
Json ToJson(const Licence& licence);

}  // namespace hearth::inspector
