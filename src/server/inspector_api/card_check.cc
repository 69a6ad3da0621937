// POST /api/hearth/card-check: the score of a card that is being written, for the checklist beside
// an editor. Changes nothing and keeps nothing.
#include "base/error.h"
#include "hub/card_words.h"
#include "hub/facts.h"
#include "hub/repo_view.h"
#include "server/route.h"

namespace hearth::server {
namespace {

// A card of a mebibyte is read; JSON escapes make it larger on the wire.
constexpr uint64_t kMaxBody = 3u << 20;

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

net::Response CheckCard(Context& context) {
  Json body = context.JsonBody();
  std::string content = body.RequireString("content");
  std::string type_name = body.StringField("type").value_or("model");
  std::optional<hub::RepoType> type = hub::ParseRepoType(type_name);
  if (!type) throw Error(Code::kInvalidArgument, "type must be model, dataset or space");
  if (content.size() > inspector::kMaxCardBytes)
    throw Error(Code::kTooLarge, "the card has more than a mebibyte");

  inspector::CardContext card;
  card.type = std::string(hub::SingularName(*type));
  card.id = body.StringField("id").value_or("");
  card.words = hub::CardWords();
  // The files around the card count where the caller may read them; else the text alone, and nobody
  // learns whether the name is taken.
  std::unique_ptr<inspector::RepoView> view;
  if (card.has_id()) {
    hub::HubNeighbours readable(context.hub.repos(), context.hub.objects(), context.actor);
    view = readable.Find(card.type, card.id, body.StringField("revision").value_or(""));
  }
  card.repo = view.get();
  inspector::CardDocument document = inspector::ParseCard(content);
  if (view != nullptr)
    card.derivative = inspector::IsDerivative(inspector::Classify(*view, document));

  hub::CardVerdict verdict = hub::ValidateCard(*type, content);
  Json answer = inspector::ToJson(inspector::ScoreCard(document, card));
  answer.Set("errors", Texts(verdict.errors));
  answer.Set("warnings", Texts(verdict.warnings));
  return JsonResponse(answer);
}

}  // namespace

void RegisterCardCheck(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/hearth/card-check",
             .access = Access::kPublic,
             .handle = CheckCard,
             .body = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody},
             .summary = "Scores the text of a card as it is written; changes nothing."});
}

}  // namespace hearth::server
