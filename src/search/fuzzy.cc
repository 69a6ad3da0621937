#include "search/internal/fuzzy.h"

#include <algorithm>
#include <array>

#include "text/utf8.h"

namespace hearth::search {

size_t EditsFor(size_t characters) {
  if (characters < kMinFuzzyLength) return 0;
  return characters < 8 ? 1 : 2;
}

std::u32string ToCodePoints(std::string_view text) {
  std::u32string points;
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    points.push_back(point.value);
    text.remove_prefix(point.length);
  }
  return points;
}

size_t EditDistance(std::u32string_view a, std::u32string_view b, size_t limit) {
  constexpr size_t kMost = kMaxFuzzyLength + 2;
  if (a.size() >= kMost || b.size() >= kMost) return limit + 1;
  std::array<std::array<uint8_t, kMost + 1>, 3> rows;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<uint8_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = static_cast<uint8_t>(i);
    uint8_t least = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = a[i - 1] == b[j - 1];
      int best = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = std::min(best, two_above[j - 2] + 1);
      row[j] = static_cast<uint8_t>(best);
      least = std::min(least, row[j]);
    }
    // A swap may still reach back over this row, at the cost that the row above shows.
    if (least > limit && *std::min_element(above.begin(), above.begin() + b.size() + 1) >= limit)
      return limit + 1;
  }
  return std::min<size_t>(rows[a.size() % 3][b.size()], limit + 1);
}

namespace {

// More bits than `edits` (1 or 2) are set. Cheaper than counting them, and the compiler turns the
// loop over it into vector code.
bool HasMoreThan(uint32_t bits, size_t edits) {
  bits &= bits - 1;
  if (edits > 1) bits &= bits - 1;
  return bits != 0;
}

}  // namespace

std::vector<NearTerm> FindNear(const Segment& segment, std::u32string_view word, size_t edits,
                               size_t most) {
  std::vector<NearTerm> found;
  uint32_t signature = SignatureOf(word);
  size_t low = std::max(kMinFuzzyLength, word.size() > edits ? word.size() - edits : 0);
  size_t high = std::min(kMaxFuzzyLength, word.size() + edits);
  for (size_t length = low; length <= high; ++length) {
    const Segment::FuzzyGroup& group = segment.FuzzyOf(length);
    for (size_t i = 0; i < group.signatures.size(); ++i) {
      uint32_t other = group.signatures[i];
      // A replaced character takes one bit away and adds another.
      if (HasMoreThan(signature & ~other, edits) || HasMoreThan(other & ~signature, edits))
        continue;
      TermEntry entry = segment.TermAt(group.ordinals[i]);
      size_t distance = EditDistance(word, ToCodePoints(entry.term), edits);
      if (distance > 0 && distance <= edits) found.push_back({std::move(entry), distance});
    }
  }
  auto nearer = [](const NearTerm& a, const NearTerm& b) {
    if (a.edits != b.edits) return a.edits < b.edits;
    if (a.entry.documents != b.entry.documents) return a.entry.documents > b.entry.documents;
    return a.entry.term < b.entry.term;
  };
  size_t kept = std::min(most, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(kept), found.end(),
                    nearer);
  found.resize(kept);
  return found;
}

}  // namespace hearth::search
