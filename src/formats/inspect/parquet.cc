#include "formats/parquet/parquet_file.h"

#include "formats/inspect/inspector.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (first.starts_with("PAR1") || first.starts_with("PARE")) return 100;
  return name.ends_with(".parquet") ? 50 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  ParquetFile file(source);
  const ParquetSummary& summary = file.summary();
  out->Add("rows", summary.rows, "footer, num_rows");
  out->Add("columns", summary.columns.size(), "footer, schema");
  out->Add("row groups", summary.row_group_rows.size(), "footer, row_groups");
  Json codecs = Json::Arr();
  for (const std::string& codec : summary.codecs) codecs.Push(codec);
  if (!summary.codecs.empty()) out->Add("codecs", std::move(codecs), "footer, column metadata");
  if (!summary.created_by.empty()) out->Add("created by", summary.created_by, "footer, created_by");
  Json schema = Json::Obj();
  for (const ParquetColumn& column : summary.columns) schema.Set(column.path, column.type);
  out->Add("schema", std::move(schema), "footer, schema");
  for (const auto& [key, value] : summary.metadata) out->metadata.emplace_back(key, Json(value));
}

}  // namespace

extern const Inspector kParquetInspector;
const Inspector kParquetInspector = {"parquet", Probe, Inspect};

}  // namespace hearth
