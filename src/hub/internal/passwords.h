// Password hashes: argon2id in the encoded form "$argon2id$v=19$m=...". Thread-safe; each call
// takes tens of milliseconds and kPasswordMemoryKib of memory on purpose, so at most
// kPasswordsAtOnce run at the same time, as many wait, and the rest are refused (kUnavailable).
#pragma once

#include <string>
#include <string_view>

namespace hearth::hub {

// OWASP's smallest recommended argon2id setting: 19 MiB, two passes, one lane.
inline constexpr unsigned kPasswordMemoryKib = 19456;
inline constexpr unsigned kPasswordPasses = 2;
inline constexpr unsigned kPasswordLanes = 1;
inline constexpr int kPasswordsAtOnce = 4;  // 76 MiB at most, whatever arrives
inline constexpr size_t kMinPasswordBytes = 8;
inline constexpr size_t kMaxPasswordBytes = 1024;

// Throws kInvalidArgument with the rule that is broken.
void CheckPassword(std::string_view password);
std::string HashPassword(std::string_view password);
// Constant time in the password. An `encoded` that is empty or no argon2id hash never matches, but
// takes as long as one that does: the time does not tell whether an account exists.
bool VerifyPassword(std::string_view encoded, std::string_view password);

}  // namespace hearth::hub
