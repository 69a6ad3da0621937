// What is searched: one document a repository. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::search {

// In the order of what a match is worth.
enum class Field : uint8_t { kName, kTags, kHeadings, kBody, kFiles, kCode };
inline constexpr size_t kFields = 6;

struct FieldRule {
  std::string_view name;  // in answers
  float weight;           // of one occurrence, before saturation
  float typical_words;    // a field of this length is neither short nor long
  float length_share;     // b of BM25: 0 = length does not matter
  size_t max_bytes;       // longer texts are cut: a book in a README is no better an answer
};
// A word of the name says what a repository is, a word of its code hardly anything. Length matters
// little for names, where each word was chosen.
inline constexpr FieldRule kFieldRules[kFields] = {
    {"name", 6.0f, 4, 0.3f, 512},          {"tags", 3.0f, 12, 0.3f, 8 << 10},
    {"headings", 2.0f, 30, 0.5f, 8 << 10}, {"card", 1.0f, 300, 0.75f, 96 << 10},
    {"files", 0.7f, 30, 0.6f, 16 << 10},   {"code", 0.4f, 400, 0.75f, 96 << 10}};
inline const FieldRule& RuleOf(Field field) { return kFieldRules[static_cast<size_t>(field)]; }

struct Document {
  uint32_t id = 0;     // of the repository
  uint64_t stamp = 0;  // of the state that it was made from
  std::array<std::string, kFields> fields;

  std::string& operator[](Field field) { return fields[static_cast<size_t>(field)]; }
  const std::string& operator[](Field field) const { return fields[static_cast<size_t>(field)]; }
};

// How much of BM25 is left after many occurrences: k1.
inline constexpr float kSaturation = 1.2f;

}  // namespace hearth::search
