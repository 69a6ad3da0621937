// fp32 numbers as JSON text. Pure, thread-safe.
#pragma once

#include <cstddef>

namespace hearth {

// Room that AppendFloat may need: "-1.17549435e-38".
constexpr size_t kFloatTextBytes = 15;

// Writes the shortest text that reads back as the same value, of several the nearest: that of
// std::to_chars, with ".0" behind a whole number so that it stays a real for clients that look.
// What is not finite is null. Gives the end of it.
char* AppendFloat(char* at, float value);

}  // namespace hearth
