// The history of a repository: its commits, and one commit with its changes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "server/pages/repo_view.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kCommitsPerPage = 30;
constexpr uint64_t kMaxDiffBytes = 256 << 10;
constexpr size_t kMaxChangedFiles = 300;
constexpr size_t kMaxHistorySteps = 20000;  // commits looked through for the history of one file

// Commits that changed one path (first parents), newest first. Stops after kMaxHistorySteps.
std::vector<storage::CommitInfo> LogOfPath(const RepoPlace& place, size_t skip, size_t limit) {
  std::vector<storage::CommitInfo> found;
  std::optional<storage::TreeEntry> here = place.git.FindEntry(place.commit, place.path);
  GitOid at = place.commit;
  for (size_t step = 0; step < kMaxHistorySteps && found.size() < skip + limit; ++step) {
    storage::CommitInfo commit = place.git.ReadCommit(at);
    std::optional<storage::TreeEntry> before;
    if (!commit.parents.empty()) before = place.git.FindEntry(commit.parents.front(), place.path);
    bool changed = here.has_value() != before.has_value() || (here && here->oid != before->oid);
    std::optional<GitOid> parent;
    if (!commit.parents.empty()) parent = commit.parents.front();
    if (changed) found.push_back(std::move(commit));
    if (!parent) break;
    at = *parent;
    here = before;
  }
  found.erase(found.begin(), found.begin() + static_cast<ptrdiff_t>(std::min(skip, found.size())));
  return found;
}

net::Response CommitsPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("rev_path"));
  size_t page = 0;
  if (std::optional<std::string> text = context.request.QueryParam("p"))
    page = static_cast<size_t>(
        std::min<unsigned long>(std::strtoul(text->c_str(), nullptr, 10), 100000));
  std::vector<storage::CommitInfo> log =
      view.path.empty() ? view.git.Log(view.commit, page * kCommitsPerPage, kCommitsPerPage + 1)
                        : LogOfPath(view, page * kCommitsPerPage, kCommitsPerPage + 1);
  Json data = RepoPageData(context, "commits", view.revision, HeadFacts(context).get());
  if (log.size() > kCommitsPerPage) {
    log.pop_back();
    data.Set("next_page", page + 1);
  }
  Json days = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  std::string day;
  Json rows = Json::Arr();
  auto close_day = [&] {
    if (!rows.AsArray()->empty())
      days.Push(Json::Obj({{"day", day}, {"commits", std::move(rows)}}));
    rows = Json::Arr();
  };
  for (const storage::CommitInfo& commit : log) {
    std::string date = FormatIso8601(commit.committer.time);
    if (date.substr(0, 10) != day) {
      close_day();
      day = date.substr(0, 10);
    }
    rows.Push(Json::Obj({{"oid", commit.oid.Hex()},
                         {"title", commit.Title()},
                         {"description", commit.Description()},
                         {"author", commit.author.name},
                         {"ago", Ago(commit.committer.time, now)},
                         {"date", date}}));
  }
  close_day();
  data.Set("days", std::move(days));
  data.Set("file", view.path);
  data.Set("crumbs", Crumbs(view.path));
  data.Set("branches", BranchNames(view.git));
  if (view.path.empty()) data.Set("total", view.git.CountCommits(view.commit));
  return RenderPage(context, "repo_commits.html", std::move(data));
}

// The text of a unified diff as rows with the numbers of their lines, by file.
class DiffReader {
 public:
  // {path: {"rows": [{kind, old, new, text}], "plus", "minus"}}
  Json Read(std::string_view diff) {
    while (!diff.empty()) {
      size_t end = std::min(diff.find('\n'), diff.size());
      Line(diff.substr(0, end));
      diff.remove_prefix(std::min(end + 1, diff.size()));
    }
    Close();
    return std::move(files_);
  }

 private:
  void Line(std::string_view line) {
    if (left_old_ > 0 || left_new_ > 0) {
      Content(line);
    } else if (line.starts_with("diff --git ")) {
      Close();
      rows_ = Json::Arr();
    } else if (line.starts_with("--- ") || line.starts_with("+++ ")) {
      std::string_view name = line.substr(4);
      if (name.size() > 2 && name != "/dev/null") path_ = Utf8Lossy(Unquote(name).substr(2));
    } else if (line.starts_with("@@ ")) {
      Hunk(line);
    }
  }

  // "@@ -1,5 +1,7 @@ context"; a count that is not there is 1.
  void Hunk(std::string_view line) {
    unsigned old_at = 0, old_count = 1, new_at = 0, new_count = 1;
    std::string text(line.substr(0, 100));
    if (std::sscanf(text.c_str(), "@@ -%u,%u +%u,%u", &old_at, &old_count, &new_at, &new_count) <
        4) {
      old_count = new_count = 1;
      if (std::sscanf(text.c_str(), "@@ -%u +%u,%u", &old_at, &new_at, &new_count) < 3 &&
          (new_count = 1,
           std::sscanf(text.c_str(), "@@ -%u,%u +%u", &old_at, &old_count, &new_at)) < 3) {
        old_count = 1;
        std::sscanf(text.c_str(), "@@ -%u +%u", &old_at, &new_at);
      }
    }
    old_ = old_at;
    new_ = new_at;
    left_old_ = old_count;
    left_new_ = new_count;
    rows_.Push(Json::Obj({{"kind", "hunk"}, {"text", Utf8Lossy(line)}}));
  }

  void Content(std::string_view line) {
    char sign = line.empty() ? ' ' : line[0];
    if (sign == '\\') return;  // "\ No newline at end of file"
    Json row = Json::Obj({{"kind", sign == '+' ? "add" : sign == '-' ? "del" : "same"}});
    if (sign != '+') {
      row.Set("old", old_++);
      if (left_old_ > 0) --left_old_;
    }
    if (sign != '-') {
      row.Set("new", new_++);
      if (left_new_ > 0) --left_new_;
    }
    plus_ += sign == '+';
    minus_ += sign == '-';
    row.Set("text", Utf8Lossy(line.substr(std::min<size_t>(1, line.size()))));
    rows_.Push(std::move(row));
  }

  // git puts names with unusual bytes in quotes, as in C.
  static std::string Unquote(std::string_view name) {
    if (!name.starts_with('"') || !name.ends_with('"') || name.size() < 2) return std::string(name);
    std::string plain;
    for (size_t i = 1; i + 1 < name.size(); ++i) {
      if (name[i] != '\\' || i + 2 >= name.size()) {
        plain += name[i];
        continue;
      }
      char c = name[++i];
      if (c >= '0' && c <= '3' && i + 3 < name.size()) {
        plain +=
            static_cast<char>(((c - '0') << 6) | ((name[i + 1] - '0') << 3) | (name[i + 2] - '0'));
        i += 2;
      } else {
        plain += c == 't' ? '\t' : c == 'n' ? '\n' : c;
      }
    }
    return plain;
  }

  void Close() {
    if (!path_.empty()) {
      files_.Set(path_,
                 Json::Obj({{"rows", std::move(rows_)}, {"plus", plus_}, {"minus", minus_}}));
    }
    path_.clear();
    rows_ = Json::Arr();
    plus_ = minus_ = 0;
    left_old_ = left_new_ = 0;
  }

  Json files_ = Json::Obj();
  std::string path_;
  Json rows_ = Json::Arr();
  unsigned old_ = 0, new_ = 0, left_old_ = 0, left_new_ = 0;
  int64_t plus_ = 0, minus_ = 0;
};

// The size of the large object that a blob points to: its pointer tells a reader nothing.
std::optional<uint64_t> LargeSize(const storage::GitRepository& git, const GitOid& blob,
                                  uint64_t size_bytes) {
  if (size_bytes > storage::kMaxPointerBytes) return std::nullopt;
  std::optional<storage::LfsPointer> pointer =
      storage::ParseLfsPointer(git.ReadBlob(blob, storage::kMaxPointerBytes));
  if (!pointer) return std::nullopt;
  return pointer->size_bytes;
}

net::Response CommitPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("oid"));
  storage::CommitInfo commit = view.git.ReadCommit(view.commit);
  std::optional<GitOid> parent;
  if (!commit.parents.empty()) parent = commit.parents.front();
  Json data = RepoPageData(context, "commits", "main", HeadFacts(context).get());
  Json text = DiffReader().Read(view.git.UnifiedDiff(parent, commit.oid, kMaxDiffBytes));
  Json files = Json::Arr();
  std::vector<storage::GitRepository::DiffEntry> entries = view.git.Diff(parent, commit.oid);
  using Kind = storage::GitRepository::DiffEntry::Kind;
  for (const auto& entry : entries) {
    if (files.AsArray()->size() == kMaxChangedFiles) break;
    static constexpr const char* kKinds[] = {"added", "modified", "deleted"};
    std::string path = Utf8Lossy(entry.path);
    Json file = Json::Obj({{"path", path},
                           {"kind", kKinds[static_cast<int>(entry.kind)]},
                           {"old_size", entry.old_size},
                           {"new_size", entry.new_size}});
    std::optional<uint64_t> old_large, new_large;
    if (entry.kind != Kind::kAdded) old_large = LargeSize(view.git, entry.old_oid, entry.old_size);
    if (entry.kind != Kind::kDeleted)
      new_large = LargeSize(view.git, entry.new_oid, entry.new_size);
    if (old_large) file.Set("old_size", *old_large);
    if (new_large) file.Set("new_size", *new_large);
    const Json* changes = text.Find(path);
    if (old_large || new_large)
      file.Set("large", true);
    else if (changes != nullptr)
      file.Set("text", *changes);
    files.Push(std::move(file));
  }
  data.Set("commit", Json::Obj({{"oid", commit.oid.Hex()},
                                {"title", commit.Title()},
                                {"description", commit.Description()},
                                {"author", commit.author.name},
                                {"ago", Ago(commit.committer.time, context.hub.clock().Now())},
                                {"date", FormatIso8601(commit.committer.time)},
                                {"parent", parent ? Json(parent->Hex()) : Json()}}));
  data.Set("changed", entries.size());
  data.Set("changes", std::move(files));
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
