// The vocabulary of cards: tasks, libraries, licences, languages (hub/tag_tables.inc). Constant
// data; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace hearth::hub {

struct LibraryEntry {
  std::string_view id;
  std::string_view label;
};

std::span<const LibraryEntry> KnownLibraries();
std::string_view LibraryLabel(std::string_view id);  // "" when unknown
bool IsKnownLibrary(std::string_view id);
bool IsKnownLicense(std::string_view id);
// English name of a two-letter code; "" when unknown.
std::string_view LanguageName(std::string_view code);
// A code of the table, any three-letter code (ISO 639-3), or either with a script or region
// ("zh-Hans", "pt-BR").
bool IsKnownLanguage(std::string_view code);

}  // namespace hearth::hub
