// The leaders of all tasks at once: each tag's rows are looked at once, and hardly any is compared
// with more than the last of the best so far.
#include <algorithm>

#include "hub/internal/catalog_impl.h"

namespace hearth::hub {

std::vector<uint32_t> CatalogTable::Top(const TopQuery& query, const RowBitmap& among) const {
  std::vector<uint32_t> best;
  const PostingSet* carried = FindTag(query.tag);
  const PostingSet* also = query.also.empty() ? carried : FindTag(query.also);
  if (carried == nullptr || also == nullptr || query.limit == 0) return best;
  auto before = [&](uint32_t a, uint32_t b) { return Less(query.key, b, a); };
  carried->ForEach([&](uint32_t row) {
    if (!among.Has(row) || (also != carried && !also->Contains(row))) return;
    if (best.size() == query.limit) {
      if (!before(row, best.back())) return;
      best.pop_back();
    }
    best.insert(std::lower_bound(best.begin(), best.end(), row, before), row);
  });
  return best;
}

std::vector<Catalog::TaskLeaders> Catalog::LeadersOf(const Actor& actor,
                                                     const std::vector<std::string>& tasks,
                                                     size_t limit) const {
  std::vector<TaskLeaders> leaders(tasks.size());
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& models = impl_->TableOf(RepoType::kModel);
  const CatalogTable& datasets = impl_->TableOf(RepoType::kDataset);
  RowBitmap visible = models.VisibleTo(actor), open = visible;
  open.AndNot(models.gated());
  RowBitmap visible_sets = datasets.VisibleTo(actor);
  for (size_t i = 0; i < tasks.size(); ++i) {
    CatalogTable::TopQuery query;
    query.tag = HiddenTag('p', tasks[i]);
    query.limit = limit;
    for (uint32_t row : models.Top(query, visible)) leaders[i].models.push_back(models.RepoAt(row));
    query.limit = 1;
    if (judges()) query.also = HiddenTag('r', tasks[i]);
    for (uint32_t row : models.Top(query, open)) leaders[i].open_model = models.RepoAt(row);
    query = {};
    query.tag = "task_categories:" + tasks[i];
    query.limit = limit;
    for (uint32_t row : datasets.Top(query, visible_sets))
      leaders[i].datasets.push_back(datasets.RepoAt(row));
  }
  return leaders;
}

}  // namespace hearth::hub
