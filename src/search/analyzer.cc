#include "search/analyzer.h"

#include <algorithm>

#include "search/internal/folding.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::search {
namespace {

// Longer runs are no words (hashes, base64): only their start is kept.
constexpr size_t kMaxParts = 12;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Half-width kana carry their voicing as a character of its own.
bool ComposeWithLast(char32_t mark, std::string* out) {
  if ((mark != 0x3099 && mark != 0x309A) || out->size() < 3) return false;
  CodePoint last = DecodeUtf8(std::string_view(*out).substr(out->size() - 3));
  char32_t whole = last.valid && last.length == 3 ? Compose(last.value, mark) : 0;
  if (whole == 0) return false;
  out->resize(out->size() - 3);
  AppendUtf8(whole, out);
  return true;
}

void AppendFolded(char32_t c, std::string* out) {
  if (c < 0x80) {
    char byte = static_cast<char>(c);
    out->push_back(IsUpper(byte) ? static_cast<char>(byte | 0x20) : byte);
    return;
  }
  Folded scratch;
  const Folded& folded = Fold(c, &scratch);
  for (size_t i = 0; i < folded.count; ++i) {
    if (!ComposeWithLast(folded.c[i], out)) AppendUtf8(folded.c[i], out);
  }
}

// "models" and "model", "libraries" and "library", "classes" and "class" are one term. Three rules,
// which leave words alone whose "s" is no plural more often than not ("this", "bias", "corpus").
void CutPlural(std::string* terms, size_t at) {
  std::string_view word = std::string_view(*terms).substr(at);
  if (word.size() < 4 || word.back() != 's') return;
  if (!std::all_of(word.begin(), word.end(), IsLower)) return;
  if (word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") || word.ends_with("as"))
    return;
  if (word.size() > 4 && word.ends_with("ies")) {
    terms->resize(terms->size() - 3);
    terms->push_back('y');
    return;
  }
  bool es = word.size() > 5 && (word.ends_with("sses") || word.ends_with("xes") ||
                                word.ends_with("ches") || word.ends_with("shes"));
  terms->resize(terms->size() - (es ? 2 : 1));
}

}  // namespace

// One pass over a text. Words are closed in the order of the text.
class AnalyzerRun {
 public:
  AnalyzerRun(std::string_view text, AnalyzeMode mode, TokenList* list)
      : text_(text.substr(0, UINT32_MAX)), mode_(mode), list_(*list) {}

  void Run() {
    while (at_ < text_.size()) Step();
    CloseWord();
    ClosePairs();
    if (mode_ == AnalyzeMode::kName) JoinNeighbours();
    for (size_t i = 0; i < list_.tokens_.size(); ++i) {
      size_t from = list_.term_at_[i], to = list_.term_at_[i + 1];
      list_.tokens_[i].term = std::string_view(list_.terms_).substr(from, to - from);
    }
  }

 private:
  struct Unit {  // a character of a script without spaces, with its marks
    size_t begin, end;
  };

  void Step() {
    auto byte = static_cast<unsigned char>(text_[at_]);
    CodePoint point{byte, 1, true};
    if (byte >= 0x80) point = DecodeUtf8(text_.substr(at_));
    CharKind kind = point.valid ? KindOf(point.value) : CharKind::kBreak;
    size_t next = at_ + point.length;
    if (kind == CharKind::kMark) {
      if (in_word_) {
        word_end_ = next;
      } else if (!units_.empty()) {
        units_.back().end = next;
      } else {
        kind = CharKind::kBreak;
      }
    }
    if (kind == CharKind::kWord) {
      ClosePairs();
      if (!in_word_) word_begin_ = at_;
      in_word_ = true;
      word_end_ = next;
    } else if (kind == CharKind::kPaired) {
      CloseWord();
      units_.push_back({at_, next});
    } else if (kind == CharKind::kBreak && !StaysInWord(next)) {
      CloseWord();
      ClosePairs();
    }
    at_ = next;
  }

  // "3.1", "c++", "c#".
  bool StaysInWord(size_t next) {
    if (!in_word_ || word_end_ != at_) return false;
    char here = text_[at_];
    bool after_digit = IsDigit(text_[at_ - 1]);
    if (here == '.' && after_digit && next < text_.size() && IsDigit(text_[next])) {
      word_end_ = next;
      return true;
    }
    bool one_letter = word_end_ - word_begin_ == 1 && !after_digit;
    bool c_plus = one_letter && here == '+' && next < text_.size() && text_[next] == '+';
    bool second_plus = word_end_ - word_begin_ == 2 && here == '+' && text_[at_ - 1] == '+';
    if ((one_letter && here == '#') || c_plus || second_plus) {
      word_end_ = next;
      return true;
    }
    return false;
  }

  void Open() {
    if (list_.term_at_.empty()) list_.term_at_.push_back(0);
  }
  size_t TermStart() const { return list_.term_at_.back(); }
  void Close(size_t begin, size_t end, bool extra) {
    std::string& terms = list_.terms_;
    size_t start = TermStart();
    if (terms.size() - start > kMaxTermBytes)
      terms.resize(start +
                   TruncateUtf8Bytes(std::string_view(terms).substr(start), kMaxTermBytes).size());
    if (terms.size() == start) return;
    list_.term_at_.push_back(static_cast<uint32_t>(terms.size()));
    list_.tokens_.push_back({{},
                             static_cast<uint32_t>(begin),
                             static_cast<uint32_t>(end),
                             static_cast<uint32_t>(position_),
                             extra});
  }
  void AddRange(size_t begin, size_t end, bool extra) {
    Open();
    size_t start = TermStart();
    for (size_t at = begin; at < end && list_.terms_.size() - start <= kMaxTermBytes;) {
      auto byte = static_cast<unsigned char>(text_[at]);
      CodePoint point{byte, 1, true};
      if (byte >= 0x80) point = DecodeUtf8(text_.substr(at));
      AppendFolded(point.value, &list_.terms_);
      at += point.length;
    }
    CutPlural(&list_.terms_, start);
    Close(begin, end, extra);
  }

  void CloseWord() {
    if (!in_word_) return;
    in_word_ = false;
    AddRange(word_begin_, word_end_, false);
    if (mode_ != AnalyzeMode::kText) AddParts(word_begin_, word_end_);
    ++position_;
  }

  // Splits an ASCII word where a lower-case letter meets a capital, before the last of several
  // capitals that a lower-case letter follows, and between letters and digits.
  void AddParts(size_t begin, size_t end) {
    std::string_view word = text_.substr(begin, end - begin);
    if (word.size() < 2 || word.size() > kMaxTermBytes || !IsAscii(word)) return;
    std::vector<size_t> cuts;
    for (size_t i = 1; i < word.size(); ++i) {
      char before = word[i - 1], here = word[i];
      bool camel =
          (IsLower(before) && IsUpper(here)) ||
          (IsUpper(before) && IsUpper(here) && i + 1 < word.size() && IsLower(word[i + 1]));
      bool number = IsDigit(before) != IsDigit(here) && before != '.' && here != '.';
      if (camel || number) cuts.push_back(i);
    }
    if (cuts.empty() || cuts.size() > kMaxParts) return;
    cuts.push_back(word.size());
    size_t from = 0;
    for (size_t to : cuts) {
      AddRange(begin + from, begin + to, true);
      from = to;
    }
  }

  void ClosePairs() {
    for (size_t i = 0; i + 1 < units_.size() || (i == 0 && units_.size() == 1); ++i) {
      size_t end = units_[std::min(i + 1, units_.size() - 1)].end;
      AddRange(units_[i].begin, end, false);
      ++position_;
    }
    units_.clear();
  }

  // "llama-3" as "llama3": people write names either way.
  void JoinNeighbours() {
    std::vector<Token> words;
    std::vector<std::string> texts;
    for (size_t i = 0; i < list_.tokens_.size(); ++i) {
      if (list_.tokens_[i].extra) continue;
      words.push_back(list_.tokens_[i]);
      texts.push_back(
          list_.terms_.substr(list_.term_at_[i], list_.term_at_[i + 1] - list_.term_at_[i]));
    }
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i + 1].begin != words[i].end + 1) continue;
      char between = text_[words[i].end];
      if (between != '-' && between != '_' && between != '.') continue;
      list_.terms_ += texts[i];
      list_.terms_ += texts[i + 1];
      position_ = words[i].position;
      Close(words[i].begin, words[i + 1].end, true);
    }
  }

  std::string_view text_;
  const AnalyzeMode mode_;
  TokenList& list_;
  size_t at_ = 0;
  bool in_word_ = false;
  size_t word_begin_ = 0, word_end_ = 0;
  std::vector<Unit> units_;
  size_t position_ = 0;
};

void TokenList::Analyze(std::string_view text, AnalyzeMode mode) {
  tokens_.clear();
  term_at_.assign(1, 0);
  terms_.clear();
  AnalyzerRun(text, mode, this).Run();
}

std::string FoldText(std::string_view text) {
  std::string folded;
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    AppendFolded(point.value, &folded);
    text.remove_prefix(point.length);
  }
  return folded;
}

}  // namespace hearth::search
