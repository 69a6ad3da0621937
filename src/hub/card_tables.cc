#include "hub/internal/card_tables.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "hub/licenses.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

constexpr TaskEntry kTasks[] = {
#define HEARTH_TASK(id, label, group, libraries, summary) {id, label, group, libraries, summary},
#include "hub/tag_tables.inc"
};

constexpr LibraryEntry kLibraries[] = {
#define HEARTH_LIBRARY(id, label) {id, label},
#include "hub/tag_tables.inc"
};

constexpr std::string_view kLicenses[] = {
#define HEARTH_LICENSE(id) id,
#include "hub/tag_tables.inc"
};

bool AllLetters(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

const std::unordered_map<std::string_view, std::string_view>& Languages() {
  static const std::unordered_map<std::string_view, std::string_view> languages = {
#define HEARTH_LANGUAGE(code, name) {code, name},
#include "hub/tag_tables.inc"
  };
  return languages;
}

}  // namespace

std::span<const TaskEntry> KnownTasks() { return kTasks; }

const TaskEntry* FindTask(std::string_view id) {
  static const auto* index = [] {
    auto* made = new std::unordered_map<std::string_view, const TaskEntry*>;
    for (const TaskEntry& task : kTasks) made->emplace(task.id, &task);
    return made;
  }();
  auto found = index->find(id);
  return found == index->end() ? nullptr : found->second;
}

std::span<const LibraryEntry> KnownLibraries() { return kLibraries; }

std::string_view LibraryLabel(std::string_view id) {
  for (const LibraryEntry& library : kLibraries) {
    if (library.id == id) return library.label;
  }
  return {};
}

bool IsKnownLibrary(std::string_view id) { return !LibraryLabel(id).empty(); }

bool IsKnownLicense(std::string_view id) {
  static const std::unordered_set<std::string_view> licenses(std::begin(kLicenses),
                                                             std::end(kLicenses));
  return licenses.contains(id);
}

std::span<const std::string_view> KnownLicenses() { return kLicenses; }

std::string_view LanguageName(std::string_view code) {
  auto found = Languages().find(code);
  return found == Languages().end() ? std::string_view() : found->second;
}

bool IsKnownLanguage(std::string_view code) {
  if (!LanguageName(code).empty()) return true;
  std::string_view primary = code.substr(0, code.find_first_of("-_"));
  if (primary.size() != code.size()) return IsKnownLanguage(primary);
  return code.size() == 3 && AllLetters(code);
}

}  // namespace hearth::hub
