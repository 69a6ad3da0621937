#include "server/pages/repo_view.h"

#include "base/error.h"
#include "hub/commits.h"
#include "server/pages/kept_markdown.h"
#include "server/pages/repo_head.h"
#include "text/direction.h"

namespace hearth::server {

RepoPlace OpenPlace(Context& context, std::string_view raw) {
  RevisionAndPath at = SplitRevisionPath(raw);
  storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, at.revision);
  return RepoPlace{std::move(git), at.revision, at.path, commit};
}

Json RepoPageData(Context& context, std::string_view tab, std::string_view revision,
                  const hub::RepoFacts* facts) {
  const hub::RepoRecord& repo = context.repo().record();
  Json summary = RepoSummary(repo, facts, context.hub.clock().Now());
  AddRepoHead(context, facts, &summary);
  return Json::Obj({{"repo", std::move(summary)}, {"tab", tab}, {"revision", revision}});
}

hub::FactsPtr HeadFacts(Context& context) {
  const hub::RepoRecord& repo = context.repo().record();
  if (!repo.head) return nullptr;
  return context.hub.catalog().FactsOf(context.repo(), *repo.head);
}

std::string CardHtml(const hub::RepoRecord& repo, std::string_view markdown,
                     std::string_view revision, std::string_view folder) {
  MarkdownOptions options;
  options.base_url = RepoPath(repo);
  options.revision = net::PercentEncode(revision);
  options.folder = std::string(folder);
  options.math = true;
  try {
    return KeptMarkdown(markdown, options);
  } catch (const Error&) {
    return "<p>This text cannot be shown: it is too large or nested too deeply.</p>";
  }
}

std::string CardHtml(Context& context, std::string_view markdown, std::string_view revision,
                     std::string_view folder) {
  return CardHtml(context.repo().record(), markdown, revision, folder);
}

Json Crumbs(std::string_view path) {
  Json crumbs = Json::Arr();
  size_t start = 0;
  while (start < path.size()) {
    size_t slash = path.find('/', start);
    size_t end = slash == std::string_view::npos ? path.size() : slash;
    crumbs.Push(Json::Obj({{"name", WithDirectionShown(path.substr(start, end - start))},
                           {"path", path.substr(0, end)}}));
    start = end + 1;
  }
  return crumbs;
}

Json BranchNames(const storage::GitRepository& git) {
  Json names = Json::Arr();
  for (const storage::RefInfo& ref : git.ListRefs()) {
    for (std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
      if (ref.name.starts_with(prefix)) names.Push(ref.name.substr(prefix.size()));
    }
  }
  return names;
}

}  // namespace hearth::server
