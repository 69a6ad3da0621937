// Text to terms, the same way for documents and queries: words of any script, with case, width and
// diacritics folded away.
//
// - A word is a run of letters, marks and digits of one kind of script; a dot between digits stays
//   ("3.1"), as do "c++" and "c#".
// - Scripts that do not put spaces between words (Han, kana, Hangul, Thai, Lao, Khmer, Burmese)
// give
//   overlapping pairs of characters, a lone character itself. Korean does put spaces, but glues its
//   particles to the words: pairs find the word without them.
// - Folding: compatibility forms (full width, ligatures), lower case, marks of Latin, Greek and
//   Cyrillic letters, vowel points of Arabic and Hebrew; a few letters that do not decompose
//   ("ø", "ß", "ı"). Marks of Indic scripts are parts of words and stay.
// - A plural "s" of ASCII words is taken away by three plain rules; nothing else is stemmed, as
// what
//   helps one language harms another.
// - Names and code (kName, kCode) give the parts of compound words as well: "BertForMaskedLM" is
//   also "bert", "for", "masked", "lm"; names also the words around one "-", "_" or "." joined:
//   "llama-3" is also "llama3".
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::search {

enum class AnalyzeMode : uint8_t { kText, kName, kCode };

struct Token {
  std::string_view term;        // UTF-8, at most kMaxTermBytes, in TokenList's own memory
  uint32_t begin = 0, end = 0;  // bytes of the source
  uint32_t position = 0;        // of the word; parts and joined forms stand on that of their word
  bool extra = false;           // a part or a joined form
};

inline constexpr size_t kMaxTermBytes = 64;

// The tokens of one text, in its order; reusable, so that analysing many texts allocates little.
class TokenList {
 public:
  // Replaces the content. Texts above 4 GiB are cut there.
  void Analyze(std::string_view text, AnalyzeMode mode);
  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  friend class AnalyzerRun;
  std::vector<Token> tokens_;
  std::vector<uint32_t> term_at_;
  std::string terms_;
};

// A single word as terms have it: folded, not stemmed. For prefixes that people are still typing.
std::string FoldText(std::string_view text);

}  // namespace hearth::search
