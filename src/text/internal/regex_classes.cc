#include "text/internal/regex_classes.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "text/internal/unicode_blobs.h"
#include "text/internal/unicode_tables.h"

namespace hearth::regex_internal {
namespace {

using unicode_internal::BlobReader;

// Lower case without the characters that do not count.
std::string Simplified(std::string_view name) {
  std::string simple;
  for (char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    simple += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return simple;
}

struct Alias {
  const char* name;
  const char* of;  // space: a union
};

// Names that stand for others (PropertyValueAliases of the Unicode database, simplified).
constexpr Alias kAliases[] = {
#include "text/internal/regex_aliases.inc"
};

class Properties {
 public:
  static const Properties& Get() {
    static const Properties properties;
    return properties;
  }

  const CodePointSet* Find(const std::string& name) const {
    auto found = sets_.find(name);
    return found == sets_.end() ? nullptr : &found->second;
  }

 private:
  Properties() {
    BlobReader reader(unicode_internal::kPropertyBlob);
    CodePointSet assigned;
    while (!reader.AtEnd()) {
      std::string name(reader.Bytes(reader.Number()));
      std::vector<CodePointRange> ranges(reader.Number());
      char32_t at = 0;
      for (CodePointRange& range : ranges) {
        range.first = at + reader.Number();
        at = range.first + reader.Number();
        range.last = at - 1;
      }
      if (name[0] != '[') name = Simplified(name);
      sets_.emplace(std::move(name), CodePointSet::Of(std::move(ranges)));
    }
    sets_.emplace("cs", CodePointSet::Of({{0xD800, 0xDFFF}}));
    for (const Alias& alias : kAliases) {
      CodePointSet set;
      std::string_view of = alias.of;
      while (!of.empty()) {
        size_t space = std::min(of.find(' '), of.size());
        set.Add(sets_.at(std::string(of.substr(0, space))));
        of.remove_prefix(std::min(of.size(), space + 1));
      }
      sets_.emplace(alias.name, std::move(set));
    }
    CodePointSet unassigned = sets_.at("assigned").Negated();
    sets_.emplace("cn", unassigned);
    sets_.emplace("unassigned", unassigned);
    unassigned.Add(sets_.at("cc"));
    for (const char* part : {"cf", "co", "cs"}) unassigned.Add(sets_.at(part));
    sets_.emplace("c", unassigned);
    sets_.emplace("other", unassigned);
    sets_.emplace("any", CodePointSet::All());
    sets_.emplace("ascii", CodePointSet::Of({{0, 0x7F}}));
  }

  std::map<std::string, CodePointSet> sets_;
};

class Folding {
 public:
  static const Folding& Get() {
    static const Folding folding;
    return folding;
  }

  std::vector<std::vector<char32_t>> classes;
  std::unordered_map<char32_t, uint32_t> class_of;
  std::vector<MultiFold> multi;

 private:
  Folding() {
    BlobReader reader(unicode_internal::kFoldBlob);
    classes.resize(reader.Number());
    for (uint32_t i = 0; i < classes.size(); ++i) {
      classes[i].resize(reader.Number());
      for (char32_t& c : classes[i]) {
        c = reader.Number();
        class_of.emplace(c, i);
      }
    }
    multi.resize(reader.Number());
    for (MultiFold& fold : multi) {
      fold.folded.resize(reader.Number());
      for (char32_t& c : fold.folded) c = reader.Number();
      fold.chars.resize(reader.Number());
      for (char32_t& c : fold.chars) c = reader.Number();
    }
  }
};

}  // namespace

std::optional<CodePointSet> FindProperty(std::string_view name) {
  std::string simple = Simplified(name);
  const Properties& properties = Properties::Get();
  // \p{Punct} is the category, [[:punct:]] takes the symbols too.
  if (simple == "punct") simple = "p";
  if (const CodePointSet* set = properties.Find("[" + simple + "]")) return *set;
  if (!simple.empty() && simple[0] == '[') return std::nullopt;
  if (const CodePointSet* set = properties.Find(simple)) return *set;
  return std::nullopt;
}

std::optional<CodePointSet> FindPosixBracket(std::string_view name) {
  if (name == "ascii") return CodePointSet::Of({{0, 0x7F}});
  const CodePointSet* set = Properties::Get().Find("[" + std::string(name) + "]");
  return set == nullptr ? std::nullopt : std::optional(*set);
}

const CodePointSet& WordSet() { return *Properties::Get().Find("[word]"); }
const CodePointSet& DigitSet() { return *Properties::Get().Find("[digit]"); }
const CodePointSet& SpaceSet() { return *Properties::Get().Find("[space]"); }

const CodePointSet& BareWordSet() {
  static const CodePointSet set = [] {
    CodePointSet bare = WordSet();
    bare.Add(CodePointSet::Of({{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}}));
    return bare;
  }();
  return set;
}

const CodePointBitmap& WordBitmap() {
  static const CodePointBitmap bitmap(BareWordSet());
  return bitmap;
}

std::vector<char32_t> CaseVariants(char32_t c) {
  const Folding& folding = Folding::Get();
  auto found = folding.class_of.find(c);
  if (found == folding.class_of.end()) return {};
  std::vector<char32_t> others = folding.classes[found->second];
  others.erase(std::remove(others.begin(), others.end(), c), others.end());
  return others;
}

const std::vector<MultiFold>& MultiFolds() { return Folding::Get().multi; }

char32_t SimpleFold(char32_t c) {
  const Folding& folding = Folding::Get();
  auto found = folding.class_of.find(c);
  return found == folding.class_of.end() ? c : folding.classes[found->second][0];
}

CodePointSet CaseClosure(const CodePointSet& set) {
  std::vector<CodePointRange> ranges = set.ranges();
  for (const auto& members : Folding::Get().classes) {
    bool any = std::any_of(members.begin(), members.end(), [&](char32_t c) { return set.Has(c); });
    if (!any) continue;
    for (char32_t c : members) ranges.push_back({c, c});
  }
  return CodePointSet::Of(std::move(ranges));
}

}  // namespace hearth::regex_internal
