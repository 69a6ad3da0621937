// Parquet tables: the first rows and the schema, by ranges of the file.
#include "formats/parquet/parquet_file.h"

#include <algorithm>

#include "base/error.h"
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

constexpr size_t kShownRows = 100;
constexpr size_t kShownColumns = 80;

bool Accepts(const BlobSubject& subject) {
  return subject.ending == "parquet" || subject.head.starts_with("PAR1");
}

void Fill(const BlobSubject& subject, Json* data) {
  ParquetFile file(*subject.source);
  const ParquetSummary& summary = file.summary();
  size_t columns = std::min(summary.columns.size(), kShownColumns);
  size_t count = static_cast<size_t>(std::min<uint64_t>(summary.rows, kShownRows));
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows(count);
  std::string fault;
  for (size_t column = 0; column < columns; ++column) {
    names.push_back(summary.columns[column].path);
    std::vector<Json> cells;
    try {
      cells = file.ReadHead(column, count);
    } catch (const Error& error) {
      if (fault.empty()) fault = error.message();
    }
    for (size_t row = 0; row < count; ++row)
      rows[row].push_back(row < cells.size() ? CellText(cells[row]) : std::string());
  }
  FillTable(names, rows, count == summary.rows && columns == summary.columns.size(), data);
  Json schema = Json::Arr();
  for (const ParquetColumn& column : summary.columns) {
    schema.Push(
        Json::Obj({{"name", column.path}, {"type", column.type}, {"bytes", column.stored_bytes}}));
  }
  data->Set("schema", std::move(schema));
  data->Set("row_count", summary.rows);
  data->Set("created_by", summary.created_by);
  if (!fault.empty()) data->Set("fault", fault);
}

}  // namespace

Viewer Make_parquet() { return {"parquet", Accepts, Fill}; }

}  // namespace hearth::server
