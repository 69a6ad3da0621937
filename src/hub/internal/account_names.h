// Which names an account may have. Pure.
#pragma once

#include <string_view>

namespace hearth::hub {

// Whose account it will be: a site administrator may be called "admin".
enum class NameFor { kAnybody, kSiteAdmin };

// Names that are the first segment of a page or API path, or likely to become one (an account
// "datasets" would hide /datasets/{ns}/{name}), and names that claim authority. Any case.
bool IsReservedAccountName(std::string_view name, NameFor whom);
// Throws kInvalidArgument for an illegal name and kConflict for a reserved one.
void CheckAccountName(std::string_view name, NameFor whom);

}  // namespace hearth::hub
