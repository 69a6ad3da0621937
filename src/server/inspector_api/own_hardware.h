// The devices that a request is judged by when it names "mine", or none: those that the caller has
// listed in the settings (hub/hardware.h). Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "hub/inspector/fit/devices.h"
#include "server/route.h"

namespace hearth::server {

// What ?device= takes beside inspector::ParseDevice's words.
inline constexpr std::string_view kNode = "node";  // the machine of this hub
inline constexpr std::string_view kMine = "mine";  // OwnHardware

// Empty for visitors and for who has listed none.
std::vector<inspector::Device> OwnHardware(const Context& context);

}  // namespace hearth::server
