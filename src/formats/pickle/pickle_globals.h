// What a global of a pickle means for whoever loads it. A pickle names globals (module and
// attribute); the loader imports the module and the pickle then calls the attribute with arguments
// of its choice.
//
// Default deny: kSafe needs a line in the table, kDangerous is known to reach code, files,
// processes or the network, everything else is kSuspicious, because importing and calling an
// unknown thing cannot be judged from its name. Pure and thread-safe.
#pragma once

#include <string_view>

namespace hearth {

enum class GlobalClass { kSafe, kSuspicious, kDangerous };
std::string_view GlobalClassName(GlobalClass value);  // "safe", "suspicious", "dangerous"

// `name` may be a dotted path (protocol 4). Names of Python 2 are taken as what Python 3 maps them
// to.
GlobalClass ClassifyGlobal(std::string_view module, std::string_view name);

// A sentence for people: why a global of this class is reported and what to do. Empty for safe
// ones.
std::string_view GlobalAdvice(GlobalClass value);

}  // namespace hearth
