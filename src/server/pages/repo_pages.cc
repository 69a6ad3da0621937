// The card of a repository: its front page.
#include "server/inference_api/widget.h"
#include "server/pages/repo_view.h"

namespace hearth::server {
namespace {

net::Response CardPage(Context& context) {
  hub::FactsPtr facts = HeadFacts(context);
  Json data = RepoPageData(context, "card", "main", facts.get());
  if (facts != nullptr) {
    data.Set("card", facts->card_text.empty()
                         ? Json()
                         : Json(CardHtml(context, facts->card_text, "main", "")));
    data.Set("warnings", Json(facts->warnings));
    data.Set("card_data", facts->card_data);
    data.Set("safetensors", facts->safetensors);
    data.Set("gguf", facts->gguf);
    data.Set("file_count", facts->siblings.size());
    data.Set("head", facts->commit.Hex());
  }
  data.Set("widget", WidgetData(context, facts.get()));
  data.Set("clone_url", RepoUrl(context, context.repo().record()));
  return RenderPage(context, "repo_card.html", std::move(data));
}

}  // namespace

void RegisterRepoPages(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}",
             .access = Access::kRepoInfo,
             .handle = CardPage,
             .surface = Surface::kPage,
             .summary = "Card of a repository."});
}

}  // namespace hearth::server
