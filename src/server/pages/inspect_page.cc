// What the inspector says of a repository, section by section: the page's script draws the answers
// of the API, each with its evidence.
#include "server/pages/inspect_sections.h"
#include "server/pages/repo_view.h"

namespace hearth::server {
namespace {

net::Response InspectPage(Context& context) {
  hub::FactsPtr facts = HeadFacts(context);
  Json data = RepoPageData(context, "inspect", "main", facts.get());
  Json sections = Json::Arr();
  for (const InspectSection* section : InspectSections(context.repo().record().type)) {
    sections.Push(Json::Obj({{"what", section->what},
                             {"title", section->title},
                             {"icon", section->icon},
                             {"about", section->about}}));
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
