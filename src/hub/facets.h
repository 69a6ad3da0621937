// The facets of the lists of models, data sets and Spaces: what a reader may narrow a list by, with
// the number of repositories behind each value.
//
// A facet has a key, which is also its parameter in a list's address ("task", "license", ...), and
// values. CatalogQuery::facets holds the chosen ones; Catalog::FacetsOf counts. Counts are exact
// for the actor who asks: what he may not see is in no count and under no value.
//
// Two kinds: of a facet with `many` false a repository has at most one value (its licence class,
// its task): several chosen values widen the list, and the counts say what a list with that value
// instead would hold. Of one with `many` true it may have several (languages, formats): several
// chosen values narrow the list, and the counts say what would be left with that value as well.
//
// Thread-safe; values are plain data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bitmap.h"
#include "hub/types.h"

namespace hearth::hub {

struct CatalogQuery;

struct FacetValue {
  std::string value;  // for the address
  std::string label;  // for people
  size_t count = 0;
  bool selected = false;
};

struct FacetGroup {
  std::string key;
  std::string label;
  bool many = false;
  // Most frequent first, or in the order of the scale (parameters, size, updated); values that
  // nothing has are left out, selected ones are always there.
  std::vector<FacetValue> values;
  size_t distinct = 0;  // values that something has, also those cut off
};

struct Facets {
  size_t total = 0;  // repositories of the list
  std::vector<FacetGroup> groups;
  std::vector<FacetValue> devices;  // of FacetOptions::devices, in their order
};

struct FacetOptions {
  size_t max_values = 40;         // of a group
  std::vector<std::string> only;  // keys; none = all
  // Models: values of "fits" that are counted whether chosen or not, beside the usual sizes of that
  // facet (what the reader has; at most a few).
  std::vector<std::string> devices;
  // Of the list's repositories only these, by database id (matches of a full-text search).
  const Bitmap* among = nullptr;
};

// Keys of a type's facets, in the order of Facets::groups:
// models   task kind fits parameters library language license license_class relation format
//          inference apps benchmark gated updated author
// datasets task modality size library language license license_class format benchmark gated updated
//          author
// spaces   sdk language license license_class updated author
std::vector<std::string_view> FacetKeys(RepoType type);

// Adds one chosen value to the query. False when the type has no facet of this key. Throws
// kInvalidArgument for a value that the facet cannot have (an unknown range or span); a tag that
// nothing carries is a value like any other, whose list is empty.
//   parameters "1B-3B": from the first up to but without the second; "500B-" has no end
//   updated    "7d", "30d", ...: changed within so many days
//   gated      "true", "false"        inference "available"
//   apps       "llama.cpp", "vllm", ...: programs that load one of its formats
//   benchmark  models "model-index", "eval-results": results on the card, in files; data sets
//              "official", ...: what benchmark they call themselves
//   kind       "adapter", "quantized", ...: as the inspector proved or read it
//   fits       "24GiB", "RTX 4090", "cpu:32GiB", "node": some of its weights fit that memory (of a
//              GPU, if nothing else is said) with a context of 4,096 tokens
// What the inspector read is content: gated repositories are under no kind and size, for anybody.
bool ApplyFacet(std::string_view key, std::string_view value, CatalogQuery* query);

}  // namespace hearth::hub
