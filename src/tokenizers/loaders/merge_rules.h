// Merge rules of vocabularies that do not list them: SentencePiece scores and byte ranks say only
// how good a token is, so every way to make it of two other tokens is a rule at its place. O(tokens
// x their length).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

using MergeRules = std::vector<std::pair<std::string, std::string>>;

struct ScoredPiece {
  std::string text;  // valid UTF-8
  double score = 0;  // higher merges first
};

// Cuts between characters. Rules of equal score: longer left parts (in characters) first, then
// longer right ones, then in the order of `pieces`.
MergeRules RulesFromScores(const std::vector<ScoredPiece>& pieces);

// `tokens` by rank, best first; cuts between bytes. The rules of one token are ordered by the ranks
// of their parts. Bytes are spelled as byte-level vocabularies do.
MergeRules RulesFromRanks(const std::vector<std::string>& tokens);

}  // namespace hearth::tokenizers
