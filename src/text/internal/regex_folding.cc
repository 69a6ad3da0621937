#include "text/internal/regex_folding.h"

#include <algorithm>

#include "text/internal/regex_classes.h"
#include "text/internal/regex_cursor.h"

namespace hearth::regex_internal {
namespace {

CodePointSet WithVariants(char32_t c) {
  std::vector<CodePointRange> ranges{{c, c}};
  for (char32_t other : CaseVariants(c)) ranges.push_back({other, other});
  return CodePointSet::Of(std::move(ranges));
}

// Every character of the folding in any case: [sS\u017F][sS\u017F].
NodePtr AnySpelling(std::u32string_view folded) {
  NodePtr sequence = MakeNode(NodeKind::kSequence);
  for (char32_t c : folded) sequence->children.push_back(MakeSet(WithVariants(c)));
  return sequence;
}

const MultiFold* FoldingOf(char32_t c) {
  for (const MultiFold& fold : MultiFolds()) {
    if (std::find(fold.chars.begin(), fold.chars.end(), c) != fold.chars.end()) return &fold;
  }
  return nullptr;
}

// The folding that the text spells at `at`, longest first.
const MultiFold* FoldingAt(const FoldedText& text, size_t at) {
  const MultiFold* best = nullptr;
  for (const MultiFold& fold : MultiFolds()) {
    size_t length = fold.folded.size();
    if (at + length > text.size() || (best != nullptr && best->folded.size() >= length)) continue;
    bool equal = true;
    for (size_t i = 0; i < length && equal; ++i) {
      equal = SimpleFold(text[at + i]) == fold.folded[i];
    }
    if (equal) best = &fold;
  }
  return best;
}

// The single characters first: none of them can begin like a spelling of several.
NodePtr EitherForm(const MultiFold& fold) {
  NodePtr either = MakeNode(NodeKind::kAlternate);
  std::vector<CodePointRange> singles;
  for (char32_t c : fold.chars) singles.push_back({c, c});
  either->children.push_back(MakeSet(CodePointSet::Of(std::move(singles))));
  either->children.push_back(AnySpelling(fold.folded));
  return either;
}

}  // namespace

void FoldInto(FoldedText* text, bool look_behind, Node* sequence) {
  for (size_t i = 0; i < text->size();) {
    if (!look_behind) {
      const MultiFold* fold = FoldingAt(*text, i);
      size_t length = fold != nullptr ? fold->folded.size() : 1;
      if (fold == nullptr) fold = FoldingOf((*text)[i]);
      if (fold != nullptr) {
        sequence->children.push_back(EitherForm(*fold));
        i += length;
        continue;
      }
    }
    CodePointSet set = WithVariants((*text)[i]);
    if (set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last) {
      sequence->children.push_back(MakeBytes(EncodeUtf8((*text)[i])));
    } else {
      sequence->children.push_back(MakeSet(std::move(set)));
    }
    ++i;
  }
  text->clear();
}

NodePtr FoldClass(CodePointSet set, bool negative) {
  if (negative) return MakeSet(std::move(set));
  NodePtr either = MakeNode(NodeKind::kAlternate);
  either->children.push_back(nullptr);
  for (const MultiFold& fold : MultiFolds()) {
    for (char32_t c : fold.chars) {
      if (!set.Has(c)) continue;
      either->children.push_back(AnySpelling(fold.folded));
      break;
    }
  }
  if (either->children.size() == 1) return MakeSet(std::move(set));
  either->children[0] = MakeSet(std::move(set));
  return either;
}

}  // namespace hearth::regex_internal
