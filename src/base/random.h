// Unpredictable bytes from the operating system. Thread-safe.
#pragma once

#include <string>

namespace hearth {

// `count` random bytes; throws Error{kInternal} when the system gives none.
std::string RandomBytes(size_t count);
// `length` characters of [A-Za-z0-9]: about 5.95 bits each.
std::string RandomAlphanumeric(size_t length);
// 24 lower-case hex digits, the form of every `_id` on the wire; starts with the time so ids sort.
std::string NewObjectId();

}  // namespace hearth
