// One content under every rule: what runs when it is loaded (formats/scan), and secrets in text.
// Executes nothing; bounded memory. Errors of the source (kInternal, kUnavailable, ...) pass.
#pragma once

#include <string>

#include "codec/json.h"
#include "formats/source/source.h"
#include "hub/safety/safety.h"

namespace hearth::hub {

struct ContentVerdict {
  SafetyState state = SafetyState::kSafe;  // kSafe, kCaution, kSuspicious or kUnsafe
  Json report;                             // of FileSafety
};
// `kind` of SafetyKey.
ContentVerdict ScanContent(ByteSource& source, const std::string& kind);

}  // namespace hearth::hub
