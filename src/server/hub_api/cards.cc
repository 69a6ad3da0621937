// POST /api/validate-yaml, and the headers of a model's safetensors files.
#include "base/error.h"
#include "hub/card_words.h"
#include "hub/facts.h"
#include "hub/inspector/card/card_score.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxCardBody = 10u << 20;

Json Messages(const std::vector<std::string>& texts) {
  Json::Array list;
  for (const std::string& text : texts) list.push_back(Json::Obj({{"message", text}}));
  return Json(std::move(list));
}

net::Response ValidateYaml(Context& context) {
  Json body = context.JsonBody();
  std::string type_name = body.StringField("repoType").value_or("model");
  std::optional<hub::RepoType> type = hub::ParseRepoType(type_name);
  if (!type) throw Error(Code::kInvalidArgument, "repoType must be model, dataset or space");
  std::string content = body.RequireString("content");
  hub::CardVerdict verdict = hub::ValidateCard(*type, content);
  if (verdict.errors.empty()) {
    inspector::CardContext card;
    card.type = std::string(hub::SingularName(*type));
    card.words = hub::CardWords();
    std::string hint =
        inspector::CommitHint(inspector::ScoreCard(inspector::ParseCard(content), card));
    if (!hint.empty()) verdict.warnings.push_back(std::move(hint));
  }
  Json answer =
      Json::Obj({{"errors", Messages(verdict.errors)}, {"warnings", Messages(verdict.warnings)}});
  if (verdict.errors.empty()) return JsonResponse(answer);
  answer.Set("error", verdict.errors[0]);
  return JsonResponse(answer, 400);
}

net::Response SafetensorsMetadata(Context& context) {
  const hub::RepoHandle& repo = context.repo();
  if (!repo.record().head)
    throw Error(Code::kNotFound, "Entry not found").WithWireCode("EntryNotFound");
  std::string file = net::PercentDecodePath(context.request.RawCapture("file"));
  return JsonResponse(
      hub::ReadSafetensorsMetadata(repo, context.hub.objects(), *repo.record().head, file));
}

}  // namespace

void RegisterCards(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/validate-yaml",
             .access = Access::kPublic,
             .handle = ValidateYaml,
             // JSON escapes make a card larger on the wire than it is.
             .body = {.max_bytes = kMaxCardBody, .memory_bytes = kMaxCardBody},
             .summary = "Checks the front matter of a README.md before it is committed."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/models/{ns}/{name}/safetensors-metadata/{file...}",
             .access = Access::kRepoContent,
             .handle = SafetensorsMetadata,
             .type = hub::RepoType::kModel,
             .summary = "Tensor names, types and shapes of a safetensors file or all its shards."});
}

}  // namespace hearth::server
