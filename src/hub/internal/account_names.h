// Which names an account may have. Pure.
#pragma once

#include <string_view>

namespace hearth::hub {

// Names that are the first segment of a page or API path, or likely to become one: an account
// "datasets" would hide /datasets/{ns}/{name}. Any case.
bool IsReservedAccountName(std::string_view name);
// Throws kInvalidArgument for an illegal name and kConflict for a reserved one.
void CheckAccountName(std::string_view name);

}  // namespace hearth::hub
