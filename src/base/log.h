// Structured log lines: one JSON object or one readable line per event. Never pass secrets: tokens,
// passwords, cookies, signed URLs. Thread-safe.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hearth::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kText, kJson };

// Call once at start; the default is text at level info on standard error. `file` empty = stderr.
void Configure(Level level, Format format, const std::string& file = "");

// A name and a value; numbers and booleans stay bare in JSON.
struct Field {
  Field(std::string_view key, std::string text) : key(key), text(std::move(text)) {}
  Field(std::string_view key, bool value) : key(key), text(value ? "true" : "false"), bare(true) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view key, T value)
      : key(key), text(std::to_string(value)), bare(true) {}
  Field(std::string_view key, double value);  // three decimals
  // A pointer would otherwise turn into a bool.
  Field(std::string_view key, const char* text) : key(key), text(text) {}

  std::string_view key;
  std::string text;
  bool bare = false;
};
void Write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void Debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kWarning, message, fields);
}
inline void LogError(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kError, message, fields);
}

}  // namespace hearth::log
