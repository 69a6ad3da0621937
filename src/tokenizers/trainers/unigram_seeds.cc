#include "tokenizers/trainers/unigram_seeds.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "text/utf8.h"

namespace hearth::tokenizers {
namespace {

// Ends each word in the flat text; a piece never holds it.
constexpr char32_t kBoundary = 0;

struct Substring {
  uint32_t score;  // wraps, as the reference's
  uint32_t start;
  uint32_t length;
};

class SuffixSorter {
 public:
  SuffixSorter(const std::u32string& text, size_t depth) : text_(text), depth_(depth) {
    order_.resize(text.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(),
              [&](uint32_t a, uint32_t b) { return Compare(a, b) < 0; });
  }

  // Visits (start, length, occurrences) of each inner node of the suffix tree up to `depth`.
  template <typename Visit>
  void ForEachNode(Visit&& visit) const {
    struct Open {
      uint32_t first;
      size_t length;
    };
    std::vector<Open> stack = {{0, 0}};
    for (uint32_t i = 1; i <= order_.size(); ++i) {
      size_t common = i == order_.size() ? 0 : CommonPrefix(order_[i - 1], order_[i]);
      uint32_t first = i - 1;
      while (stack.back().length > common) {
        first = stack.back().first;
        visit(order_[first], stack.back().length, i - first);
        stack.pop_back();
      }
      if (stack.back().length < common) stack.push_back({first, common});
    }
  }

 private:
  // Characters up to the depth, the boundary among them; what follows a boundary never matters.
  size_t CommonPrefix(uint32_t a, uint32_t b) const {
    size_t length = 0;
    while (length < depth_ && a + length < text_.size() && b + length < text_.size() &&
           text_[a + length] == text_[b + length]) {
      if (text_[a + length++] == kBoundary) break;
    }
    return length;
  }

  int Compare(uint32_t a, uint32_t b) const {
    for (size_t i = 0; i < depth_; ++i) {
      bool a_ends = a + i >= text_.size(), b_ends = b + i >= text_.size();
      if (a_ends || b_ends) return static_cast<int>(b_ends) - static_cast<int>(a_ends);
      char32_t left = text_[a + i], right = text_[b + i];
      if (left != right) return left < right ? -1 : 1;
      if (left == kBoundary) return 0;
    }
    return 0;
  }

  const std::u32string& text_;
  size_t depth_;
  std::vector<uint32_t> order_;
};

std::string Encode(std::u32string_view characters) {
  std::string text;
  for (char32_t character : characters) AppendUtf8(character, &text);
  return text;
}

std::u32string Flatten(const std::vector<CountedWord>& words,
                       std::map<char32_t, uint32_t>* characters) {
  std::u32string flat;
  for (const auto& [word, count] : words) {
    if (word.empty()) continue;
    for (std::string_view rest = word; !rest.empty();) {
      CodePoint point = DecodeUtf8(rest);
      rest.remove_prefix(point.length);
      flat += point.value;
      if (point.value != kBoundary) (*characters)[point.value] += count;
    }
    flat += kBoundary;
  }
  if (flat.size() >= UINT32_MAX) {
    throw Error(Code::kTooLarge, "the different words have more than 4 G characters");
  }
  return flat;
}

std::vector<Substring> FindRepeated(const std::u32string& flat, size_t max_length) {
  std::vector<Substring> found;
  // One character more than a piece may have, so that longer nodes are told from it.
  SuffixSorter(flat, max_length + 1)
      .ForEachNode([&](uint32_t start, size_t length, uint32_t occurrences) {
        if (length < 2 || length > max_length) return;
        if (flat.find(kBoundary, start) < start + length) return;
        auto size = static_cast<uint32_t>(length);
        found.push_back({occurrences * size, start, size});
      });
  return found;
}

}  // namespace

std::vector<ScoredSeed> FindSeeds(const std::vector<CountedWord>& words, const SeedLimits& limits) {
  std::map<char32_t, uint32_t> characters;
  std::u32string flat = Flatten(words, &characters);
  std::vector<std::pair<uint32_t, char32_t>> singles;
  for (const auto& [character, count] : characters) singles.emplace_back(count, character);
  std::sort(singles.rbegin(), singles.rend());
  std::vector<ScoredSeed> seeds;
  for (const auto& [count, character] : singles) {
    seeds.emplace_back(Encode(std::u32string_view(&character, 1)), count);
  }
  std::vector<Substring> repeated = FindRepeated(flat, limits.max_piece_length);
  std::u32string_view view = flat;
  std::sort(repeated.begin(), repeated.end(), [&](const Substring& a, const Substring& b) {
    if (a.score != b.score) return a.score > b.score;
    return view.substr(a.start, a.length) > view.substr(b.start, b.length);
  });
  for (const Substring& piece : repeated) {
    seeds.emplace_back(Encode(view.substr(piece.start, piece.length)), piece.score);
    if (seeds.size() >= limits.max_seeds) break;
  }
  return seeds;
}

}  // namespace hearth::tokenizers
