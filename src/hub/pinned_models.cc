#include "hub/pinned_models.h"

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kPrefix = "pinned_model/";

}  // namespace

std::vector<int64_t> PinnedModels(storage::Database& db) {
  std::vector<int64_t> ids;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT key FROM meta WHERE key LIKE 'pinned_model/%' ORDER BY key", {},
            [&](const storage::Row& row) {
              if (auto id = ParseUint(row.Str(0).substr(kPrefix.size())))
                ids.push_back(static_cast<int64_t>(*id));
            });
  });
  return ids;
}

void SetPinnedModel(storage::Database& db, int64_t repo_id, bool pinned) {
  std::string key = std::string(kPrefix) + std::to_string(repo_id);
  db.Write([&](storage::Connection& c) {
    if (pinned) {
      c.Exec("INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO NOTHING", {key});
    } else {
      c.Exec("DELETE FROM meta WHERE key = ?", {key});
    }
  });
}

}  // namespace hearth::hub
