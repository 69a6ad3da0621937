#include "hub/inspector/card/card_document.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/markdown_outline.h"
#include "codec/yaml.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::inspector {
namespace {

using Kind = MarkdownBlock::Kind;

constexpr YamlLimits kFrontMatterLimits{
    .max_bytes = 1u << 20, .max_depth = 60, .max_nodes = 100'000};
constexpr size_t kMaxSections = 2000;

// What templates of cards leave where nobody wrote: blanks to fill in, and the sentences that stand
// in every card that was made by a program. Lower case; taken out before words are counted.
constexpr std::string_view kResidue[] = {
    "[more information needed]",
    "[needs more information]",
    "[information needed]",
    "more information needed for further recommendations.",
    "more information needed",
    "users (both direct and downstream) should be made aware of the risks, biases and limitations "
    "of the model.",
    "use the code below to get started with the model.",
    "[optional]",
    "[todo]",
    "[tbd]",
    "[n/a]",
    "[add here]",
    "[insert here]",
    "[your text here]",
    "[placeholder]",
    "{{ placeholder }}",
    "to be added",
    "to be determined",
    "coming soon",
    "work in progress",
};
// A whole text that says as little.
constexpr std::string_view kEmptyWords[] = {"todo", "tbd", "tba", "n/a", "na",  "none",
                                            "wip",  "-",   "...", "?",   "xxx", "fixme"};

std::string_view StripEnds(std::string_view text) {
  constexpr std::string_view kEnds = " \t\r\n.:;!*_-";
  size_t begin = text.find_first_not_of(kEnds);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kEnds) - begin + 1);
}

// The text without residue; `found` is set when there was some. ASCII case is folded to find it, so
// that positions stay.
std::string TakeOutResidue(std::string text, bool* found) {
  for (std::string_view phrase : kResidue) {
    std::string lower = AsciiLower(text);
    size_t at = lower.find(phrase);
    if (at == std::string::npos) continue;
    *found = true;
    std::string kept;
    size_t from = 0;
    for (; at != std::string::npos; at = lower.find(phrase, from)) {
      kept.append(text, from, at - from);
      from = at + phrase.size();
    }
    kept.append(text, from);
    text = std::move(kept);
  }
  std::string lower = AsciiLower(StripEnds(text));
  bool empty =
      std::find(std::begin(kEmptyWords), std::end(kEmptyWords), lower) != std::end(kEmptyWords);
  if (empty) {
    *found = true;
    return {};
  }
  return text;
}

// "- **Developed by:** " with nothing behind it is a label, not a text.
bool IsBareLabel(std::string_view text) {
  text = TrimAscii(text);
  return text.size() < 80 && text.ends_with(':');
}

bool HasDigit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class SectionBuilder {
 public:
  SectionBuilder(size_t first_line, CardDocument* card) : first_line_(first_line), card_(card) {
    card_->sections.emplace_back().line = first_line;
  }

  void Add(MarkdownBlock block) {
    size_t line = first_line_ + block.line - 1;
    if (block.kind == Kind::kHeading) return Heading(std::move(block), line);
    CardSection& section = card_->sections.back();
    for (std::string& link : block.links) section.links.push_back(std::move(link));
    if (block.kind == Kind::kCode) {
      card_->code.push_back(
          {std::move(block.language), std::move(block.text), line, card_->sections.size() - 1});
      return;
    }
    if (block.kind == Kind::kTable && HasDigit(block.text)) ++section.table_rows;
    std::string text = TakeOutResidue(std::move(block.text), &section.residue);
    if (IsBareLabel(text)) return;
    section.words += CountWords(text);
    if (!section.text.empty()) section.text += '\n';
    section.text += TrimAscii(text);
  }

 private:
  void Heading(MarkdownBlock block, size_t line) {
    if (card_->sections.size() >= kMaxSections) return;
    CardSection& section = card_->sections.emplace_back();
    section.heading = std::move(block.text);
    section.level = block.level;
    section.line = line;
    section.id = std::move(block.id);
  }

  size_t first_line_;
  CardDocument* card_;
};

void ReadFrontMatter(const std::string& yaml, CardDocument* card) {
  size_t number = 2;  // behind the marker line
  for (std::string_view line : Split(yaml, '\n')) {
    size_t colon = line.find(':');
    bool key = colon != std::string_view::npos && colon > 0 && line[0] != ' ' && line[0] != '#' &&
               line[0] != '-' && line[0] != '\t';
    if (key) card->key_lines.emplace_back(line.substr(0, colon), number);
    ++number;
  }
  try {
    Json data = ParseYaml(yaml, kFrontMatterLimits);
    if (data.is_object()) {
      card->data = std::move(data);
    } else if (!data.is_null()) {
      card->problems.push_back("the metadata must be `key: value` lines");
    }
  } catch (const Error& error) {
    card->problems.push_back(error.message());
  }
}

}  // namespace

std::string CardDocument::PlaceOf(std::string_view key) const {
  for (const auto& [name, line] : key_lines) {
    if (name == key) return "line " + std::to_string(line);
  }
  return {};
}

CardDocument ParseCard(const std::optional<std::string>& readme) {
  CardDocument card;
  card.present = readme.has_value();
  size_t first_line = 1;
  std::string body;
  if (readme) {
    FrontMatter parts = SplitFrontMatter(*readme);
    auto all = std::count(readme->begin(), readme->end(), '\n');
    auto below = std::count(parts.body.begin(), parts.body.end(), '\n');
    first_line = 1 + static_cast<size_t>(std::max<ptrdiff_t>(0, all - below));
    if (parts.present) ReadFrontMatter(parts.yaml, &card);
    body = std::move(parts.body);
  }
  SectionBuilder sections(first_line, &card);
  try {
    for (MarkdownBlock& block : OutlineMarkdown(body, kMaxCardBytes))
      sections.Add(std::move(block));
  } catch (const Error& error) {
    if (error.code() != Code::kTooLarge) throw;
    card.too_large = true;
    card.problems.push_back(error.message());
  }
  return card;
}

std::vector<std::string> ListedTexts(const Json* value) {
  std::vector<std::string> list;
  if (value == nullptr) return list;
  auto add = [&list](const Json& item) {
    if (const std::string* text = item.AsString()) {
      if (!text->empty()) list.push_back(*text);
    } else if (item.is_number()) {
      list.push_back(item.Dump());
    }
  };
  if (const Json::Array* items = value->AsArray()) {
    for (const Json& item : *items) add(item);
  } else {
    add(*value);
  }
  return list;
}

std::vector<std::string> CardList(const Json& data, std::string_view key) {
  return ListedTexts(data.Find(key));
}

std::string CardText(const Json& data, std::string_view key) {
  const Json* value = data.Find(key);
  if (value == nullptr) return {};
  if (const std::string* text = value->AsString()) return *text;
  return value->is_number() ? value->Dump() : std::string();
}

size_t CountWords(std::string_view text) {
  size_t words = 0, wide = 0, thai = 0;
  bool in_word = false;
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    text.remove_prefix(std::max<size_t>(point.length, 1));
    char32_t c = point.value;
    // Kana, Han; scripts of South-East Asia without blanks.
    bool is_wide = (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
                   (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
    bool is_thai = (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||
                   (c >= 0x1780 && c <= 0x17FF);
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  (c >= 0xC0 && c < 0x2000) || c >= 0x2C00;
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x3000;
    if (is_wide) {
      ++wide;
      in_word = false;
    } else if (is_thai) {
      ++thai;
      in_word = false;
    } else if (letter && !in_word) {
      ++words;
      in_word = true;
    } else if (blank) {
      in_word = false;
    }
  }
  return words + (wide + 1) / 2 + (thai + 4) / 5;
}

}  // namespace hearth::inspector
