// What a folder is as a repository: kinds with evidence, reading order, card score; printed for
// people or as JSON. Used by inspect. Errors: kNotFound for a folder that is not there.
#pragma once

#include <string>

#include "codec/json.h"
#include "hub/inspector/inspect_repo.h"

namespace hearth::cli {

struct ReadingOptions {
  std::string type;  // "model", "dataset", "space"; "" = as it looks
  std::string id;    // "ns/name" that it will have; "" = the folder's name
};

inspector::RepoReading ReadFolder(const std::string& folder, const ReadingOptions& options);

// {"type", "kinds", "alarms", "references", "reading_order", "card_score", "not_read"}
Json ReadingJson(const inspector::RepoReading& reading);

void PrintReading(const inspector::RepoReading& reading, bool colour);

}  // namespace hearth::cli
