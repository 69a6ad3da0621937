// Rows of comma-separated text (RFC 4180), as lenient as files in the wild need: any of , ; tab and
// | between cells, quotes anywhere in a cell, LF or CRLF, a byte order mark. Pure and thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct CsvLimits {
  size_t max_rows = 1000;
  size_t max_columns = 200;      // further cells of a row are left out
  size_t max_cell_bytes = 2000;  // a longer cell is cut between two characters and gets "…"
};

struct CsvTable {
  char delimiter = ',';
  std::vector<std::vector<std::string>> rows;
  bool all = true;            // false: rows or cells were left out
  size_t widest_columns = 0;  // of the rows that were read, before max_columns
};

// The delimiter that cuts the first lines into equal numbers of cells, most of them; ',' in doubt.
char GuessDelimiter(std::string_view text);
// `complete` = `text` is the whole file; else its last line may be cut and is left out.
CsvTable ParseCsv(std::string_view text, char delimiter, bool complete,
                  const CsvLimits& limits = {});

}  // namespace hearth
