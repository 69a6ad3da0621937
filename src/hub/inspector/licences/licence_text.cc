#include "hub/inspector/licences/licence_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "base/bytes.h"
#include "base/hash.h"
#include "hub/inspector/licences/licence.h"
#include "hub/inspector/licences/licence_words.h"

namespace hearth::inspector {
namespace {

// The GPL has 5,650 words; files that hold a licence and more are a few times as long.
constexpr size_t kMaxTextBytes = 1 << 20;
constexpr size_t kMaxMentions = 20;
// Below, too many words differ to call it the licence.
constexpr double kLeastShare = 0.75;

struct Print {
  std::string_view id;
  std::string_view name;
  size_t words;
  size_t core_words;
  uint32_t core_first;
  std::string_view core_digest;
  std::vector<uint32_t> sample;
  std::vector<uint32_t> unique;
};

// Empty rows are possible (no unique shingle).
template <typename... Values>
std::vector<uint32_t> Hashes(Values... values) {
  return {static_cast<uint32_t>(values)...};
}

const std::vector<Print>& Prints() {
  static const auto* prints = new std::vector<Print>{
#define HEARTH_LICENCE_PRINT(id, name, words, core, first, digest, sample, unique) \
  {id, name, words, core, first, digest, Hashes sample, Hashes unique},
#include "hub/inspector/licences/licence_prints.inc"
#undef HEARTH_LICENCE_PRINT
  };
  return *prints;
}

// Share of `wanted` that `have` (sorted) holds; 1 for nothing wanted.
double ShareOf(const std::vector<uint32_t>& wanted, const std::vector<uint32_t>& have) {
  if (wanted.empty()) return 1;
  auto found = std::count_if(wanted.begin(), wanted.end(), [&](uint32_t hash) {
    return std::binary_search(have.begin(), have.end(), hash);
  });
  return static_cast<double>(found) / static_cast<double>(wanted.size());
}

struct Name {
  std::vector<std::string> words;
  std::string_view id;
};

// By first word, longest first.
using NameIndex = std::unordered_map<std::string, std::vector<Name>>;

void AddName(std::string_view text, std::string_view id, NameIndex* index) {
  std::vector<std::string> words = LicenceWords(text);
  if (words.size() < 2 && id != "cc0-1.0" && words.front().find("gplv") == std::string::npos)
    return;  // "zlib", "mit", "bsd" alone are words of other sentences, too
  std::string first = words.front();
  (*index)[first].push_back({std::move(words), id});
}

const NameIndex& Names() {
  static const auto* names = [] {
    auto* made = new NameIndex;
    for (const Licence& licence : AllLicences()) {
      if (licence.cls >= LicenceClass::kOther) continue;
      AddName(licence.name, licence.id, made);
      AddName(licence.id, licence.id, made);
      if (!licence.spdx.empty()) AddName(licence.spdx, licence.id, made);
      AddName(std::string(licence.id) + " license", licence.id, made);
    }
#define HEARTH_LICENCE_NAME(id, words) AddName(words, id, made);
#include "hub/inspector/licences/licence_names.inc"
#undef HEARTH_LICENCE_NAME
    for (auto& [first, list] : *made) {
      std::stable_sort(list.begin(), list.end(), [](const Name& a, const Name& b) {
        return a.words.size() > b.words.size();
      });
    }
    return made;
  }();
  return *names;
}

const Name* NameAt(const std::vector<std::string>& words, size_t at) {
  auto found = Names().find(words[at]);
  if (found == Names().end()) return nullptr;
  for (const Name& name : found->second) {
    if (name.words.size() > words.size() - at) continue;
    if (std::equal(name.words.begin(), name.words.end(), words.begin() + static_cast<long>(at)))
      return &name;
  }
  return nullptr;
}

// A heading's rank and its words in lower case; rank 0 for other lines.
size_t HeadingRank(std::string_view line) {
  size_t rank = 0;
  while (rank < line.size() && line[rank] == '#') ++rank;
  return rank > 0 && rank <= 6 && rank < line.size() && line[rank] == ' ' ? rank : 0;
}

bool SpeaksOfLicence(std::string_view heading) {
  static constexpr std::string_view kWords[] = {
      "license",  "licence",  "licensing", "licencia", "licença", "licenza", "lizenz", "licentie",
      "licencja", "lisans",   "лицензи",   "许可",     "許可",    "授权",    "授權",   "ライセンス",
      "라이선스", "라이센스", "giấy phép", "lisensi",  "लाइसेंस",   "ترخيص"};
  std::string lower = AsciiLower(heading);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// A hostile file can begin the same text many times.
constexpr int kMaxStarts = 8;

bool HoldsCore(const Print& print, const std::vector<std::string>& words) {
  int starts = 0;
  for (size_t at = 0; at + print.core_words <= words.size() && starts < kMaxStarts; ++at) {
    if (ShingleAt(words, at) != print.core_first) continue;
    ++starts;
    Sha256Hasher hasher;
    for (size_t i = at; i < at + print.core_words; ++i) {
      if (i > at) hasher.Update(" ");
      hasher.Update(words[i]);
    }
    if (hasher.Finish().Hex().starts_with(print.core_digest)) return true;
  }
  return false;
}

// Texts share words: where the best one fits, a second one counts only if there are words for it.
std::vector<TextMatch> WithRoom(std::vector<TextMatch> likely, size_t words) {
  std::vector<TextMatch> matches;
  auto left = static_cast<ptrdiff_t>(words);
  for (TextMatch& match : likely) {
    ptrdiff_t needs = static_cast<ptrdiff_t>(words) - match.extra_words;
    bool known = std::any_of(matches.begin(), matches.end(),
                             [&](const TextMatch& seen) { return seen.name == match.name; });
    if (known || (!matches.empty() && needs * 3 / 4 > left)) continue;
    left -= needs;
    matches.push_back(std::move(match));
  }
  std::stable_sort(matches.begin(), matches.end(), [](const TextMatch& a, const TextMatch& b) {
    return a.extra_words < b.extra_words;
  });
  return matches;
}

}  // namespace

std::vector<TextMatch> MatchLicenceText(std::string_view text) {
  std::vector<std::string> words = LicenceWords(text.substr(0, kMaxTextBytes));
  if (words.size() < 40) return {};  // a name, not a text
  std::vector<uint32_t> have = Shingles(words);
  std::vector<TextMatch> likely;
  for (const Print& print : Prints()) {
    double share = ShareOf(print.sample, have);
    // A text that another one contains, but for a word here and there, is told apart by these.
    if (share < kLeastShare || ShareOf(print.unique, have) < 0.5) continue;
    const Licence* row = FindLicence(print.id);
    likely.push_back({std::string(print.id),
                      std::string(print.name.empty() ? row->name : print.name), share,
                      static_cast<ptrdiff_t>(words.size()) - static_cast<ptrdiff_t>(print.words),
                      HoldsCore(print, words)});
  }
  std::stable_sort(likely.begin(), likely.end(), [](const TextMatch& a, const TextMatch& b) {
    if (a.verbatim != b.verbatim) return a.verbatim;
    return a.share != b.share ? a.share > b.share : a.extra_words < b.extra_words;
  });
  return WithRoom(std::move(likely), words.size());
}

std::vector<LicenceMention> FindSpdxLines(std::string_view text) {
  constexpr std::string_view kMark = "SPDX-License-Identifier:";
  std::vector<LicenceMention> mentions;
  text = text.substr(0, kMaxTextBytes);
  size_t line = 1;
  while (!text.empty() && mentions.size() < kMaxMentions) {
    std::string_view row = text.substr(0, text.find('\n'));
    size_t at = row.find(kMark);
    if (at != std::string_view::npos) {
      std::string expression(TrimAscii(row.substr(at + kMark.size()).substr(0, 200)));
      for (char& c : expression) {
        if (c == '(' || c == ')' || c == '*' || c == '/') c = ' ';
      }
      for (std::string_view word : Split(expression, ' ')) {
        const Licence* licence = FindLicence(word);
        if (word.empty() || licence == nullptr || mentions.size() >= kMaxMentions) continue;
        mentions.push_back(
            {std::string(licence->id), std::string(kMark) + " " + std::string(word), line});
      }
    }
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    ++line;
  }
  return mentions;
}

std::vector<LicenceMention> FindLicenceNames(std::string_view text, size_t first_line) {
  std::vector<LicenceMention> mentions;
  text = text.substr(0, kMaxTextBytes);
  for (size_t line = first_line; !text.empty() && mentions.size() < kMaxMentions; ++line) {
    std::string_view row = text.substr(0, text.find('\n'));
    std::vector<std::string> words = LicenceWords(row);
    for (size_t at = 0; at < words.size();) {
      const Name* name = NameAt(words, at);
      bool known = name != nullptr &&
                   std::any_of(mentions.begin(), mentions.end(),
                               [&](const LicenceMention& seen) { return seen.id == name->id; });
      if (name != nullptr && !known && mentions.size() < kMaxMentions) {
        std::string shown;
        for (const std::string& word : name->words) shown += (shown.empty() ? "" : " ") + word;
        mentions.push_back({std::string(name->id), std::move(shown), line});
      }
      at += name != nullptr ? name->words.size() : 1;
    }
    text.remove_prefix(std::min(row.size() + 1, text.size()));
  }
  return mentions;
}

std::optional<TextSection> FindLicenceSection(std::string_view markdown) {
  size_t line = 0, rank = 0, begin = 0, first_line = 0;
  bool fenced = false;
  for (size_t at = 0; at < markdown.size();) {
    size_t end = std::min(markdown.find('\n', at), markdown.size());
    std::string_view row = markdown.substr(at, end - at);
    ++line;
    if (row.starts_with("```")) fenced = !fenced;
    size_t found = fenced ? 0 : HeadingRank(row);
    if (found > 0 && rank > 0 && found <= rank)
      return TextSection{markdown.substr(begin, at - begin), first_line};
    if (found > 0 && rank == 0 && SpeaksOfLicence(row)) {
      rank = found;
      begin = std::min(end + 1, markdown.size());
      first_line = line + 1;
    }
    at = end + 1;
  }
  if (rank == 0) return std::nullopt;
  return TextSection{markdown.substr(begin), first_line};
}

bool IsLicenceFileName(std::string_view path) {
  std::string lower = AsciiLower(path);
  std::string_view name = std::string_view(lower).substr(lower.rfind('/') + 1);
  static constexpr std::array kExtensions = {
      std::string_view(".py"),  std::string_view(".json"), std::string_view(".safetensors"),
      std::string_view(".png"), std::string_view(".cc"),   std::string_view(".js"),
      std::string_view(".h")};
  for (std::string_view extension : kExtensions) {
    if (name.ends_with(extension)) return false;
  }
  for (std::string_view word : {"license", "licence", "copying", "unlicense", "notice"}) {
    if (name.starts_with(word)) return true;
  }
  if (lower.starts_with("licenses/") || lower.starts_with("licences/") ||
      lower.find("/licenses/") != std::string::npos) {
    return true;
  }
  return name.find("_license") != std::string_view::npos ||
         name.find("-license") != std::string_view::npos;
}

}  // namespace hearth::inspector
