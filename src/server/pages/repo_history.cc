// The history of a repository: its commits, and one commit with its changes.
#include "server/pages/repo_view.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kCommitsPerPage = 30;
constexpr uint64_t kMaxDiffBytes = 256 << 10;

net::Response CommitsPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("rev_path"));
  size_t page = 0;
  if (std::optional<std::string> text = context.request.QueryParam("p"))
    page = static_cast<size_t>(
        std::min<unsigned long>(std::strtoul(text->c_str(), nullptr, 10), 100000));
  std::vector<storage::CommitInfo> log =
      view.git.Log(view.commit, page * kCommitsPerPage, kCommitsPerPage + 1);
  Json data = RepoPageData(context, "commits", view.revision, HeadFacts(context).get());
  if (log.size() > kCommitsPerPage) {
    log.pop_back();
    data.Set("next_page", page + 1);
  }
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const storage::CommitInfo& commit : log) {
    rows.Push(Json::Obj({{"oid", commit.oid.Hex()},
                         {"title", commit.Title()},
                         {"description", commit.Description()},
                         {"author", commit.author.name},
                         {"ago", Ago(commit.committer.time, now)},
                         {"date", FormatIso8601(commit.committer.time)}}));
  }
  data.Set("commits", std::move(rows));
  data.Set("total", view.git.CountCommits(view.commit));
  return RenderPage(context, "repo_commits.html", std::move(data));
}

net::Response CommitPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("oid"));
  storage::CommitInfo commit = view.git.ReadCommit(view.commit);
  std::optional<GitOid> parent;
  if (!commit.parents.empty()) parent = commit.parents.front();
  Json data = RepoPageData(context, "commits", "main", HeadFacts(context).get());
  Json files = Json::Arr();
  for (const auto& entry : view.git.Diff(parent, commit.oid)) {
    static constexpr const char* kKinds[] = {"added", "modified", "deleted"};
    files.Push(Json::Obj({{"path", entry.path},
                          {"kind", kKinds[static_cast<int>(entry.kind)]},
                          {"old_size", entry.old_size},
                          {"new_size", entry.new_size}}));
  }
  Json lines = Json::Arr();
  std::string diff = Utf8Lossy(view.git.UnifiedDiff(parent, commit.oid, kMaxDiffBytes));
  size_t start = 0;
  while (start < diff.size()) {
    size_t end = std::min(diff.find('\n', start), diff.size());
    std::string_view line(diff.data() + start, end - start);
    const char* kind =
        line.starts_with("diff ") || line.starts_with("+++") || line.starts_with("---") ? "head"
        : line.starts_with("+")                                                         ? "add"
        : line.starts_with("-")                                                         ? "del"
        : line.starts_with("@@")                                                        ? "hunk"
                                                                                        : "same";
    lines.Push(Json::Obj({{"kind", kind}, {"text", line}}));
    start = end + 1;
  }
  data.Set("commit", Json::Obj({{"oid", commit.oid.Hex()},
                                {"title", commit.Title()},
                                {"description", commit.Description()},
                                {"author", commit.author.name},
                                {"date", FormatIso8601(commit.committer.time)},
                                {"parent", parent ? Json(parent->Hex()) : Json()}}));
  data.Set("changes", std::move(files));
  data.Set("lines", std::move(lines));
  return RenderPage(context, "repo_commit.html", std::move(data));
}

}  // namespace

void RegisterRepoHistoryPages(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/commits/{rev_path...}",
             .access = Access::kRepoInfo,
             .handle = CommitsPage,
             .surface = Surface::kPage,
             .summary = "History."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/commit/{oid}",
             .access = Access::kRepoContent,
             .handle = CommitPage,
             .surface = Surface::kPage,
             .summary = "One commit with its changes."});
}

}  // namespace hearth::server
