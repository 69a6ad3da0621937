#include "codec/csv.h"

#include <algorithm>

namespace hearth {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Reads one row from the front of `text`; false when the row has no end because the text is cut.
class RowReader {
 public:
  RowReader(std::string_view text, char delimiter, bool complete)
      : text_(text), delimiter_(delimiter), complete_(complete) {}

  bool Next(std::vector<std::string>* cells) {
    if (at_ >= text_.size()) return false;
    cells->clear();
    cells->emplace_back();
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (quoted) {
        if (c != '"') {
          cells->back() += c;
        } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          cells->back() += '"';
          ++at_;
        } else {
          quoted = false;
        }
      } else if (c == '"' && cells->back().empty()) {
        quoted = true;
      } else if (c == delimiter_) {
        cells->emplace_back();
      } else if (c == '\n') {
        ++at_;
        DropReturn(cells);
        return true;
      } else {
        cells->back() += c;
      }
    }
    DropReturn(cells);
    return complete_;
  }

 private:
  static void DropReturn(std::vector<std::string>* cells) {
    if (cells->back().ends_with('\r')) cells->back().pop_back();
  }

  std::string_view text_;
  char delimiter_;
  bool complete_;
  size_t at_ = 0;
};

void CutCell(std::string* cell, const CsvLimits& limits, bool* all) {
  if (cell->size() <= limits.max_cell_bytes) return;
  size_t end = limits.max_cell_bytes;
  while (end > 0 && (static_cast<unsigned char>((*cell)[end]) & 0xC0) == 0x80) --end;
  cell->resize(end);
  *cell += "…";
  *all = false;
}

}  // namespace

char GuessDelimiter(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = text.substr(0, 64 << 10);
  char best = ',';
  size_t best_score = 0;
  for (char delimiter : {',', '\t', ';', '|'}) {
    RowReader reader(text, delimiter, false);
    std::vector<std::string> cells;
    size_t columns = 0, equal = 0;
    for (int row = 0; row < 20 && reader.Next(&cells); ++row) {
      if (row == 0) columns = cells.size();
      if (cells.size() == columns) ++equal;
    }
    size_t score = columns > 1 ? equal * columns : 0;
    if (score > best_score) {
      best = delimiter;
      best_score = score;
    }
  }
  return best;
}

CsvTable ParseCsv(std::string_view text, char delimiter, bool complete, const CsvLimits& limits) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvTable table;
  table.delimiter = delimiter;
  table.all = complete;
  RowReader reader(text, delimiter, complete);
  std::vector<std::string> cells;
  while (reader.Next(&cells)) {
    if (cells.size() == 1 && cells[0].empty()) continue;  // an empty line
    if (table.rows.size() == limits.max_rows) {
      table.all = false;
      break;
    }
    table.widest_columns = std::max(table.widest_columns, cells.size());
    if (cells.size() > limits.max_columns) {
      cells.resize(limits.max_columns);
      table.all = false;
    }
    for (std::string& cell : cells) CutCell(&cell, limits, &table.all);
    table.rows.push_back(std::move(cells));
    cells = {};
  }
  return table;
}

}  // namespace hearth
