// Texts of licences as comparable words: what people change when they copy one (case, punctuation,
// line breaks, quotes, Markdown, the copyright line) is gone. tools/licence_prints.py does the
// same: a change here is a change there, and the prints are made anew. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::inspector {

// Words in a row that are hashed together. Four are shared by chance between legal texts, at six a
// single edited word spoils too much.
inline constexpr size_t kShingleWords = 5;

// Lower-case ASCII letters and digits; everything else separates. Lines that begin with "copyright"
// are left out, so are numbers of list items; "licence" is spelled "license". At most `max_words`.
std::vector<std::string> LicenceWords(std::string_view text, size_t max_words = 200'000);
// Of the kShingleWords words from `at`, or what is left of them.
uint32_t ShingleAt(const std::vector<std::string>& words, size_t at);
// Hashes of every kShingleWords words in a row, sorted, each once. A text with fewer words has one.
std::vector<uint32_t> Shingles(const std::vector<std::string>& words);

}  // namespace hearth::inspector
