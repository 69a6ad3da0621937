// Comma-separated tables: the first rows, the first of them as the head.
#include "base/error.h"
#include "codec/csv.h"
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject& subject) {
  return (subject.ending == "csv" || subject.ending == "tsv") && !subject.binary;
}

void Fill(const BlobSubject& subject, Json* data) {
  CsvTable table = ParseCsv(subject.head, GuessDelimiter(subject.head), subject.whole(),
                            {.max_rows = 501, .max_columns = 100, .max_cell_bytes = 500});
  if (table.rows.empty()) throw Error(Code::kInvalidArgument, "This table has no rows.");
  std::vector<std::string> columns = std::move(table.rows.front());
  table.rows.erase(table.rows.begin());
  FillTable(columns, table.rows, table.all, data);
  if (table.all) data->Set("row_count", table.rows.size());
}

}  // namespace

Viewer Make_table() { return {"table", Accepts, Fill}; }

}  // namespace hearth::server
