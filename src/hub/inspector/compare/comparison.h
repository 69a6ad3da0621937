// Portraits side by side: the rows of all of them in one order, each marked where the columns
// differ, and which of two is the other's baseline. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/compare/portrait.h"

namespace hearth::inspector {

// Of one comparison: a page of more columns is read by nobody, and each column costs reads.
inline constexpr size_t kMaxCompared = 8;

struct ComparedCell {
  Cell cell;            // level kMissing where nothing is known
  bool applies = true;  // false: a data set has no layers
};
struct ComparedRow {
  std::string row, title;
  std::vector<ComparedCell> cells;  // one a column
  bool differs = false;
};
struct ComparedGroup {
  std::string group, title;
  std::vector<ComparedRow> rows;
};
// One column was made from another one, directly or by way of others.
struct Lineage {
  size_t baseline = 0, derivative = 0;
  std::string relation;  // "finetune", "quantized", "base"...
  Finding finding;
};

struct Comparison {
  std::vector<ComparedGroup> groups;  // with rows only
  std::vector<Lineage> lineage;
  size_t rows = 0, differing = 0;
};

// Rows that apply to no column are left out. Two cells are the same when people read the same;
// columns that a row does not apply to make no difference.
Comparison Compare(const std::vector<Portrait>& portraits);

// {"repositories": [{type, id, commit, spec}], "groups": [{group, title, rows: [{row, title,
//  differs, cells: [{value, text, level, evidence, applies}]}]}], "lineage": [...], "scores": [...]
//  (scores.h), "rows", "differing"}
Json ToJson(const Comparison& comparison, const std::vector<Portrait>& portraits);
Json ToJson(const Cell& cell);

// A table for a terminal; only rows that differ when `differences_only`.
struct TableOptions {
  bool differences_only = false;
  size_t column_width = 34;  // characters
};
std::string ComparisonText(const Comparison& comparison, const std::vector<Portrait>& portraits,
                           const TableOptions& options);

}  // namespace hearth::inspector
