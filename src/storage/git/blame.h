// Which commit each line of a text file comes from. Thread-safe as GitRepository is.
//
// Walks the first parents from a commit, newest first, and carries the lines that a change left as
// they were to the text before it, as `git blame --first-parent` does. Work is bounded: what the
// limits leave untold is said to be older, never guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/git/git_repository.h"

namespace hearth::storage {

// Lines [old_begin, old_begin + old_count) became [new_begin, new_begin + new_count); from 0.
struct LineChange {
  size_t old_begin = 0, old_count = 0;
  size_t new_begin = 0, new_count = 0;
};
// The changes from one text to another, in order. Throws kInternal.
std::vector<LineChange> DiffLines(std::string_view before, std::string_view after);

struct BlameLimits {
  size_t max_steps = 2000;              // commits looked at for whether they changed the file
  size_t max_changes = 100;             // of the file that are read
  uint64_t max_file_bytes = 256 << 10;  // an older text that is larger ends the walk
};

struct Blame {
  static constexpr size_t kOlder = SIZE_MAX;
  std::vector<CommitInfo> commits;  // newest first
  std::vector<size_t> lines;        // a place in `commits` for each line, or kOlder
};
// Of the file at `path` in `commit`, which is at most max_file_bytes long. EntryNotFound when there
// is none. A line ends with \n or the text.
Blame FindBlame(const GitRepository& git, const GitOid& commit, std::string_view path,
                const BlameLimits& limits = {});

}  // namespace hearth::storage
