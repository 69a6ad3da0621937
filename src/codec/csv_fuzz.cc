// Any bytes are a table within the limits.
#include <cstdint>
#include <cstdlib>

#include "codec/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  hearth::CsvLimits limits{.max_rows = 50, .max_columns = 10, .max_cell_bytes = 100};
  hearth::CsvTable table =
      hearth::ParseCsv(text, hearth::GuessDelimiter(text), data[0] & 1, limits);
  if (table.rows.size() > limits.max_rows) std::abort();
  for (const auto& row : table.rows) {
    if (row.size() > limits.max_columns) std::abort();
    for (const std::string& cell : row) {
      if (cell.size() > limits.max_cell_bytes + 3) std::abort();
    }
  }
  return 0;
}
