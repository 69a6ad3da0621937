// JSON lines, and JSON files that are one list of objects: a table with a column for each key.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxRows = 300;
constexpr size_t kMaxColumns = 60;

bool Accepts(const BlobSubject& subject) {
  if (subject.binary) return false;
  if (subject.ending == "jsonl" || subject.ending == "ndjson") return true;
  if (subject.ending != "json" || !subject.whole()) return false;
  size_t first = subject.head.find_first_not_of(" \t\r\n");
  return first != std::string::npos && subject.head[first] == '[';
}

class Records {
 public:
  void Add(const Json& record) {
    const Json::Object* members = record.AsObject();
    if (members == nullptr)
      throw Error(Code::kInvalidArgument, "Not every entry of this file is an object.");
    std::vector<std::string> row(columns_.size());
    for (const auto& [key, value] : *members) {
      auto [at, fresh] = places_.try_emplace(key, columns_.size());
      if (fresh) {
        if (columns_.size() == kMaxColumns) {
          places_.erase(at);
          all_ = false;
          continue;
        }
        columns_.push_back(key);
        row.emplace_back();
      }
      row[at->second] = CellText(value);
    }
    rows_.push_back(std::move(row));
  }
  bool full() const { return rows_.size() == kMaxRows; }
  void Fill(bool all, Json* data) const {
    if (rows_.empty()) throw Error(Code::kInvalidArgument, "This file has no records.");
    FillTable(columns_, rows_, all && all_, data);
    if (all) data->Set("row_count", rows_.size());
  }

 private:
  std::vector<std::string> columns_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<std::vector<std::string>> rows_;
  bool all_ = true;
};

void Fill(const BlobSubject& subject, Json* data) {
  Records records;
  bool all = subject.whole();
  if (subject.ending == "json") {
    Json list = Json::Parse(subject.head);
    for (const Json& record : *list.AsArray()) {
      if (records.full()) {
        all = false;
        break;
      }
      records.Add(record);
    }
  } else {
    std::string_view text = subject.head;
    while (!text.empty()) {
      size_t end = text.find('\n');
      if (end == std::string_view::npos && !subject.whole()) break;  // its end is not here
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      if (records.full()) {
        all = false;
        break;
      }
      records.Add(Json::Parse(line));
    }
  }
  records.Fill(all, data);
}

}  // namespace

Viewer Make_records() { return {"table", Accepts, Fill}; }

}  // namespace hearth::server
