// What a repository is, in which order it is read, and what its card is worth. Of main these come
// from what is kept; which of the named repositories are here is looked up for each caller.
#include "base/error.h"
#include "server/inspector_api/known_kinds.h"
#include "server/route.h"

namespace hearth::server {
namespace {

struct Reading {
  hub::KeptReadingPtr kept;
  GitOid commit;
};

Reading ReadingOf(Context& context) {
  const hub::RepoHandle& repo = context.repo();
  std::string revision = context.request.QueryParam("revision").value_or("");
  std::optional<GitOid> commit = repo.record().head;
  if (!revision.empty() && revision != "main") {
    auto git = storage::GitRepository::Open(repo.git_folder());
    commit = hub::Commits::ResolveRevision(git, revision);
  }
  if (!commit) throw Error(Code::kNotFound, "The repository has no commit yet.");
  return {context.hub.inspections().Of(repo, *commit), *commit};
}

net::Response Answer(const Context& context, const Reading& reading, const Json& body) {
  const hub::RepoRecord& record = context.repo().record();
  Json json = Json::Obj({{"type", hub::SingularName(record.type)},
                         {"id", record.FullName()},
                         {"commit", reading.commit.Hex()},
                         {"rules", inspector::kRepoRules}});
  for (const auto& [key, value] : *body.AsObject()) {
    if (key != "type") json.Set(key, value);
  }
  net::Response response = JsonResponse(json);
  response.headers.Set("X-Repo-Commit", reading.commit.Hex());
  return response;
}

net::Response ClassifyRepo(Context& context) {
  Reading reading = ReadingOf(context);
  inspector::Classification kinds =
      KnownKinds(context, context.repo(), reading.commit, *reading.kept);
  return Answer(context, reading, inspector::ToJson(kinds));
}

net::Response ReadingOrder(Context& context) {
  Reading reading = ReadingOf(context);
  return Answer(context, reading, reading.kept->reading_order);
}

net::Response CardScore(Context& context) {
  Reading reading = ReadingOf(context);
  return Answer(context, reading, reading.kept->card_score);
}

}  // namespace

void RegisterReadings(RouteTable& table) {
  table.Add(
      {.methods = "GET,HEAD",
       .pattern = "/api/hearth/{T}/{ns}/{name}/classify",
       .access = Access::kRepoContent,
       .handle = ClassifyRepo,
       .summary = "What a repository is: kinds with evidence, contradictions, what it names."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/reading-order",
             .access = Access::kRepoContent,
             .handle = ReadingOrder,
             .summary = "Six steps of reading a repository: found, thin or missing, and where."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/card-score",
             .access = Access::kRepoContent,
             .handle = CardScore,
             .summary = "What a card says of what a reader needs, line by line, 0 to 100."});
}

}  // namespace hearth::server
