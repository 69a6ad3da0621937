// The leaders of all tasks at once. Of a tag that many rows carry they are found among the first
// along the order; of one that few carry each row is looked at once, and hardly any is compared
// with more than the last of the best so far.
#include <algorithm>

#include "hub/internal/catalog_impl.h"

namespace hearth::hub {

std::vector<uint32_t> CatalogTable::Top(const TopQuery& query, const RowBitmap& among) const {
  std::vector<uint32_t> best;
  const PostingSet* carried = FindTag(query.tag);
  const PostingSet* also = query.also.empty() ? carried : FindTag(query.also);
  if (carried == nullptr || also == nullptr || query.limit == 0) return best;
  auto wanted = [&](uint32_t row) {
    return among.Has(row) && carried->Contains(row) && (also == carried || also->Contains(row));
  };
  // As many steps along the order as there are rows to look at otherwise: at worst twice the work.
  size_t steps = std::min(carried->size(), also->size());
  if (OrderIsCurrent(query.key)) {
    const std::vector<uint32_t>& order = Order(query.key);
    auto row = order.rbegin();
    for (; row != order.rend() && steps > 0 && best.size() < query.limit; ++row, --steps) {
      if (wanted(*row)) best.push_back(*row);
    }
    if (best.size() == query.limit || row == order.rend()) return best;
    best.clear();
  }
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
  auto lock = impl_->LockWithOrder(RepoType::kModel, SortKey::kDownloads);
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
