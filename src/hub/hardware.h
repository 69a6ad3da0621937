// The machines that a user has written down as theirs: what "does it fit" is answered for when
// nobody names a device. They are the user's own and shown to nobody else. Plain functions over the
// database; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/fit/devices.h"
#include "storage/db/database.h"

namespace hearth::hub {

inline constexpr size_t kMaxDevicesOfUser = 16;

// In the user's order; empty for a visitor (id 0). Devices of the table have what the present table
// says of them.
std::vector<inspector::Device> HardwareOf(storage::Database& db, int64_t user_id);
// Replaces the list. kInvalidArgument for more than kMaxDevicesOfUser and for a device that
// inspector::CheckDevice refuses; of two with one name the first stays.
void SaveHardware(storage::Database& db, int64_t user_id, std::vector<inspector::Device> devices);
// One more, at the end; kConflict when one of this name is there or the list is full.
void AddHardware(storage::Database& db, int64_t user_id, const inspector::Device& device);
// Without the device of this name; nothing happens when there is none.
void RemoveHardware(storage::Database& db, int64_t user_id, std::string_view name);

// {"name", "maker", "kind", "memory_bytes", "usable_bytes", "bandwidth_gbs", "known", "spec"}: spec
// is what ?device= and ?fits= take.
Json ToJson(const inspector::Device& device);
// The reverse, or a text as inspector::ParseDevice takes it. kInvalidArgument.
inspector::Device DeviceFromJson(const Json& json);

}  // namespace hearth::hub
