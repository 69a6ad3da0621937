// fp32 numbers as JSON text. Pure, thread-safe.
#pragma once

#include <cstddef>

namespace hearth {

// Room that AppendFloat may need: std::to_chars writes at most 15 characters ("-1.17549435e-38"),
// also of whole numbers, behind which ".0" comes.
constexpr size_t kFloatTextBytes = 17;

// Writes the shortest text that reads back as the same value, of several the nearest: that of
// std::to_chars, with ".0" behind a whole number so that it stays a real for clients that look.
// What is not finite is null. Gives the end of it.
char* AppendFloat(char* at, float value);

}  // namespace hearth
