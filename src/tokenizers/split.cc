#include "tokenizers/split.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hearth::tokenizers {
namespace {

constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames = {{
    {"Removed", SplitBehavior::kRemoved},
    {"Isolated", SplitBehavior::kIsolated},
    {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    {"MergedWithNext", SplitBehavior::kMergedWithNext},
    {"Contiguous", SplitBehavior::kContiguous},
}};

// Joins a piece to the one before it when join(piece, previous) says so.
template <typename Join>
void JoinPieces(std::vector<Piece>* pieces, Join&& join) {
  size_t kept = 0;
  bool previous = false;
  for (const Piece& piece : *pieces) {
    if (kept > 0 && join(piece.match, previous)) {
      (*pieces)[kept - 1].end = piece.end;
    } else {
      (*pieces)[kept++] = piece;
    }
    previous = piece.match;
  }
  pieces->resize(kept);
}

void JoinWithNext(std::vector<Piece>* pieces) {
  size_t kept = pieces->size();
  bool previous = false;
  for (size_t i = pieces->size(); i-- > 0;) {
    Piece piece = (*pieces)[i];
    if (kept < pieces->size() && piece.match && !previous) {
      (*pieces)[kept].begin = piece.begin;
    } else {
      (*pieces)[--kept] = piece;
    }
    previous = piece.match;
  }
  pieces->erase(pieces->begin(), pieces->begin() + static_cast<ptrdiff_t>(kept));
}

}  // namespace

std::string_view SplitBehaviorName(SplitBehavior behavior) {
  for (const auto& [name, value] : kNames) {
    if (value == behavior) return name;
  }
  return {};
}

std::optional<SplitBehavior> FindSplitBehavior(std::string_view name) {
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

void FindPieces(const Regex& regex, std::string_view text, std::vector<Piece>* pieces) {
  if (text.empty()) {
    pieces->push_back({0, 0, false});
    return;
  }
  auto add = [pieces](size_t begin, size_t end, bool match) {
    pieces->push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), match});
  };
  size_t gap = 0;
  regex.ForEachMatch(text, [&](RegexMatch match) {
    if (gap != match.begin) add(gap, match.begin, false);
    add(match.begin, match.end, true);
    gap = match.end;
  });
  if (gap != text.size()) add(gap, text.size(), false);
}

void Invert(std::vector<Piece>* pieces) {
  for (Piece& piece : *pieces) piece.match = !piece.match;
}

void ApplyBehavior(SplitBehavior behavior, std::vector<Piece>* pieces) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      std::erase_if(*pieces, [](const Piece& piece) { return piece.match; });
      return;
    case SplitBehavior::kIsolated:
      return;
    case SplitBehavior::kMergedWithPrevious:
      return JoinPieces(pieces, [](bool match, bool previous) { return match && !previous; });
    case SplitBehavior::kMergedWithNext:
      return JoinWithNext(pieces);
    case SplitBehavior::kContiguous:
      return JoinPieces(pieces, [](bool match, bool previous) { return match == previous; });
  }
}

}  // namespace hearth::tokenizers
