#include "tokenizers/loaders/merge_rules.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/error.h"
#include "tokenizers/loaders/parts.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

struct Rule {
  std::string_view left;
  std::string_view right;
  double score;
  size_t left_chars;
  size_t right_chars;
};

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

// Trying every cut of a token costs its length squared. Real vocabularies stay below 10^8 in all.
constexpr double kMaxWork = 2e10;

template <typename Items, typename Text>
Vocab IndexOf(const Items& items, Text text) {
  std::vector<Vocab::Entry> entries;
  entries.reserve(items.size());
  double work = 0;
  for (const auto& item : items) {
    entries.emplace_back(text(item), static_cast<uint32_t>(entries.size()));
    double bytes = static_cast<double>(entries.back().first.size());
    work += bytes * bytes;
  }
  if (work > kMaxWork) throw Error(Code::kTooLarge, "the tokens are too long to merge");
  return Vocab(entries);
}

}  // namespace

MergeRules RulesFromScores(const std::vector<ScoredPiece>& pieces) {
  Vocab index = IndexOf(pieces, [](const ScoredPiece& p) { return std::string_view(p.text); });
  std::vector<Rule> rules;
  for (const ScoredPiece& piece : pieces) {
    std::string_view text = piece.text;
    auto chars = static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCharacter));
    size_t before = 0;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if (!StartsCharacter(text[cut])) continue;
      ++before;
      if (!index.FindId(text.substr(0, cut)) || !index.FindId(text.substr(cut))) continue;
      rules.push_back({text.substr(0, cut), text.substr(cut), piece.score, before, chars - before});
    }
  }
  std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
    return std::tie(a.score, a.left_chars, a.right_chars) >
           std::tie(b.score, b.left_chars, b.right_chars);
  });
  MergeRules result;
  result.reserve(rules.size());
  for (const Rule& rule : rules) result.emplace_back(rule.left, rule.right);
  return result;
}

MergeRules RulesFromRanks(const std::vector<std::string>& tokens) {
  Vocab index = IndexOf(tokens, [](const std::string& token) { return std::string_view(token); });
  MergeRules result;
  std::vector<std::tuple<uint32_t, uint32_t, size_t>> local;
  for (const std::string& token : tokens) {
    std::string_view text = token;
    local.clear();
    for (size_t cut = 1; cut < text.size(); ++cut) {
      auto left = index.FindId(text.substr(0, cut));
      auto right = left ? index.FindId(text.substr(cut)) : std::nullopt;
      if (right) local.emplace_back(*left, *right, cut);
    }
    std::sort(local.begin(), local.end());
    for (const auto& [left, right, cut] : local) {
      result.emplace_back(parts::SpellBytes(text.substr(0, cut)),
                          parts::SpellBytes(text.substr(cut)));
    }
  }
  return result;
}

}  // namespace hearth::tokenizers
