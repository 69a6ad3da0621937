// The repositories of one type as columns: the data structure under Catalog. Not thread-safe:
// Catalog locks around it.
//
// A row is a number below RowCount(); rows of removed repositories are used again. Sort orders are
// built when first asked for and then kept up to date by merging what changed, so that the first
// sorted query pays and later ones do not. Costs about 250 bytes a repository with a dozen tags.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/catalog.h"
#include "hub/internal/facet_table.h"
#include "hub/internal/name_index.h"
#include "hub/internal/posting_set.h"

namespace hearth::hub {

// What the table keeps of RepoFacts.
struct FactsColumns {
  std::vector<std::string> tags;
  std::string pipeline_tag;
  std::string library_name;
  uint64_t parameters = 0;
  uint64_t main_bytes = 0;
  std::vector<std::string> linked_models;  // Spaces: ids on the card
  std::vector<std::string> linked_datasets;
  std::vector<std::string> run_tasks;  // models that this hub can run
};
FactsColumns ColumnsOf(const RepoFacts& facts);

inline constexpr size_t kSortKeys = 9;

// A place in a sort order: value (or name, for SortKey::kId) and repository id.
struct SortPoint {
  int64_t value = 0;
  std::string name;
  int64_t id = 0;
};

class CatalogTable {
 public:
  explicit CatalogTable(RepoType type)
      : type_(type),
        facets_(FacetDefs().size()),
        kind_rows_(ModelKinds().size()),
        need_rows_(FitSizes().size() + 1) {}

  // --- changes
  void Put(const RepoPtr& repo);  // new or changed record
  void Remove(int64_t id);
  void SetFacts(int64_t id, const FactsColumns& facts);
  void SetReading(int64_t id, const ListedReading& reading);
  void SetRecentLikes(int64_t id, uint32_t likes);

  // --- reading. Bitmaps cover RowCount() rows.
  size_t RowCount() const { return repos_.size(); }
  size_t size() const { return live_count_; }
  const RepoPtr& RepoAt(uint32_t row) const { return repos_[row]; }
  std::optional<uint32_t> RowOf(int64_t id) const;
  const RowBitmap& live() const { return live_; }
  RowBitmap VisibleTo(const Actor& actor) const;
  // Rows that match the query, whoever asks. `now` is what "updated within" counts from.
  RowBitmap Match(const CatalogQuery& query, TimePoint now) const;
  RowBitmap MatchNames(std::string_view lower_needle, const RowBitmap& among) const;
  const NameIndex& names() const { return names_; }
  RepoSummary SummaryAt(uint32_t row) const;
  std::string_view NameAt(uint32_t row) const { return names_.At(row); }  // lower-case "ns/name"
  // Calls each(tag, rows) for every visible tag in use by somebody.
  template <typename F>
  void ForEachTag(F each) const {
    for (const TagEntry& tag : tags_) {
      if (tag.rows.size() > 0 && tag.text[0] != kHidden) each(std::string_view(tag.text), tag.rows);
    }
  }
  const RowBitmap& public_rows() const { return public_; }
  // Database ids of rows, and rows of database ids.
  void AddIds(const RowBitmap& rows, Bitmap* ids) const;
  RowBitmap RowsOf(const Bitmap& ids) const;
  const Bitmap& public_ids() const { return public_ids_; }

  // --- facets (catalog_facets.cc)
  // Keeps the rows that have all of the values (`many`), or any of them.
  void AndFacet(const FacetDef& def, const std::vector<std::string>& values, TimePoint now,
                RowBitmap* rows) const;
  // Values that some of the rows have, with their counts, in no order; of very many the `most`
  // frequent at least. `distinct` = how many there are.
  std::vector<FacetValue> CountFacet(const FacetDef& def, const RowBitmap& rows, TimePoint now,
                                     size_t most, size_t* distinct) const;
  size_t CountFacetValue(const FacetDef& def, const std::string& value, const RowBitmap& rows,
                         TimePoint now) const;
  // Grows with every change that a list or a count of somebody may show.
  uint64_t generation() const { return generation_; }

  // --- sorting
  int64_t ValueAt(SortKey key, uint32_t row) const;
  // Order of (value, id), ascending.
  bool Less(SortKey key, uint32_t a, uint32_t b) const;
  bool Before(SortKey key, uint32_t row, const SortPoint& point) const;
  bool After(SortKey key, uint32_t row, const SortPoint& point) const;
  bool OrderIsCurrent(SortKey key) const;
  void UpdateOrder(SortKey key);  // a change: needs the exclusive lock
  const std::vector<uint32_t>& Order(SortKey key) const { return orders_[Index(key)].rows; }

  // The last rows of the order among those that carry the tag, and the other one unless it is "";
  // the very last first. Quick where the order is current, which it need not be. `among` is a part
  // of the live rows.
  struct TopQuery {
    std::string tag, also;  // as the table keeps them, hidden ones too
    SortKey key = SortKey::kDownloads;
    size_t limit = 0;
  };
  std::vector<uint32_t> Top(const TopQuery& query, const RowBitmap& among) const;
  const RowBitmap& gated() const { return gated_; }

  size_t memory_bytes() const;

 private:
  static constexpr char kHidden = kHiddenTag;
  struct TagEntry {
    std::string text;
    PostingSet rows;
  };
  struct SortOrder {
    bool built = false;
    std::vector<uint32_t> rows;   // ascending
    std::vector<uint32_t> dirty;  // rows whose place may have changed, with doubles
  };
  static size_t Index(SortKey key) { return static_cast<size_t>(key); }

  uint32_t NewRow(int64_t id);
  uint32_t TagId(std::string_view text);
  const PostingSet* FindTag(std::string_view text) const;
  void SetRowTags(uint32_t row, const std::vector<uint32_t>& ids);
  void CompactRowTags();
  void MarkDirty(SortKey key, uint32_t row);
  void SetTrending(uint32_t row);
  const std::vector<int64_t>& Numbers(SortKey key) const { return numbers_[Index(key)]; }
  void SetValue(SortKey key, uint32_t row, int64_t value);
  bool AndTag(const std::string& filter, RowBitmap* rows) const;
  void AndSet(const PostingSet* set, RowBitmap* rows) const;
  void OrFacet(const FacetDef& def, const std::string& value, TimePoint now, RowBitmap* rows) const;
  size_t CountValue(const FacetColumn::Value& value, const RowBitmap& rows) const;
  std::vector<FacetValue> CountTagFacet(const FacetDef& def, const RowBitmap& rows) const;
  std::vector<FacetValue> CountUpdated(const RowBitmap& rows, TimePoint now) const;
  std::vector<FacetValue> CountGated(const FacetDef& def, const RowBitmap& rows) const;
  std::vector<FacetValue> CountKinds(const RowBitmap& rows) const;
  std::vector<FacetValue> CountFits(const FacetDef& def, const RowBitmap& rows) const;
  void OrFits(const FitLimit& limit, RowBitmap* rows) const;
  void SetKinds(uint32_t row, uint32_t kinds);
  void SetNeeds(uint32_t row, uint64_t gpu_bytes, uint64_t cpu_bytes);
  std::vector<FacetValue> CountAuthors(const RowBitmap& rows, size_t most, size_t* distinct) const;

  const RepoType type_;
  uint64_t generation_ = 1;
  // One entry per row.
  std::vector<RepoPtr> repos_;
  std::vector<uint32_t> ids_;
  std::array<std::vector<int64_t>, kSortKeys - 1> numbers_;  // by SortKey
  std::vector<int64_t> gpu_need_, cpu_need_;                 // bytes; 0 = not known
  std::vector<uint32_t> kinds_;                              // a bit each, by ModelKinds
  std::vector<uint32_t> owner_tag_;
  std::vector<uint32_t> tags_at_;
  std::vector<uint16_t> tags_count_;
  // All of these.
  template <typename Table, typename F>
  static void ForEachColumn(Table& table, F each) {
    each(table.repos_);
    each(table.ids_);
    for (auto& column : table.numbers_) each(column);
    each(table.gpu_need_);
    each(table.cpu_need_);
    each(table.kinds_);
    each(table.owner_tag_);
    each(table.tags_at_);
    each(table.tags_count_);
  }

  std::vector<uint32_t> row_of_id_;  // kNoRow = none; database ids are dense
  std::vector<uint32_t> free_rows_;
  size_t live_count_ = 0;
  RowBitmap live_, public_, gated_;
  Bitmap public_ids_;

  NameIndex names_;
  std::vector<uint32_t> row_tags_;
  size_t dead_row_tags_ = 0;

  std::deque<TagEntry> tags_;
  std::unordered_map<std::string_view, uint32_t> tag_ids_;  // views into tags_
  std::unordered_map<int64_t, uint32_t> owners_;            // account id -> tag of its rows
  std::array<SortOrder, kSortKeys> orders_;
  std::vector<FacetColumn> facets_;    // by FacetIndex
  std::vector<PostingSet> kind_rows_;  // by ModelKinds
  std::vector<PostingSet> need_rows_;  // by the first of FitSizes that holds gpu_need_
};

}  // namespace hearth::hub
