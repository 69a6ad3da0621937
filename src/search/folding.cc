#include "search/internal/folding.h"

#include <array>
#include <memory>

#include "text/unicode.h"

namespace hearth::search {
namespace {

// Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, the Indic scripts, Thai to Georgian, Latin
// Extended Additional and Greek Extended all lie below; what lies above is looked up each time.
constexpr char32_t kTableEnd = 0x2000;

bool IsIn(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

bool IsPaired(char32_t c) {
  if (c < 0x0E00) return false;
  return IsIn(c, 0x0E00, 0x0EFF) ||  // Thai, Lao
         IsIn(c, 0x1000, 0x109F) ||  // Burmese
         IsIn(c, 0x1780, 0x17FF) ||  // Khmer
         IsIn(c, 0x1100, 0x11FF) ||  // Hangul jamo
         IsIn(c, 0x2E80, 0x2FDF) ||  // radicals
         IsIn(c, 0x3005, 0x3007) || IsIn(c, 0x3040, 0x30FF) || IsIn(c, 0x3130, 0x318F) ||
         IsIn(c, 0x31F0, 0x31FF) || IsIn(c, 0x3400, 0x4DBF) || IsIn(c, 0x4E00, 0x9FFF) ||
         IsIn(c, 0xAC00, 0xD7A3) || IsIn(c, 0xF900, 0xFAFF) || IsIn(c, 0xFF66, 0xFFDC) ||
         IsIn(c, 0x20000, 0x3FFFF);
}

// Marks that people leave out when they type: accents, vowel points, Arabic signs, tatweel.
bool Vanishes(char32_t c) {
  return IsIn(c, 0x0300, 0x036F) || IsIn(c, 0x0483, 0x0489) || IsIn(c, 0x0591, 0x05BD) ||
         c == 0x05BF || IsIn(c, 0x05C1, 0x05C2) || IsIn(c, 0x05C4, 0x05C5) || c == 0x05C7 ||
         IsIn(c, 0x0610, 0x061A) || c == 0x0640 || IsIn(c, 0x064B, 0x065F) || c == 0x0670 ||
         IsIn(c, 0x06D6, 0x06DC) || IsIn(c, 0x06DF, 0x06E4) || IsIn(c, 0x06E7, 0x06E8) ||
         IsIn(c, 0x06EA, 0x06ED) || c == 0x00AD || c == 0x200C || c == 0x200D || c == 0xFEFF;
}

struct Special {
  char32_t from;
  char32_t to[2];
};
constexpr Special kSpecials[] = {
    {0x00DF, {'s', 's'}}, {0x1E9E, {'s', 's'}}, {0x00E6, {'a', 'e'}}, {0x00C6, {'a', 'e'}},
    {0x0153, {'o', 'e'}}, {0x0152, {'o', 'e'}}, {0x00F8, {'o', 0}},   {0x00D8, {'o', 0}},
    {0x0111, {'d', 0}},   {0x0110, {'d', 0}},   {0x00F0, {'d', 0}},   {0x00D0, {'d', 0}},
    {0x00FE, {'t', 'h'}}, {0x00DE, {'t', 'h'}}, {0x0142, {'l', 0}},   {0x0141, {'l', 0}},
    {0x0127, {'h', 0}},   {0x0126, {'h', 0}},   {0x0131, {'i', 0}},   {0x014B, {'n', 0}},
    {0x014A, {'n', 0}},   {0x03C2, {0x03C3, 0}}};

void Append(char32_t c, Folded* out) {
  if (Vanishes(c) || out->count == 4) return;
  LowerCase lower = ToLower(c);
  for (const Special& special : kSpecials) {
    if (special.from != lower.first) continue;
    for (char32_t to : special.to) {
      if (to != 0 && out->count < 4) out->c[out->count++] = to;
    }
    return;
  }
  if (!Vanishes(lower.first)) out->c[out->count++] = lower.first;
  if (lower.second != 0 && !Vanishes(lower.second) && out->count < 4)
    out->c[out->count++] = lower.second;
}

Folded Compute(char32_t c) {
  Folded out;
  // Hangul syllables and voiced kana are letters of their own, whatever they decompose to.
  bool whole = IsIn(c, 0xAC00, 0xD7A3) || IsIn(c, 0x3040, 0x30FF);
  if (whole) {
    out.c[0] = c;
    out.count = 1;
    return out;
  }
  std::u32string parts;
  Decompose(c, true, &parts);
  for (char32_t part : parts) Append(part, &out);
  return out;
}

CharKind ComputeKind(char32_t c) {
  if (c == 0xFF9E || c == 0xFF9F) return CharKind::kMark;  // voicing of half-width kana
  if (IsPaired(c)) {
    if (IsCombiningMark(c)) return CharKind::kMark;
    return IsCrateWord(c) ? CharKind::kPaired : CharKind::kBreak;
  }
  if (c == '_' || IsIn(c, 0x203F, 0x2040)) return CharKind::kBreak;
  if (Vanishes(c) || IsCombiningMark(c) || c == 0x3099 || c == 0x309A) return CharKind::kMark;
  return IsCrateWord(c) ? CharKind::kWord : CharKind::kBreak;
}

struct Tables {
  std::array<Folded, kTableEnd> folded;
  std::array<CharKind, kTableEnd> kinds;
};

const Tables& GetTables() {
  static const Tables* tables = [] {
    auto made = std::make_unique<Tables>();
    for (char32_t c = 0; c < kTableEnd; ++c) {
      made->folded[c] = Compute(c);
      made->kinds[c] = ComputeKind(c);
    }
    return made.release();
  }();
  return *tables;
}

}  // namespace

CharKind KindOf(char32_t c) {
  static const Tables& tables = GetTables();
  return c < kTableEnd ? tables.kinds[c] : ComputeKind(c);
}

const Folded& Fold(char32_t c, Folded* scratch) {
  static const Tables& tables = GetTables();
  if (c < kTableEnd) return tables.folded[c];
  *scratch = Compute(c);
  return *scratch;
}

}  // namespace hearth::search
