#include "server/pages/inspect_sections.h"

#include <algorithm>
#include <string>

#include "server/route.h"

namespace hearth::server {
namespace {

constexpr InspectSection kSections[] = {
    {"classify", "What it is", "inspect",
     "Kinds that its files prove, and where it contradicts itself.", "Kind", false},
    {"reading-order", "Reading order", "book", "What to read first, and what each step prevents.",
     "", false},
    {"card-score", "Card", "card", "What the card says of what a reader needs, line by line.",
     "Card", false},
    {"licence",
     "Licence",
     "licence",
     "What is said, whether it agrees, and what holds over the chain.",
     "Licence",
     false,
     {"licence"}},
    {"provenance",
     "Where it comes from",
     "tree",
     "Copies and bases, shown by the bytes of tensors.",
     "",
     true,
     {"provenance"}},
    {"runtimes",
     "Where it runs",
     "run",
     "Programs that load it, and whether their files are there.",
     "",
     true,
     {"runs"}},
    {"fit",
     "Does it fit",
     "chip",
     "What it needs in memory, part by part, on which devices.",
     "This node",
     true,
     {"fit", "parameters", "precision"}},
    {"checklist", "Checklist", "check",
     "Fourteen questions to ask before a first use: what was found, and what you wrote.", "", true},
    {"safety", "Safety", "shield", "What scans found in each file.", "Scans", false, {"safety"}},
};

bool IsAnswered(const InspectSection& section) {
  std::string pattern = "/api/hearth/models/{ns}/{name}/" + std::string(section.what);
  static const RouteTable table = BuildRouteTable();
  return std::any_of(table.routes().begin(), table.routes().end(),
                     [&pattern](const Route& route) { return route.pattern == pattern; });
}

}  // namespace

std::vector<const InspectSection*> InspectSections(hub::RepoType type) {
  static const std::vector<const InspectSection*> answered = [] {
    std::vector<const InspectSection*> list;
    for (const InspectSection& section : kSections) {
      if (IsAnswered(section)) list.push_back(&section);
    }
    return list;
  }();
  std::vector<const InspectSection*> list;
  for (const InspectSection* section : answered) {
    if (!section->models_only || type == hub::RepoType::kModel) list.push_back(section);
  }
  return list;
}

}  // namespace hearth::server
