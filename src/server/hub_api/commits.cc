// Preupload, commit and the list of commits (wire reference, sections 2.1, 4.1 and 4.3).
#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "codec/base64.h"
#include "hub/card_words.h"
#include "hub/repo_view.h"
#include "server/hub_api/commit_body.h"
#include "server/route.h"
#include "storage/git/git_repository.h"
#include "text/html.h"

namespace hearth::server {
namespace {

using storage::GitRepository;

// Commits of many gigabytes are legal (hundreds of thousands of small files); they are spooled.
constexpr uint64_t kMaxCommitBytes = 64ull << 30;
constexpr uint64_t kMaxPreuploadBytes = 32u << 20;
constexpr size_t kDefaultPage = 50;
constexpr size_t kMaxPage = 1000;

// A revision that stands alone in the rest of the path; branch names may hold unencoded slashes.
std::string RevisionIn(const Context& context) {
  RevisionAndPath where = SplitRevisionPath(context.request.RawCapture("rev"));
  return where.path.empty() ? where.revision : where.revision + "/" + where.path;
}

void RefusePullRequest(Context& context) {
  if (context.request.QueryFlag("create_pr", false)) {
    throw Error(Code::kUnimplemented,
                "This hub cannot open pull requests yet: commit to a branch instead (without "
                "create_pr)");
  }
}

net::Response Preupload(Context& context) {
  RefusePullRequest(context);
  std::string revision = RevisionIn(context);
  Json body = context.JsonBody();
  std::vector<hub::PreuploadFile> files;
  for (const Json& file : body.RequireArray("files")) {
    hub::PreuploadFile wanted;
    wanted.path = file.RequireString("path");
    std::optional<int64_t> size = file.IntField("size");
    if (!size || *size < 0) {
      throw Error(Code::kInvalidArgument, "'" + wanted.path + "' needs a size of 0 or more");
    }
    wanted.size_bytes = static_cast<uint64_t>(*size);
    std::optional<std::string> sample = Base64Decode(file.StringField("sample").value_or(""));
    if (!sample) {
      throw Error(Code::kInvalidArgument, "The sample of '" + wanted.path + "' is not base64");
    }
    wanted.sample = sample->substr(0, hub::kSampleBytes);
    files.push_back(std::move(wanted));
  }
  auto answers = context.hub.commits().Preupload(context.repo(), revision, files,
                                                 body.StringField("gitAttributes"),
                                                 body.StringField("gitIgnore"));
  Json list = Json::Arr();
  for (const hub::PreuploadAnswer& answer : answers) {
    Json json = Json::Obj({{"path", answer.path},
                           {"uploadMode", answer.lfs ? "lfs" : "regular"},
                           {"shouldIgnore", answer.ignored}});
    if (answer.oid) json.Set("oid", *answer.oid);
    list.Push(std::move(json));
  }
  auto git = GitRepository::Open(context.repo().git_folder());
  GitOid head = hub::Commits::ResolveRevision(git, revision);
  return JsonResponse(Json::Obj({{"files", std::move(list)}, {"commitOid", head.Hex()}}));
}

bool TouchesCard(const hub::CommitRequest& request) {
  return std::any_of(request.operations.begin(), request.operations.end(), [](const auto& each) {
    const auto* file = std::get_if<hub::CommitFile>(&each);
    return file != nullptr && file->path == "README.md";
  });
}

// What the card that was just committed lacks. The commit stands whatever this meets.
std::string CardHint(Context& context, const GitOid& commit) {
  try {
    const hub::RepoRecord& record = context.repo().record();
    auto view = hub::OpenRepoView(context.repo(), context.hub.objects(), commit);
    inspector::CardContext card;
    card.type = std::string(hub::SingularName(record.type));
    card.id = record.FullName();
    card.repo = view.get();
    card.words = hub::CardWords();
    inspector::CardDocument document = inspector::ParseCard(inspector::ReadCardFile(*view));
    return inspector::CommitHint(inspector::ScoreCard(document, card));
  } catch (const Error& error) {
    log::Warning("a card could not be scored", {{"reason", error.message()}});
    return {};
  }
}

net::Response PostCommit(Context& context) {
  RefusePullRequest(context);
  std::string type = AsciiLower(context.request.headers.Get("Content-Type"));
  hub::CommitRequest request = type.starts_with("application/json")
                                   ? ParseCommitJson(context.request.body)
                                   : ParseCommitLines(context.request.body);
  request.revision = RevisionIn(context);
  hub::CommitResult result = context.hub.commits().Apply(context.actor, context.repo(), request);
  std::string hint = result.changed && TouchesCard(request) ? CardHint(context, result.oid) : "";
  std::string oid = result.oid.Hex();
  return JsonResponse(
      Json::Obj({{"success", true},
                 {"commitOid", oid},
                 {"commitUrl", RepoUrl(context, context.repo().record()) + "/commit/" + oid},
                 {"hookOutput", hint}}));
}

// Counting walks the whole history, and clients ask again and again for the same head. A commit's
// count never changes, so entries are only dropped for room.
class CommitCounts {
 public:
  size_t Of(const GitRepository& git, const GitOid& commit) {
    {
      std::lock_guard lock(mutex_);
      auto found = counts_.find(commit);
      if (found != counts_.end()) return found->second;
    }
    size_t count = git.CountCommits(commit);
    std::lock_guard lock(mutex_);
    if (counts_.emplace(commit, count).second) order_.push_back(commit);
    if (order_.size() > kMaxEntries) {
      counts_.erase(order_.front());
      order_.pop_front();
    }
    return count;
  }

 private:
  static constexpr size_t kMaxEntries = 10000;
  std::mutex mutex_;
  std::unordered_map<GitOid, size_t> counts_;
  std::list<GitOid> order_;
};

uint64_t NumberParam(const net::Request& request, std::string_view key, uint64_t fallback) {
  std::optional<std::string> text = request.QueryParam(key);
  if (!text) return fallback;
  std::optional<uint64_t> number = ParseUint(*text);
  if (!number || *number > UINT32_MAX) {
    throw Error(Code::kInvalidArgument, std::string(key) + " must be a number");
  }
  return *number;
}

Json CommitJson(const storage::CommitInfo& commit, bool formatted) {
  Json json = Json::Obj({{"id", commit.oid.Hex()},
                         {"title", commit.Title()},
                         {"message", commit.Description()},
                         {"authors", Json::Arr({Json::Obj({{"user", commit.author.name}})})},
                         {"date", FormatIso8601(commit.author.time)}});
  if (formatted) {
    json.Set("formatted", Json::Obj({{"title", EscapeHtml(commit.Title())},
                                     {"message", EscapeHtml(commit.Description())}}));
  }
  return json;
}

net::Response ListCommits(Context& context, CommitCounts& counts) {
  auto git = GitRepository::Open(context.repo().git_folder());
  GitOid head = hub::Commits::ResolveRevision(git, RevisionIn(context));
  size_t limit = std::min<uint64_t>(NumberParam(context.request, "limit", kDefaultPage), kMaxPage);
  if (limit == 0) throw Error(Code::kInvalidArgument, "limit must be a positive number");
  // Links of this hub page by cursor, which is the page number; clients may ask for `p` themselves.
  uint64_t page = NumberParam(context.request, "cursor", NumberParam(context.request, "p", 0));
  bool formatted = false;
  for (const std::string& name : context.request.QueryParams("expand")) {
    formatted = formatted || name == "formatted";
  }
  size_t total = counts.Of(git, head);
  Json list = Json::Arr();
  for (const storage::CommitInfo& commit : git.Log(head, page * limit, limit)) {
    list.Push(CommitJson(commit, formatted));
  }
  net::Response response = JsonResponse(list);
  response.headers.Set("X-Total-Count", std::to_string(total));
  response.headers.Set("X-Repo-Commit", head.Hex());
  if ((page + 1) * limit < total) AddNextLink(&response, context, std::to_string(page + 1));
  return response;
}

}  // namespace

void RegisterCommitApi(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/preupload/{rev...}",
             .access = Access::kRepoWrite,
             .handle = Preupload,
             .body = {.max_bytes = kMaxPreuploadBytes},
             .summary = "Says for each file whether it goes to LFS."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/commit/{rev...}",
             .access = Access::kRepoWrite,
             .handle = PostCommit,
             .body = {.max_bytes = kMaxCommitBytes},
             .admit = RefusePullRequest,
             .summary = "Commits files, LFS files and deletions."});
  auto counts = std::make_shared<CommitCounts>();
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/commits/{rev...}",
             .access = Access::kRepoInfo,
             .handle = [counts](Context& context) { return ListCommits(context, *counts); },
             .summary = "Lists the commits of a revision, newest first."});
}

}  // namespace hearth::server
