#include "server/pages/device_rows.h"

#include <string>

#include "hub/inspector/fit/devices.h"

namespace hearth::server {

const Json& KnownDeviceRows() {
  static const Json devices = [] {
    Json rows = Json::Arr();
    for (const inspector::Device& device : inspector::KnownDevices()) {
      std::string gib = std::to_string(device.memory_bytes >> 30) + " GiB";
      rows.Push(Json::Obj({{"name", device.name}, {"memory", device.maker + ", " + gib}}));
    }
    return rows;
  }();
  return devices;
}

}  // namespace hearth::server
