// Who wrote which line of a text file, and when: a page of lines with the commit of each. What is
// large or long ago is not looked at, and the page says so.
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/commits.h"
#include "server/hub_api/answer_cache.h"
#include "server/pages/repo_view.h"
#include "server/pages/viewers/viewer.h"
#include "storage/git/blame.h"

namespace hearth::server {
namespace {

// Why there are no lines to tell of; "" when there are.
std::string Refusal(const Context& context, const RepoPlace& place, const storage::TreeEntry& entry,
                    const storage::BlameLimits& limits) {
  if (context.hub.safety().Blocks(entry.oid))
    return "This hub does not give out files that are judged unsafe.";
  if (place.git.BlobSize(entry.oid) > limits.max_file_bytes)
    return "Only texts of up to " + std::to_string(limits.max_file_bytes >> 10) +
           " KiB are told line by line. Its history is there as a whole.";
  std::string text = place.git.ReadBlob(entry.oid, limits.max_file_bytes);
  if (storage::ParseLfsPointer(text) || hub::LooksBinary(std::string_view(text).substr(0, 8000)))
    return "Only texts are told line by line. Its history is there as a whole.";
  return {};
}

// A commit does not change, so what its history says of a file is walked once. The object id of a
// repository is unique among all hubs.
std::shared_ptr<const storage::Blame> KeptBlame(const Context& context, const RepoPlace& place,
                                                const storage::BlameLimits& limits) {
  static ValueCache<storage::Blame> cache(16u << 20);
  std::string key = context.repo().record().oid + ":" + place.commit.Hex() + ":" + place.path;
  if (auto known = cache.Find(key)) return known;
  auto made = std::make_shared<const storage::Blame>(
      storage::FindBlame(place.git, place.commit, place.path, limits));
  size_t bytes = made->lines.size() * sizeof(size_t);
  for (const storage::CommitInfo& commit : made->commits)
    bytes += sizeof(commit) + commit.message.size();
  cache.Put(std::move(key), made, bytes);
  return made;
}

Json CommitRow(const storage::CommitInfo& commit, TimePoint now) {
  return Json::Obj({{"oid", commit.oid.Hex()},
                    {"title", commit.Title()},
                    {"author", commit.author.name},
                    {"ago", Ago(commit.committer.time, now)},
                    {"date", FormatIso8601(commit.committer.time)},
                    {"parent", commit.parents.empty() ? "" : commit.parents.front().Hex()}});
}

// Lines that stand together and are of one commit: [{"commit": place or -1, "lines": [text]}].
void FillGroups(const storage::Blame& blame, Json* data) {
  size_t line = static_cast<size_t>(data->IntField("first_line").value_or(1)) - 1;
  Json groups = Json::Arr();
  bool older = false;
  int64_t last = -2;
  for (Json& text : *data->Find("lines")->AsArray()) {
    size_t place = line < blame.lines.size() ? blame.lines[line] : storage::Blame::kOlder;
    int64_t commit = place == storage::Blame::kOlder ? -1 : static_cast<int64_t>(place);
    older = older || commit < 0;
    if (commit != last) {
      groups.Push(Json::Obj({{"commit", commit}, {"first", line + 1}, {"lines", Json::Arr()}}));
    }
    groups.AsArray()->back().Find("lines")->Push(std::move(text));
    last = commit;
    ++line;
  }
  data->Set("groups", std::move(groups));
  data->Set("older", older);
}

net::Response BlamePage(Context& context) {
  RepoPlace place = OpenPlace(context, context.request.RawCapture("rev_path"));
  std::optional<storage::TreeEntry> entry = place.git.FindEntry(place.commit, place.path);
  if (!entry || entry->kind == storage::EntryKind::kFolder ||
      entry->kind == storage::EntryKind::kSubmodule) {
    throw Error(Code::kNotFound, "There is no file " + place.path + " at " + place.revision)
        .WithWireCode("EntryNotFound");
  }
  storage::BlameLimits limits;
  Json data = RepoPageData(context, "files", place.revision, HeadFacts(context).get());
  data.Set("crumbs", Crumbs(place.path));
  data.Set("branches", BranchNames(place.git));
  data.Set("file", place.path);
  std::string refusal = Refusal(context, place, *entry, limits);
  data.Set("refusal", refusal);
  if (!refusal.empty()) return RenderPage(context, "repo_blame.html", std::move(data));

  std::string text = place.git.ReadBlob(entry->oid, limits.max_file_bytes);
  ShownText shown{.text = text, .language = ""};
  shown.wanted_line =
      static_cast<size_t>(ParseUint(context.request.QueryParam("line").value_or("1")).value_or(1));
  FillText(shown, &data);
  std::shared_ptr<const storage::Blame> blame = KeptBlame(context, place, limits);
  FillGroups(*blame, &data);
  Json commits = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const storage::CommitInfo& commit : blame->commits) commits.Push(CommitRow(commit, now));
  data.Set("commits", std::move(commits));
  data.Set("most", limits.max_changes);
  return RenderPage(context, "repo_blame.html", std::move(data));
}

}  // namespace

void RegisterBlamePage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/blame/{rev_path...}",
             .access = Access::kRepoContent,
             .handle = BlamePage,
             .surface = Surface::kPage,
             .summary = "Which commit each line of a text file comes from."});
}

}  // namespace hearth::server
