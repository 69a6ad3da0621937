// Branches and tags of a repository: the list, and making and deleting them.
#include "base/error.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"

namespace hearth::server {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
// What a page shows with the newest commit of each; a repository with more is for git.
constexpr size_t kMaxShown = 500;

Json RefRows(Context& context, const storage::GitRepository& git, std::string_view prefix) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const storage::RefInfo& ref : git.ListRefs()) {
    if (!ref.name.starts_with(prefix) || rows.size() >= kMaxShown) continue;
    storage::CommitInfo commit = git.ReadCommit(ref.target);
    rows.Push(Json::Obj({{"name", ref.name.substr(prefix.size())},
                         {"oid", ref.target.Hex()},
                         {"title", commit.Title()},
                         {"ago", Ago(commit.committer.time, now)}}));
  }
  return rows;
}

Json PageData(Context& context) {
  storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
  Json data = RepoFrame(context, "branches", "main");
  data.Set("branches", RefRows(context, git, kHeads));
  data.Set("tags", RefRows(context, git, kTags));
  data.Set("values", Json::Obj());
  return data;
}

net::Response BranchesPage(Context& context) {
  return RenderPage(context, "repo_branches.html", PageData(context));
}

void Change(Context& context, const Form& form) {
  hub::Commits& commits = context.hub.commits();
  std::string what = form.Require("what", "What to do");
  std::string name = form.Require("name", "Name");
  std::string from = form.Text("from");
  if (from.empty()) from = "main";
  if (what == "make-branch") {
    commits.CreateBranch(context.actor, context.repo(), name, from, false, false);
  } else if (what == "make-tag") {
    commits.CreateTag(context.actor, context.repo(), name, from, form.Text("message"));
  } else if (what == "delete-branch") {
    commits.DeleteBranch(context.repo(), name);
  } else if (what == "delete-tag") {
    commits.DeleteTag(context.repo(), name);
  } else {
    throw Error(Code::kInvalidArgument, "There is no such action");
  }
}

net::Response ChangeBranches(Context& context) {
  Form form(context.request);
  return OrAgain(
      [&] {
        Change(context, form);
        return GoTo(RepoLocation(context.repo().record()) + "/branches", form.Text("what"));
      },
      [&](const Error&) { return PageData(context).Set("values", form.Values()); }, context,
      "repo_branches.html");
}

}  // namespace

void RegisterBranchPages(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/branches",
             .access = Access::kRepoInfo,
             .handle = BranchesPage,
             .surface = Surface::kPage,
             .summary = "Branches and tags."});
  table.Add({.methods = "POST",
             .pattern = "/{P}{ns}/{name}/branches",
             .access = Access::kRepoWrite,
             .handle = ChangeBranches,
             .surface = Surface::kPage,
             .body = {.max_bytes = 64 << 10},
             .summary = "Makes or deletes a branch or a tag."});
}

}  // namespace hearth::server
