// Typeahead: the best repositories whose name holds a text.
//
// A text that few names hold is looked up and its matches ranked. One that very many hold (a
// letter, a common word) is not worth that: then each way to fit is tried in turn, the closest
// first, and where that alone has very many matches, the first ones along the order of trending
// are the best.
#include <algorithm>

#include "base/bytes.h"
#include "hub/internal/catalog_impl.h"

namespace hearth::hub {
namespace {

class QuickMatches {
 public:
  QuickMatches(const CatalogTable& table, const RowBitmap& visible, std::string needle)
      : table_(table), visible_(visible), needle_(std::move(needle)) {}

  // Visible rows whose name holds the pattern; false when there are more than kMaxQuickCount.
  bool Gather(std::string_view pattern, std::vector<uint32_t>* rows) const {
    return table_.names().Scan(pattern, [&](uint32_t row) {
      if (!visible_.Test(row)) return true;
      if (rows->size() == Catalog::kMaxQuickCount) return false;
      rows->push_back(row);
      return true;
    });
  }

  std::vector<uint32_t> Best(std::vector<uint32_t> rows, size_t limit) const {
    std::vector<std::pair<int, uint32_t>> ranked;
    ranked.reserve(rows.size());
    for (uint32_t row : rows) ranked.emplace_back(FitOf(row), row);
    auto wanted = static_cast<ptrdiff_t>(std::min(limit, rows.size()));
    std::partial_sort(ranked.begin(), ranked.begin() + wanted, ranked.end(),
                      [this](const auto& a, const auto& b) {
                        if (a.first != b.first) return a.first < b.first;
                        return table_.Less(SortKey::kTrending, b.second, a.second);
                      });
    std::vector<uint32_t> best;
    for (auto at = ranked.begin(); at != ranked.begin() + wanted; ++at) best.push_back(at->second);
    return best;
  }

  // Precondition: the order of trending is current.
  std::vector<uint32_t> BestOfMany(size_t limit) const {
    std::vector<uint32_t> best;
    for (const std::string& pattern : {"/" + needle_ + kNameEnd, kNameStart + needle_ + kNameEnd,
                                       "/" + needle_, kNameStart + needle_, needle_}) {
      std::vector<uint32_t> rows;
      if (best.size() >= limit) break;
      if (!Gather(pattern, &rows)) {
        AddAlongOrder(pattern, limit, &best);
        continue;
      }
      for (uint32_t row : Best(std::move(rows), limit + best.size())) AddOnce(row, limit, &best);
    }
    return best;
  }

  // Of all visible rows.
  std::vector<uint32_t> MostTrending(size_t limit) const {
    std::vector<uint32_t> best;
    AddAlongOrder("", limit, &best);
    return best;
  }

 private:
  int FitOf(uint32_t row) const {
    std::string_view full = table_.NameAt(row);
    std::string_view name = full.substr(full.find('/') + 1);
    if (name == needle_ || full == needle_) return 0;
    if (name.starts_with(needle_)) return 1;
    return full.starts_with(needle_) ? 2 : 3;
  }

  static void AddOnce(uint32_t row, size_t limit, std::vector<uint32_t>* best) {
    if (best->size() < limit && std::find(best->begin(), best->end(), row) == best->end())
      best->push_back(row);
  }

  void AddAlongOrder(std::string_view pattern, size_t limit, std::vector<uint32_t>* best) const {
    const std::vector<uint32_t>& order = table_.Order(SortKey::kTrending);
    for (auto row = order.rbegin(); row != order.rend() && best->size() < limit; ++row) {
      if (visible_.Test(*row) && (pattern.empty() || table_.names().Holds(*row, pattern)))
        AddOnce(*row, limit, best);
    }
  }

  const CatalogTable& table_;
  const RowBitmap& visible_;
  const std::string needle_;
};

}  // namespace

std::vector<RepoPtr> Catalog::QuickSearch(const Actor& actor, RepoType type, std::string_view text,
                                          size_t limit, size_t* total) const {
  std::string needle = AsciiLower(TrimAscii(text));
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(type);
  RowBitmap visible = table.VisibleTo(actor);
  std::vector<uint32_t> rows;
  bool few = !needle.empty() && QuickMatches(table, visible, needle).Gather(needle, &rows);
  std::vector<uint32_t> best;
  if (few) {
    if (total != nullptr) *total = rows.size();
    best = QuickMatches(table, visible, needle).Best(std::move(rows), limit);
  } else {
    if (!table.OrderIsCurrent(SortKey::kTrending)) {
      // Rows may change while the order is brought up to date.
      lock.unlock();
      lock = impl_->LockWithOrder(type, SortKey::kTrending);
      visible = table.VisibleTo(actor);
    }
    if (total != nullptr) *total = std::min(kMaxQuickCount, visible.Count());
    QuickMatches matches(table, visible, needle);
    best = needle.empty() ? matches.MostTrending(limit) : matches.BestOfMany(limit);
  }
  std::vector<RepoPtr> found;
  for (uint32_t row : best) found.push_back(table.RepoAt(row));
  return found;
}

}  // namespace hearth::hub
