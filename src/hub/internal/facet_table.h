// Which facets there are and which tags are their values: the table behind facets.h, and the value
// lists that CatalogTable keeps. Constant data and pure functions, but for FacetColumn, which is
// guarded like its table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/types.h"

namespace hearth::hub {

// Tags that only the catalog sees begin with this: "\x01p:fill-mask" is the task itself, however
// many tags name tasks.
inline constexpr char kHiddenTag = '\x01';
std::string HiddenTag(char kind, std::string_view text);

enum class FacetKind : uint8_t { kTags, kGated, kUpdated, kAuthor, kKinds, kFits };
enum class FacetOrder : uint8_t { kByCount, kByScale };

struct FacetDef {
  std::string_view key;
  std::string_view label;
  bool models, datasets, spaces;
  FacetKind kind;
  bool many;
  FacetOrder order;
  // kTags: the value that a tag stands for in this facet; nullopt = none.
  std::optional<std::string> (*value_of)(RepoType type, std::string_view tag);
  std::string (*label_of)(std::string_view value);
  // In place of value_of, where a tag stands for several.
  std::vector<std::string_view> (*values_of)(RepoType type, std::string_view tag) = nullptr;

  bool Has(RepoType type) const {
    return type == RepoType::kModel ? models : type == RepoType::kDataset ? datasets : spaces;
  }
};

std::span<const FacetDef> FacetDefs();
const FacetDef* FindFacet(RepoType type, std::string_view key);  // nullptr when unknown
inline size_t FacetIndex(const FacetDef& def) {
  return static_cast<size_t>(&def - FacetDefs().data());
}

// "1B-3B", ...: the part of the scale that a number of parameters lies in; "" for 0.
std::string_view ParameterRangeOf(uint64_t parameters);
// Place on the facet's scale, for FacetOrder::kByScale.
size_t ScalePlace(std::string_view key, std::string_view value);
std::optional<uint32_t> ParseUpdatedDays(std::string_view value);
std::span<const std::string_view> UpdatedSpans();

// What the inspector calls models (docs/inspector.md), those that lists can be narrowed to.
struct ModelKind {
  std::string_view kind, label;
};
std::span<const ModelKind> ModelKinds();  // at most 32
std::optional<size_t> KindPlace(std::string_view kind);
// A bit for each kind of "adapter:proved,base:inferred" that is proved or declared; that a model is
// a base can only be inferred, and counts so.
uint32_t KindBits(std::string_view kinds);

// Memories of usual GPUs, rising.
struct FitSize {
  std::string_view name;  // "24GiB"
  uint64_t bytes;
};
std::span<const FitSize> FitSizes();
// The first size that holds it; FitSizes().size() for more than all.
size_t FitPlace(uint64_t bytes);
struct FitLimit {
  bool cpu = false;
  uint64_t bytes = 0;  // that a model may take
};
// "24GiB" (of a GPU), "RTX 4090", "cpu:32GiB", "node". Throws kInvalidArgument.
FitLimit ParseFit(std::string_view value);

// Values of one facet in one table: each is the union of the tags that stand for it.
struct FacetColumn {
  struct Value {
    std::string text;
    std::vector<uint32_t> tags;
  };
  std::vector<Value> values;
  std::unordered_map<std::string, uint32_t> by_text;

  void Add(std::string text, uint32_t tag);
  const Value* Find(const std::string& text) const;
};

}  // namespace hearth::hub
