#include "hub/catalog.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "hub/internal/catalog_impl.h"
#include "hub/tag_words.h"

namespace hearth::hub {
namespace {

// Up to here the matches are collected and the best picked; above it the sort order is walked,
// which visits on average rows * limit / matches rows and at worst all of them (about a
// millisecond a million).
constexpr size_t kGatherLimit = 20'000;
constexpr size_t kMaxTagsPerGroup = 5000;

struct SortName {
  std::string_view name;
  SortKey key;
};
constexpr SortName kSortNames[] = {
    {"trendingScore", SortKey::kTrending},  {"trending", SortKey::kTrending},
    {"createdAt", SortKey::kCreated},       {"created_at", SortKey::kCreated},
    {"lastModified", SortKey::kModified},   {"last_modified", SortKey::kModified},
    {"downloads", SortKey::kDownloads},     {"likes", SortKey::kLikes},
    {"likes30d", SortKey::kRecentLikes},    {"num_parameters", SortKey::kParameters},
    {"mainSize", SortKey::kMainSize},       {"id", SortKey::kId},
    {"trending_score", SortKey::kTrending},
};

SortPoint PointAt(const CatalogTable& table, SortKey key, uint32_t row) {
  SortPoint point;
  point.id = table.RepoAt(row)->id;
  if (key == SortKey::kId) {
    point.name = std::string(table.NameAt(row));
  } else {
    point.value = table.ValueAt(key, row);
  }
  return point;
}

// "<key>:<value>:<id>:<name>": the last row of the page, so that rows which come or go do not
// shift what follows.
std::string EncodeCursor(SortKey key, const SortPoint& point) {
  return Base64UrlEncode(std::to_string(static_cast<int>(key)) + ":" + std::to_string(point.value) +
                         ":" + std::to_string(point.id) + ":" + point.name);
}

SortPoint DecodeCursor(SortKey key, std::string_view cursor) {
  std::optional<std::string> text = Base64UrlDecode(cursor);
  std::vector<std::string_view> parts;
  if (text) parts = Split(*text, ':');
  if (parts.size() == 4 && parts[0] == std::to_string(static_cast<int>(key))) {
    std::optional<int64_t> value = ParseInt(parts[1]);
    std::optional<int64_t> id = ParseInt(parts[2]);
    if (value && id) return {*value, std::string(parts[3]), *id};
  }
  throw Error(Code::kInvalidArgument, "invalid cursor: it belongs to another list");
}

// Rows of one page (and one more, when there is one), best first.
class PageWalk {
 public:
  PageWalk(const CatalogTable& table, const CatalogQuery& query)
      : table_(table), query_(query), key_(query.sort) {
    if (!query.cursor.empty()) start_ = DecodeCursor(key_, query.cursor);
  }

  std::vector<uint32_t> Gather(const RowBitmap& rows) const {
    std::vector<uint32_t> found;
    rows.ForEach([&](uint32_t row) {
      if (IsPast(row)) found.push_back(row);
    });
    auto better = [this](uint32_t a, uint32_t b) {
      return query_.ascending ? table_.Less(key_, a, b) : table_.Less(key_, b, a);
    };
    size_t wanted = std::min(found.size(), query_.limit + 1);
    std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(wanted), found.end(),
                      better);
    found.resize(wanted);
    return found;
  }

  std::vector<uint32_t> Walk(const RowBitmap& rows) const {
    const std::vector<uint32_t>& order = table_.Order(key_);
    std::vector<uint32_t> found;
    auto take = [&](uint32_t row) {
      if (rows.Test(row)) found.push_back(row);
      return found.size() <= query_.limit;
    };
    if (query_.ascending) {
      auto from = !start_ ? order.begin()
                          : std::partition_point(order.begin(), order.end(), [&](uint32_t row) {
                              return !table_.After(key_, row, *start_);
                            });
      while (from != order.end() && take(*from)) ++from;
    } else {
      auto to = !start_ ? order.end()
                        : std::partition_point(order.begin(), order.end(), [&](uint32_t row) {
                            return table_.Before(key_, row, *start_);
                          });
      while (to != order.begin() && take(*--to)) {
      }
    }
    return found;
  }

 private:
  bool IsPast(uint32_t row) const {
    if (!start_) return true;
    return query_.ascending ? table_.After(key_, row, *start_) : table_.Before(key_, row, *start_);
  }

  const CatalogTable& table_;
  const CatalogQuery& query_;
  SortKey key_;
  std::optional<SortPoint> start_;
};

bool Narrows(const CatalogQuery& query) {
  return !query.search.empty() || !query.author.empty() || !query.filters.empty() ||
         !query.pipeline_tag.empty() || query.gated || query.min_parameters ||
         query.max_parameters || !query.linked_models.empty() || !query.linked_datasets.empty() ||
         query.linked || query.run_task || !query.facets.empty();
}

constexpr std::string_view kModelGroups[] = {"pipeline_tag", "library", "dataset", "language",
                                             "license",      "arxiv",   "other",   "region"};
constexpr std::string_view kDatasetGroups[] = {
    "task_categories", "task_ids", "size_categories", "modality",  "format",
    "library",         "language", "license",         "benchmark", "other"};

}  // namespace

std::optional<SortKey> ParseSortKey(std::string_view name) {
  for (const SortName& sort : kSortNames) {
    if (sort.name == name) return sort.key;
  }
  return std::nullopt;
}

Catalog::Catalog(storage::Database& db, Repos& repos, Objects& objects, Clock& clock,
                 ModelJudge judge)
    : impl_(std::make_unique<Impl>(db, repos, objects, clock, std::move(judge))) {
  impl_->Load();
}

Catalog::~Catalog() { Stop(); }

std::shared_lock<FairSharedMutex> Catalog::Impl::LockWithOrder(RepoType type, SortKey key) {
  std::shared_lock lock(mutex);
  while (!TableOf(type).OrderIsCurrent(key)) {
    lock.unlock();
    {
      std::unique_lock exclusive(mutex);
      TableOf(type).UpdateOrder(key);
    }
    lock.lock();
  }
  return lock;
}

CatalogPage Catalog::List(const Actor& actor, const CatalogQuery& query) const {
  CatalogPage page;
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(query.type);
  PageWalk walk(table, query);
  RowBitmap rows = table.Match(query, impl_->clock.Now());
  rows.And(table.VisibleTo(actor));
  page.total = rows.Count();
  std::vector<uint32_t> found;
  if (page.total <= kGatherLimit) {
    found = walk.Gather(rows);
  } else {
    if (!table.OrderIsCurrent(query.sort)) {
      // Rows may change while the order is brought up to date: match again under the new lock.
      lock.unlock();
      lock = impl_->LockWithOrder(query.type, query.sort);
      rows = table.Match(query, impl_->clock.Now());
      rows.And(table.VisibleTo(actor));
      page.total = rows.Count();
    }
    found = walk.Walk(rows);
  }
  if (found.size() > query.limit) {
    found.resize(query.limit);
    if (!found.empty())
      page.next_cursor = EncodeCursor(query.sort, PointAt(table, query.sort, found.back()));
  }
  page.repos.reserve(found.size());
  for (uint32_t row : found) page.repos.push_back(table.RepoAt(row));
  return page;
}

size_t Catalog::Count(const Actor& actor, const CatalogQuery& query) const {
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(query.type);
  RowBitmap rows = table.Match(query, impl_->clock.Now());
  rows.And(table.VisibleTo(actor));
  return rows.Count();
}

Bitmap Catalog::VisibleIds(const Actor& actor, const CatalogQuery& query) const {
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(query.type);
  RowBitmap visible = table.VisibleTo(actor);
  Bitmap ids;
  if (!Narrows(query)) {
    // Everything public, and what the actor sees besides: few, for most.
    ids = table.public_ids();
    visible.AndNot(table.public_rows());
    table.AddIds(visible, &ids);
    return ids;
  }
  RowBitmap rows = table.Match(query, impl_->clock.Now());
  rows.And(visible);
  table.AddIds(rows, &ids);
  return ids;
}

void Catalog::AddFactsListener(FactsListener listener) {
  impl_->facts_listeners.push_back(std::move(listener));
}

RepoSummary Catalog::SummaryOf(const RepoRecord& repo) const {
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(repo.type);
  std::optional<uint32_t> row = table.RowOf(repo.id);
  return row ? table.SummaryAt(*row) : RepoSummary{};
}

uint64_t Catalog::LinkGeneration() const { return impl_->link_generation; }

bool Catalog::judges() const { return static_cast<bool>(impl_->judge); }

Json Catalog::TagsByType(RepoType type) const {
  std::map<std::string_view, std::vector<std::pair<size_t, std::string>>> groups;
  {
    std::shared_lock lock(impl_->mutex);
    const CatalogTable& table = impl_->TableOf(type);
    table.ForEachTag([&](std::string_view tag, const PostingSet& rows) {
      std::string_view group = TagGroup(type, tag);
      if (group.empty()) return;
      // Tags of private repositories only must not show.
      size_t used = rows.CountIn(table.public_rows());
      if (used > 0) groups[group].emplace_back(used, std::string(tag));
    });
  }
  Json result = Json::Obj();
  auto add_group = [&](std::string_view group) {
    auto& tags = groups[group];
    std::sort(tags.begin(), tags.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    if (tags.size() > kMaxTagsPerGroup) tags.resize(kMaxTagsPerGroup);
    Json::Array list;
    for (const auto& [used, tag] : tags)
      list.push_back(Json::Obj({{"id", tag}, {"label", TagLabel(group, tag)}, {"type", group}}));
    result.Set(std::string(group), Json(std::move(list)));
  };
  if (type == RepoType::kDataset) {
    for (std::string_view group : kDatasetGroups) add_group(group);
  } else {
    for (std::string_view group : kModelGroups) add_group(group);
  }
  return result;
}

}  // namespace hearth::hub
