#include "search/query.h"

#include <algorithm>

#include "base/bytes.h"
#include "search/analyzer.h"
#include "search/internal/folding.h"
#include "text/utf8.h"

namespace hearth::search {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Parser {
 public:
  Parser(std::string_view text, std::span<const std::string_view> keys) : keys_(keys) {
    query_.text = std::string(TruncateUtf8Bytes(text, kMaxQueryBytes));
  }

  Query Parse() {
    const std::string& text = query_.text;
    while (at_ < text.size()) {
      if (IsSpace(text[at_])) {
        ++at_;
        continue;
      }
      Item();
    }
    return std::move(query_);
  }

 private:
  void Item() {
    const std::string& text = query_.text;
    bool without = text[at_] == '-' && at_ + 1 < text.size() && !IsSpace(text[at_ + 1]);
    if (without) ++at_;
    if (text[at_] == '"') {
      Phrase(without);
      return;
    }
    size_t begin = at_;
    while (at_ < text.size() && !IsSpace(text[at_]) && text[at_] != '"') {
      if (text[at_] == ':' && IsKey(std::string_view(text).substr(begin, at_ - begin)) &&
          !without) {
        Filter(begin);
        return;
      }
      ++at_;
    }
    if (without) {
      AddPhrase(std::string_view(text).substr(begin, at_ - begin), true);
    } else {
      Words(begin, at_);
    }
  }

  bool IsKey(std::string_view name) const {
    return std::find(keys_.begin(), keys_.end(), name) != keys_.end();
  }

  // key:value or key:"a value"; at_ is at the colon.
  void Filter(size_t begin) {
    const std::string& text = query_.text;
    std::string key = text.substr(begin, at_ - begin);
    ++at_;
    bool quoted = at_ < text.size() && text[at_] == '"';
    if (quoted) ++at_;
    size_t from = at_;
    while (at_ < text.size() && (quoted ? text[at_] != '"' : !IsSpace(text[at_]))) ++at_;
    std::string value = text.substr(from, at_ - from);
    if (quoted && at_ < text.size()) ++at_;
    if (!value.empty() && query_.filters.size() < kMaxQueryWords)
      query_.filters.emplace_back(std::move(key), std::move(value));
    query_.last_is_open = false;
  }

  void Phrase(bool without) {
    const std::string& text = query_.text;
    size_t begin = ++at_;
    while (at_ < text.size() && text[at_] != '"') ++at_;
    AddPhrase(std::string_view(text).substr(begin, at_ - begin), without);
    if (at_ < text.size()) ++at_;
    query_.last_is_open = false;
  }

  void AddPhrase(std::string_view text, bool without) {
    std::vector<QueryPhrase>& list = without ? query_.without : query_.phrases;
    if (list.size() >= kMaxQueryWords) return;
    list_.Analyze(text, AnalyzeMode::kText);
    QueryPhrase phrase;
    for (const Token& token : list_.tokens()) {
      if (phrase.terms.size() < kMaxQueryWords) phrase.terms.emplace_back(token.term);
    }
    if (!phrase.terms.empty()) list.push_back(std::move(phrase));
    if (without) query_.last_is_open = false;
  }

  void Words(size_t begin, size_t end) {
    std::string_view text = std::string_view(query_.text).substr(begin, end - begin);
    list_.Analyze(text, AnalyzeMode::kText);
    for (const Token& token : list_.tokens()) {
      if (query_.words.size() >= kMaxQueryWords) return;
      QueryWord word;
      word.term = token.term;
      word.typed = FoldText(text.substr(token.begin, token.end - token.begin));
      word.begin = begin + token.begin;
      word.end = begin + token.end;
      CodePoint first = DecodeUtf8(text.substr(token.begin));
      word.paired = first.valid && KindOf(first.value) == CharKind::kPaired;
      // "to be or not to be": once is enough.
      bool known = std::any_of(query_.words.begin(), query_.words.end(),
                               [&word](const QueryWord& other) { return other.term == word.term; });
      if (!known) query_.words.push_back(std::move(word));
    }
    query_.last_is_open =
        end == query_.text.size() && !query_.words.empty() && query_.words.back().end == end;
  }

  std::span<const std::string_view> keys_;
  Query query_;
  TokenList list_;
  size_t at_ = 0;
};

}  // namespace

Query ParseQuery(std::string_view text, std::span<const std::string_view> keys) {
  return Parser(text, keys).Parse();
}

}  // namespace hearth::search
