// Bytes as text: hexadecimal, and small helpers on ASCII strings that several layers need.
// All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

std::string HexEncode(std::string_view bytes);
// Lower or upper case; nullopt for an odd length or a non-hex character.
std::optional<std::string> HexDecode(std::string_view hex);
bool IsLowerHex(std::string_view text);

std::string AsciiLower(std::string_view text);
void AsciiLowerInPlace(std::string* text);
bool AsciiEqualsIgnoreCase(std::string_view a, std::string_view b);
std::string_view TrimAscii(std::string_view text);
// Splits at every separator; empty pieces are kept. Split("", ',') is one empty piece.
std::vector<std::string_view> Split(std::string_view text, char separator);
// Whole string must be a decimal number without sign that fits; nullopt otherwise.
std::optional<uint64_t> ParseUint(std::string_view text);
std::optional<int64_t> ParseInt(std::string_view text);
// Compares secrets without an early exit; lengths may leak.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace hearth
