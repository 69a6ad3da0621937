#include "search/snippet.h"

#include <algorithm>

#include "search/analyzer.h"
#include "text/utf8.h"

namespace hearth::search {
namespace {

// A match with fewer bytes in front of it would stand at the very edge.
constexpr size_t kLead = 40;

struct Match {
  uint32_t begin, end;
  uint32_t term;
};

std::vector<Match> MatchesIn(std::string_view text, const std::vector<std::string>& terms,
                             AnalyzeMode mode) {
  TokenList list;
  list.Analyze(text, mode);
  std::vector<Match> matches;
  for (const Token& token : list.tokens()) {
    auto found = std::lower_bound(terms.begin(), terms.end(), token.term);
    if (found == terms.end() || *found != token.term) continue;
    matches.push_back({token.begin, token.end, static_cast<uint32_t>(found - terms.begin())});
  }
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& a, const Match& b) { return a.begin < b.begin; });
  return matches;
}

std::vector<std::pair<uint32_t, uint32_t>> Ranges(const std::vector<Match>& matches) {
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  for (const Match& match : matches) {
    if (!ranges.empty() && match.begin < ranges.back().second) {
      ranges.back().second = std::max(ranges.back().second, match.end);
    } else {
      ranges.emplace_back(match.begin, match.end);
    }
  }
  return ranges;
}

size_t CountTerms(const std::vector<Match>& matches) {
  std::vector<uint32_t> terms;
  for (const Match& match : matches) terms.push_back(match.term);
  std::sort(terms.begin(), terms.end());
  return static_cast<size_t>(std::unique(terms.begin(), terms.end()) - terms.begin());
}

// Where the window of `max_bytes` with most different terms begins; of equals the first.
size_t BestStart(const std::vector<Match>& matches, size_t max_bytes) {
  size_t best = 0, best_terms = 0, from = 0;
  std::vector<uint32_t> inside;  // terms of the window, with doubles
  for (size_t to = 0; to < matches.size(); ++to) {
    inside.push_back(matches[to].term);
    while (matches[to].end > matches[from].begin + max_bytes - 2 * kLead && from < to) {
      inside.erase(std::find(inside.begin(), inside.end(), matches[from].term));
      ++from;
    }
    std::vector<uint32_t> different = inside;
    std::sort(different.begin(), different.end());
    auto count =
        static_cast<size_t>(std::unique(different.begin(), different.end()) - different.begin());
    if (count > best_terms) {
      best_terms = count;
      best = matches[from].begin;
    }
  }
  return best;
}

bool IsBoundary(std::string_view text, size_t at) {
  return (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

// From a word's start near `at`, backwards by kLead at most.
size_t StartNear(std::string_view text, size_t at) {
  size_t low = at > kLead ? at - kLead : 0;
  if (low == 0) return 0;
  size_t space = text.find_first_of(" \n", low);
  if (space != std::string_view::npos && space < at) return space + 1;
  while (low < at && !IsBoundary(text, low)) ++low;
  return low;
}

}  // namespace

std::vector<std::pair<uint32_t, uint32_t>> FindMatches(std::string_view text,
                                                       const std::vector<std::string>& terms,
                                                       bool name) {
  return Ranges(MatchesIn(text, terms, name ? AnalyzeMode::kName : AnalyzeMode::kText));
}

Snippet MakeSnippet(const std::array<std::string, kFields>& texts,
                    const std::vector<std::string>& terms, size_t max_bytes) {
  Snippet snippet;
  std::vector<Match> matches;
  size_t best_terms = 0;
  // The text that holds most of the terms; of equals the card.
  for (Field field : {Field::kBody, Field::kCode, Field::kFiles}) {
    AnalyzeMode mode = field == Field::kBody   ? AnalyzeMode::kText
                       : field == Field::kCode ? AnalyzeMode::kCode
                                               : AnalyzeMode::kName;
    std::vector<Match> found = MatchesIn(texts[static_cast<size_t>(field)], terms, mode);
    size_t count = CountTerms(found);
    if (count <= best_terms) continue;
    best_terms = count;
    matches = std::move(found);
    snippet.field = field;
  }
  std::string_view text = texts[static_cast<size_t>(snippet.field)];
  size_t start = matches.empty() ? 0 : StartNear(text, BestStart(matches, max_bytes));
  std::string_view window = TruncateUtf8Bytes(text.substr(start), max_bytes);
  snippet.cut_before = start > 0;
  snippet.cut_after = start + window.size() < text.size();
  if (snippet.cut_after) {
    size_t space = window.find_last_of(" \n");
    if (space != std::string_view::npos && space > max_bytes / 2) window = window.substr(0, space);
  }
  snippet.text = std::string(window);
  std::erase_if(matches, [&](const Match& match) {
    return match.begin < start || match.end > start + window.size();
  });
  for (auto [begin, end] : Ranges(matches)) {
    snippet.matches.emplace_back(begin - static_cast<uint32_t>(start),
                                 end - static_cast<uint32_t>(start));
  }
  return snippet;
}

}  // namespace hearth::search
