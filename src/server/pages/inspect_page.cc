// What the inspector says of a repository, section by section; the sections are those of
// /api/hearth/{T}/{ns}/{name}/..., which the page's script shows with their evidence.
#include "server/pages/repo_view.h"

namespace hearth::server {
namespace {

struct Section {
  const char* what;  // the last part of its address
  const char* title;
  const char* icon;
  const char* about;
  bool models_only;
};
constexpr Section kSections[] = {
    {"classify", "What it is", "inspect",
     "Kinds that its files prove, and where it contradicts itself.", false},
    {"reading-order", "Reading order", "book", "What to read first, and what each step prevents.",
     false},
    {"card-score", "Card", "card", "What the card says of what a reader needs, line by line.",
     false},
    {"licence", "Licence", "licence",
     "What is said, whether it agrees, and what holds over the chain.", false},
    {"provenance", "Where it comes from", "tree",
     "Copies and bases, shown by the bytes of tensors.", true},
    {"runtimes", "Where it runs", "run",
     "Programs that load it, and whether their files are there.", true},
    {"fit", "Does it fit", "chip", "What it needs in memory, part by part, on which devices.",
     true},
    {"safety", "Safety", "shield", "What scans found in each file.", false},
};

net::Response InspectPage(Context& context) {
  hub::FactsPtr facts = HeadFacts(context);
  Json data = RepoPageData(context, "inspect", "main", facts.get());
  Json sections = Json::Arr();
  for (const Section& section : kSections) {
    if (section.models_only && context.repo().record().type != hub::RepoType::kModel) continue;
    sections.Push(Json::Obj({{"what", section.what},
                             {"title", section.title},
                             {"icon", section.icon},
                             {"about", section.about}}));
  }
  data.Set("sections", std::move(sections));
  if (facts != nullptr) data.Set("head", facts->commit.Hex());
  return RenderPage(context, "repo_inspect.html", std::move(data));
}

}  // namespace

void RegisterInspectPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/inspect",
             .access = Access::kRepoContent,
             .handle = InspectPage,
             .surface = Surface::kPage,
             .summary = "What the inspector says of a repository, with evidence."});
}

}  // namespace hearth::server
