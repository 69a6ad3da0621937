#include <algorithm>
#include <unordered_map>

#include "text/internal/unicode_blobs.h"
#include "text/unicode.h"
#include "text/utf8.h"

// Normalization forms (UAX 15) with the bookkeeping of tokenizers' alignments. A character is
// decomposed, the marks behind a starter are sorted by combining class (stable), and for NFC/NFKC
// what composes is joined again. Every decomposed character carries its `change`: 0 the first of
// its source, 1 the others. Joining two adds the changes and takes one off, so that a composition
// of n source characters ends at 1 - n.

namespace hearth {

using namespace unicode_internal;  // NOLINT: the tables of this file's subject

namespace {

constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeads = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTails = 0x11A7;  // one before the first
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTailCount = 28;
constexpr char32_t kLeadCount = 19;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

bool IsSyllable(char32_t c) { return c - kSyllables < kSyllableCount; }

class Decompositions {
 public:
  explicit Decompositions(std::string_view blob) {
    BlobReader reader(blob);
    char32_t key = 0;
    while (!reader.AtEnd()) {
      key += reader.Number();
      keys_.push_back(key);
      starts_.push_back(static_cast<uint32_t>(pool_.size()));
      uint32_t count = reader.Number();
      for (uint32_t i = 0; i < count; ++i) pool_ += static_cast<char32_t>(reader.Number());
    }
    starts_.push_back(static_cast<uint32_t>(pool_.size()));
  }

  std::u32string_view Find(char32_t c) const {
    auto found = std::lower_bound(keys_.begin(), keys_.end(), c);
    if (found == keys_.end() || *found != c) return {};
    auto i = static_cast<size_t>(found - keys_.begin());
    return std::u32string_view(pool_).substr(starts_[i], starts_[i + 1] - starts_[i]);
  }

 private:
  std::vector<char32_t> keys_;
  std::vector<uint32_t> starts_;
  std::u32string pool_;
};

const Decompositions& Canonical() {
  static const Decompositions table(kCanonicalBlob);
  return table;
}

const Decompositions& Compatible() {
  static const Decompositions table(kCompatibleBlob);
  return table;
}

const std::unordered_map<uint64_t, char32_t>& Compositions() {
  static const auto table = [] {
    std::unordered_map<uint64_t, char32_t> pairs;
    BlobReader reader(kCompositionBlob);
    char32_t first = 0;
    while (!reader.AtEnd()) {
      first += reader.Number();
      char32_t second = reader.Number();
      pairs.emplace((uint64_t{first} << 32) | second, reader.Number());
    }
    return pairs;
  }();
  return table;
}

template <typename Take>
void DecomposeTo(char32_t c, bool compatible, Take&& take) {
  uint32_t flags = c < 0x80 ? 0 : FlagsOf(c);
  if ((flags & (kDecomposes | kCompatible)) == 0) return take(c);
  if (IsSyllable(c)) {
    char32_t index = c - kSyllables;
    take(kLeads + index / (kVowelCount * kTailCount));
    take(kVowels + index / kTailCount % kVowelCount);
    if (index % kTailCount != 0) take(kTails + index % kTailCount);
    return;
  }
  std::u32string_view parts;
  if (compatible && (flags & kCompatible) != 0) {
    parts = Compatible().Find(c);
  } else if ((flags & kDecomposes) != 0) {
    parts = Canonical().Find(c);
  }
  if (parts.empty()) return take(c);
  for (char32_t part : parts) take(part);
}

struct Item {
  char32_t c;
  int32_t change;
  uint8_t combining;
};

// Collects a starter and what follows it up to the next one; hands complete stretches on.
class Sorter {
 public:
  explicit Sorter(std::vector<NormalizedChar>* out) : out_(out) {}

  void Put(char32_t c, int32_t change) {
    uint8_t combining = c < 0x300 ? 0 : CombiningClass(c);
    if (combining == 0) {
      Flush();
      out_->push_back({c, change});
      return;
    }
    marks_.push_back({c, change, combining});
  }

  void Flush() {
    if (marks_.empty()) return;
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](const Item& a, const Item& b) { return a.combining < b.combining; });
    for (const Item& mark : marks_) out_->push_back({mark.c, mark.change});
    marks_.clear();
  }

 private:
  std::vector<NormalizedChar>* out_;
  std::vector<Item> marks_;
};

// Joins within the decomposed characters from `begin` on; what is left closes ranks.
void Recompose(size_t begin, std::vector<NormalizedChar>* chars) {
  size_t kept = begin;
  size_t starter = SIZE_MAX;
  int last = -1;  // combining class of the last mark kept behind the starter; -1: none
  for (size_t i = begin; i < chars->size(); ++i) {
    NormalizedChar item = (*chars)[i];
    int combining = item.c < 0x300 ? 0 : CombiningClass(item.c);
    if (starter != SIZE_MAX && last < combining) {
      NormalizedChar& base = (*chars)[starter];
      if (char32_t joined = Compose(base.c, item.c)) {
        base = {joined, base.change + item.change - 1};
        continue;
      }
    }
    if (combining == 0) {
      starter = kept;
      last = -1;
    } else if (starter != SIZE_MAX) {
      last = combining;
    }
    (*chars)[kept++] = item;
  }
  chars->resize(kept);
}

bool IsCompatibility(NormalizationForm form) {
  return form == NormalizationForm::kNfkc || form == NormalizationForm::kNfkd;
}

bool IsComposing(NormalizationForm form) {
  return form == NormalizationForm::kNfc || form == NormalizationForm::kNfkc;
}

uint32_t TroublesOf(NormalizationForm form) {
  uint32_t flags = kReorders | kDecomposes;
  if (IsComposing(form)) flags |= kSecond;
  if (IsCompatibility(form)) flags |= kCompatible;
  return flags;
}

// A character that a composing form takes apart and puts together again is no trouble by itself.
bool IsTrouble(char32_t c, uint32_t troubles, bool composing) {
  uint32_t flags = FlagsOf(c);
  if (composing && (flags & kComposes) != 0) flags &= ~uint32_t{kDecomposes};
  return (flags & troubles) != 0;
}

}  // namespace

uint8_t CombiningClass(char32_t c) { return static_cast<uint8_t>(kCombiningTrie.Get(c)); }

char32_t Compose(char32_t first, char32_t second) {
  if (second < 0x300) return 0;
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTailCount;
  }
  if (IsSyllable(first) && (first - kSyllables) % kTailCount == 0 && second > kTails &&
      second < kTails + kTailCount) {
    return first + (second - kTails);
  }
  if (!Has(second, kSecond)) return 0;
  const auto& pairs = Compositions();
  auto found = pairs.find((uint64_t{first} << 32) | second);
  return found == pairs.end() ? 0 : found->second;
}

void Decompose(char32_t c, bool compatible, std::u32string* out) {
  DecomposeTo(c, compatible, [out](char32_t part) { *out += part; });
}

void Normalize(NormalizationForm form, std::string_view text, std::vector<NormalizedChar>* out) {
  size_t begin = out->size();
  bool compatible = IsCompatibility(form);
  Sorter sorter(out);
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    text.remove_prefix(point.length);
    int32_t change = 0;
    DecomposeTo(point.value, compatible, [&](char32_t part) {
      sorter.Put(part, change);
      change = 1;
    });
  }
  sorter.Flush();
  if (IsComposing(form)) Recompose(begin, out);
}

namespace {

// The first character that is in the way, or text.size().
size_t FindTrouble(std::string_view text, size_t at, uint32_t troubles, bool composing) {
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    CodePoint point = DecodeUtf8(text.substr(at));
    if (!point.valid || IsTrouble(point.value, troubles, composing)) return at;
    at += point.length;
  }
  return at;
}

// Where the stretch that such a character belongs to ends: the next one that is no trouble.
size_t FindCalm(std::string_view text, size_t at, uint32_t troubles, bool composing) {
  while (at < text.size()) {
    CodePoint point = DecodeUtf8(text.substr(at));
    if (point.valid && !IsTrouble(point.value, troubles, composing)) return at;
    at += point.length;
  }
  return at;
}

// The character before `at` (above `begin`): what a mark at `at` may compose with.
size_t OneBefore(std::string_view text, size_t begin, size_t at) {
  size_t back = at - 1;
  while (back > begin && (static_cast<unsigned char>(text[back]) & 0xC0) == 0x80) --back;
  return back;
}

}  // namespace

bool IsSurelyNormalized(NormalizationForm form, std::string_view text) {
  return FindTrouble(text, 0, TroublesOf(form), IsComposing(form)) == text.size();
}

// Only the stretches around characters that may change go the long way. Such a stretch begins one
// character early and ends before a calm one: those are starters that nothing before them composes
// with.
std::string Normalize(NormalizationForm form, std::string_view text) {
  uint32_t troubles = TroublesOf(form);
  bool composing = IsComposing(form);
  size_t trouble = FindTrouble(text, 0, troubles, composing);
  if (trouble == text.size()) return std::string(text);
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  std::vector<NormalizedChar> chars;
  size_t copied = 0;
  while (true) {
    size_t begin =
        trouble > copied && trouble < text.size() ? OneBefore(text, copied, trouble) : trouble;
    result.append(text.substr(copied, begin - copied));
    if (begin == text.size()) return result;
    size_t end = FindCalm(text, trouble, troubles, composing);
    chars.clear();
    Normalize(form, text.substr(begin, end - begin), &chars);
    for (const NormalizedChar& item : chars) AppendUtf8(item.c, &result);
    copied = end;
    trouble = FindTrouble(text, end, troubles, composing);
  }
}

}  // namespace hearth
