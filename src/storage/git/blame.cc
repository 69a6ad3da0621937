#include "storage/git/blame.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.h"
#include "storage/git/internal/libgit2.h"

namespace hearth::storage {
using namespace internal;

namespace {

size_t CountLines(std::string_view text) {
  auto ends = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (!text.empty() && text.back() != '\n' ? 1 : 0);
}

// A range of no lines is named by the line before it.
size_t Begin(int start, int lines) {
  return static_cast<size_t>(lines == 0 ? start : std::max(0, start - 1));
}

int AppendChange(const git_diff_delta*, const git_diff_hunk* hunk, void* payload) {
  static_cast<std::vector<LineChange>*>(payload)->push_back(
      {Begin(hunk->old_start, hunk->old_lines), static_cast<size_t>(hunk->old_lines),
       Begin(hunk->new_start, hunk->new_lines), static_cast<size_t>(hunk->new_lines)});
  return 0;
}

// Places of the newest text's lines in the text of the moment: where each came from.
class Trace {
 public:
  Trace(size_t lines, Blame* blame) : blame_(blame), origin_(lines) {
    blame_->lines.assign(lines, Blame::kOlder);
    std::iota(origin_.begin(), origin_.end(), size_t{0});
    left_ = lines;
  }

  bool done() const { return left_ == 0; }

  // What the commit changed is its own; the rest is looked for in the text before it.
  void Step(const CommitInfo& commit, const std::vector<LineChange>& changes, size_t lines_before) {
    size_t place = blame_->commits.size();
    bool used = false;
    std::vector<size_t> before(lines_before, Blame::kOlder);
    size_t from = 0, to = 0;  // the next line of each side that is not told of
    auto keep = [&](size_t until) {
      for (; from < until && to < before.size(); ++from, ++to) before[to] = origin_[from];
    };
    for (const LineChange& change : changes) {
      keep(change.new_begin);
      for (size_t i = 0; i < change.new_count; ++i, ++from) {
        if (from >= origin_.size() || origin_[from] == Blame::kOlder) continue;
        blame_->lines[origin_[from]] = place;
        --left_;
        used = true;
      }
      to = change.old_begin + change.old_count;
    }
    keep(origin_.size());
    if (used) blame_->commits.push_back(commit);
    origin_ = std::move(before);
  }

 private:
  Blame* blame_;
  std::vector<size_t> origin_;  // by line of the text of the moment: its line in the newest
  size_t left_ = 0;             // lines of the newest text that nothing is known of
};

}  // namespace

std::vector<LineChange> DiffLines(std::string_view before, std::string_view after) {
  std::vector<LineChange> changes;
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.context_lines = 0;
  options.interhunk_lines = 0;
  options.flags |= GIT_DIFF_FORCE_TEXT;
  Check(git_diff_buffers(before.data(), before.size(), nullptr, after.data(), after.size(), nullptr,
                         &options, nullptr, nullptr, AppendChange, nullptr, &changes),
        "compare texts");
  return changes;
}

Blame FindBlame(const GitRepository& git, const GitOid& commit, std::string_view path,
                const BlameLimits& limits) {
  std::optional<TreeEntry> here = git.FindEntry(commit, path);
  if (!here || here->kind == EntryKind::kFolder)
    throw Error(Code::kNotFound, "There is no file " + std::string(path))
        .WithWireCode("EntryNotFound");
  std::string text = git.ReadBlob(here->oid, limits.max_file_bytes);
  Blame blame;
  Trace trace(CountLines(text), &blame);
  GitOid at = commit;
  size_t changes = 0;
  for (size_t step = 0; step < limits.max_steps && !trace.done(); ++step) {
    CommitInfo info = git.ReadCommit(at);
    std::optional<TreeEntry> before;
    if (!info.parents.empty()) before = git.FindEntry(info.parents.front(), path);
    if (before && before->kind == EntryKind::kFolder) before.reset();
    if (!before) {
      // The file begins here.
      trace.Step(info, {{0, 0, 0, CountLines(text)}}, 0);
      break;
    }
    if (before->oid != here->oid) {
      if (++changes > limits.max_changes || git.BlobSize(before->oid) > limits.max_file_bytes)
        break;
      std::string older = git.ReadBlob(before->oid, limits.max_file_bytes);
      trace.Step(info, DiffLines(older, text), CountLines(older));
      text = std::move(older);
    }
    at = info.parents.front();
    here = before;
  }
  return blame;
}

}  // namespace hearth::storage
