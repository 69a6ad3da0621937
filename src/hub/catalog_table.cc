#include "hub/internal/catalog_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "hub/access.h"
#include "hub/internal/card_fields.h"

namespace hearth::hub {
namespace {

constexpr uint32_t kNoRow = UINT32_MAX;
// A filter that leaves fewer candidates than this share of the rows is checked name by name.
constexpr size_t kNameScanShare = 8;

std::string Hidden(char kind, std::string_view text) { return HiddenTag(kind, text); }

// How a model came from others, by its base_model tags.
std::vector<std::string> RelationsOf(const std::vector<std::string>& tags) {
  constexpr std::string_view kBase = "base_model:";
  std::vector<std::string> relations;
  bool derived = false;
  for (std::string_view tag : tags) {
    if (!tag.starts_with(kBase)) continue;
    derived = true;
    tag.remove_prefix(kBase.size());
    std::string_view relation = tag.substr(0, tag.find(':'));
    if (relation.size() == tag.size()) continue;
    if (std::find(relations.begin(), relations.end(), relation) == relations.end())
      relations.emplace_back(relation);
  }
  if (!derived) relations.emplace_back("base");
  return relations;
}

}  // namespace

FactsColumns ColumnsOf(const RepoFacts& facts) {
  FactsColumns columns{facts.tags,
                       facts.pipeline_tag,
                       facts.library_name,
                       facts.parameter_count,
                       facts.main_bytes,
                       {},
                       {},
                       facts.run.tasks};
  columns.linked_models = TextList(facts.space.Find("models"));
  columns.linked_datasets = TextList(facts.space.Find("datasets"));
  return columns;
}

std::optional<uint32_t> CatalogTable::RowOf(int64_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= row_of_id_.size()) return std::nullopt;
  uint32_t row = row_of_id_[static_cast<size_t>(id)];
  return row == kNoRow ? std::nullopt : std::optional<uint32_t>(row);
}

uint32_t CatalogTable::NewRow(int64_t id) {
  uint32_t row = static_cast<uint32_t>(repos_.size());
  if (!free_rows_.empty()) {
    row = free_rows_.back();
    free_rows_.pop_back();
  } else {
    ForEachColumn(*this, [](auto& column) { column.emplace_back(); });
    owner_tag_[row] = kNoRow;
    for (RowBitmap* bitmap : {&live_, &public_, &gated_}) bitmap->Grow(repos_.size());
  }
  if (static_cast<size_t>(id) >= row_of_id_.size())
    row_of_id_.resize(static_cast<size_t>(id) + 1, kNoRow);
  row_of_id_[static_cast<size_t>(id)] = row;
  ids_[row] = static_cast<uint32_t>(id);
  public_ids_.Grow(static_cast<size_t>(id) + 1);
  live_.Set(row);
  ++live_count_;
  for (size_t key = 0; key < kSortKeys; ++key) MarkDirty(static_cast<SortKey>(key), row);
  return row;
}

void CatalogTable::MarkDirty(SortKey key, uint32_t row) {
  SortOrder& order = orders_[Index(key)];
  if (!order.built) return;
  order.dirty.push_back(row);
  // Sorting anew is cheaper than merging this much.
  if (order.dirty.size() > 1024 && order.dirty.size() > repos_.size() / 4) order = SortOrder{};
}

void CatalogTable::SetValue(SortKey key, uint32_t row, int64_t value) {
  int64_t& now = numbers_[Index(key)][row];
  if (now == value) return;
  now = value;
  MarkDirty(key, row);
}

void CatalogTable::SetTrending(uint32_t row) {
  auto downloads = static_cast<double>(std::max<int64_t>(0, ValueAt(SortKey::kDownloads, row)));
  SetValue(SortKey::kTrending, row,
           10 * ValueAt(SortKey::kRecentLikes, row) + static_cast<int64_t>(std::sqrt(downloads)));
}

void CatalogTable::Put(const RepoPtr& repo) {
  std::optional<uint32_t> known = RowOf(repo->id);
  uint32_t row = known ? *known : NewRow(repo->id);
  RepoPtr before = repos_[row];
  repos_[row] = repo;
  bool shows_alike = before && before->owner_id == repo->owner_id && before->owner == repo->owner &&
                     before->name == repo->name && before->is_private == repo->is_private &&
                     before->disabled == repo->disabled && before->gated == repo->gated &&
                     before->modified_at == repo->modified_at;
  if (!shows_alike) ++generation_;
  if (!before || before->owner != repo->owner || before->name != repo->name) {
    names_.Set(row, RepoKey(repo->owner, repo->name));
    MarkDirty(SortKey::kId, row);
  }
  if (!before || before->owner_id != repo->owner_id || before->owner != repo->owner) {
    if (owner_tag_[row] != kNoRow) tags_[owner_tag_[row]].rows.Remove(row);
    uint32_t tag = TagId(Hidden('o', AsciiLower(repo->owner)));
    owner_tag_[row] = tag;
    owners_[repo->owner_id] = tag;
    tags_[tag].rows.Add(row, repos_.size());
  }
  if (repo->is_private) {
    public_.Clear(row);
    public_ids_.Clear(ids_[row]);
  } else {
    public_.Set(row);
    public_ids_.Set(ids_[row]);
  }
  if (repo->gated == Gated::kOff) {
    gated_.Clear(row);
  } else {
    gated_.Set(row);
  }
  SetValue(SortKey::kCreated, row, ToUnixMillis(repo->created_at));
  SetValue(SortKey::kModified, row, ToUnixMillis(repo->modified_at));
  SetValue(SortKey::kDownloads, row, repo->downloads);
  SetValue(SortKey::kLikes, row, repo->likes);
  if (before && repo->likes != before->likes) {
    int64_t recent = ValueAt(SortKey::kRecentLikes, row) + repo->likes - before->likes;
    SetValue(SortKey::kRecentLikes, row, std::max<int64_t>(0, recent));
  }
  SetTrending(row);
}

void CatalogTable::Remove(int64_t id) {
  std::optional<uint32_t> found = RowOf(id);
  if (!found) return;
  uint32_t row = *found;
  ++generation_;
  SetRowTags(row, {});
  SetKinds(row, 0);
  SetNeeds(row, 0, 0);
  if (owner_tag_[row] != kNoRow) tags_[owner_tag_[row]].rows.Remove(row);
  owner_tag_[row] = kNoRow;
  names_.Remove(row);
  repos_[row].reset();
  for (std::vector<int64_t>& column : numbers_) column[row] = 0;
  live_.Clear(row);
  public_.Clear(row);
  public_ids_.Clear(ids_[row]);
  gated_.Clear(row);
  row_of_id_[static_cast<size_t>(id)] = kNoRow;
  for (size_t key = 0; key < kSortKeys; ++key) MarkDirty(static_cast<SortKey>(key), row);
  // Orders still hold the row: it may be given away only when they have let go of it, which they do
  // before they are walked; a new use marks it dirty again, so both cases end in one merge.
  free_rows_.push_back(row);
  --live_count_;
}

void CatalogTable::SetFacts(int64_t id, const FactsColumns& facts) {
  std::optional<uint32_t> row = RowOf(id);
  if (!row) return;
  std::vector<uint32_t> ids;
  auto add = [&](std::string_view text) {
    uint32_t tag = TagId(text);
    if (std::find(ids.begin(), ids.end(), tag) == ids.end()) ids.push_back(tag);
  };
  for (const std::string& tag : facts.tags) {
    if (!tag.empty() && tag[0] != kHidden) add(tag);
  }
  if (!facts.pipeline_tag.empty()) add(Hidden('p', facts.pipeline_tag));
  if (!facts.library_name.empty()) add(Hidden('l', facts.library_name));
  for (const std::string& model : facts.linked_models) add(Hidden('m', AsciiLower(model)));
  for (const std::string& dataset : facts.linked_datasets) add(Hidden('d', AsciiLower(dataset)));
  if (!facts.linked_models.empty() || !facts.linked_datasets.empty()) add(Hidden('k', ""));
  for (const std::string& task : facts.run_tasks) add(Hidden('r', task));
  if (!facts.run_tasks.empty()) add(Hidden('r', ""));
  if (type_ == RepoType::kModel) {
    for (const std::string& relation : RelationsOf(facts.tags)) add(Hidden('b', relation));
    if (facts.parameters > 0) add(Hidden('n', ParameterRangeOf(facts.parameters)));
  }
  SetRowTags(*row, ids);
  SetValue(SortKey::kParameters, *row, static_cast<int64_t>(facts.parameters));
  SetValue(SortKey::kMainSize, *row, static_cast<int64_t>(facts.main_bytes));
}

void CatalogTable::SetRecentLikes(int64_t id, uint32_t likes) {
  std::optional<uint32_t> row = RowOf(id);
  if (!row) return;
  SetValue(SortKey::kRecentLikes, *row, likes);
  SetTrending(*row);
}

// --- readings

void CatalogTable::SetReading(int64_t id, const ListedReading& reading) {
  std::optional<uint32_t> row = RowOf(id);
  if (!row) return;
  SetKinds(*row, KindBits(reading.kinds));
  SetNeeds(*row, reading.gpu_bytes, reading.cpu_bytes);
}

void CatalogTable::SetKinds(uint32_t row, uint32_t kinds) {
  uint32_t changed = kinds_[row] ^ kinds;
  if (changed == 0) return;
  ++generation_;
  kinds_[row] = kinds;
  for (size_t kind = 0; kind < kind_rows_.size(); ++kind) {
    if ((changed >> kind & 1) == 0) continue;
    if ((kinds >> kind & 1) != 0) {
      kind_rows_[kind].Add(row, repos_.size());
    } else {
      kind_rows_[kind].Remove(row);
    }
  }
}

void CatalogTable::SetNeeds(uint32_t row, uint64_t gpu_bytes, uint64_t cpu_bytes) {
  auto gpu = static_cast<int64_t>(gpu_bytes), cpu = static_cast<int64_t>(cpu_bytes);
  if (gpu_need_[row] == gpu && cpu_need_[row] == cpu) return;
  ++generation_;
  if (gpu_need_[row] > 0) need_rows_[FitPlace(static_cast<uint64_t>(gpu_need_[row]))].Remove(row);
  if (gpu > 0) need_rows_[FitPlace(gpu_bytes)].Add(row, repos_.size());
  gpu_need_[row] = gpu;
  cpu_need_[row] = cpu;
}

// --- names

RowBitmap CatalogTable::MatchNames(std::string_view needle, const RowBitmap& among) const {
  if (needle.empty()) return among;
  if (among.Count() * kNameScanShare < live_count_) {
    RowBitmap found(RowCount());
    among.ForEach([&](uint32_t row) {
      if (NameAt(row).find(needle) != std::string_view::npos) found.Set(row);
    });
    return found;
  }
  RowBitmap found = names_.RowsOf(needle, RowCount());
  found.And(among);
  return found;
}

// --- tags

uint32_t CatalogTable::TagId(std::string_view text) {
  auto known = tag_ids_.find(text);
  if (known != tag_ids_.end()) return known->second;
  uint32_t id = static_cast<uint32_t>(tags_.size());
  tags_.push_back(TagEntry{std::string(text), {}});
  tag_ids_.emplace(std::string_view(tags_.back().text), id);
  for (const FacetDef& def : FacetDefs()) {
    if (!def.Has(type_)) continue;
    if (def.values_of != nullptr) {
      for (std::string_view value : def.values_of(type_, text))
        facets_[FacetIndex(def)].Add(std::string(value), id);
    }
    if (def.value_of == nullptr) continue;
    if (auto value = def.value_of(type_, text)) facets_[FacetIndex(def)].Add(*value, id);
  }
  return id;
}

const PostingSet* CatalogTable::FindTag(std::string_view text) const {
  auto known = tag_ids_.find(text);
  return known == tag_ids_.end() ? nullptr : &tags_[known->second].rows;
}

void CatalogTable::SetRowTags(uint32_t row, const std::vector<uint32_t>& ids) {
  const uint32_t* old = row_tags_.data() + tags_at_[row];
  size_t old_count = tags_count_[row];
  if (old_count == ids.size() && std::equal(ids.begin(), ids.end(), old)) return;
  ++generation_;
  for (size_t i = 0; i < old_count; ++i) tags_[old[i]].rows.Remove(row);
  for (uint32_t id : ids) tags_[id].rows.Add(row, repos_.size());
  dead_row_tags_ += old_count;
  tags_at_[row] = static_cast<uint32_t>(row_tags_.size());
  tags_count_[row] = static_cast<uint16_t>(std::min<size_t>(ids.size(), UINT16_MAX));
  row_tags_.insert(row_tags_.end(), ids.begin(), ids.begin() + tags_count_[row]);
  if (dead_row_tags_ > 4096 && dead_row_tags_ > row_tags_.size() / 2) CompactRowTags();
}

void CatalogTable::CompactRowTags() {
  std::vector<uint32_t> packed;
  packed.reserve(row_tags_.size() - dead_row_tags_);
  for (uint32_t row = 0; row < repos_.size(); ++row) {
    uint32_t at = static_cast<uint32_t>(packed.size());
    auto first = row_tags_.begin() + tags_at_[row];
    packed.insert(packed.end(), first, first + tags_count_[row]);
    tags_at_[row] = at;
  }
  row_tags_ = std::move(packed);
  dead_row_tags_ = 0;
}

void CatalogTable::AddIds(const RowBitmap& rows, Bitmap* ids) const {
  ids->Grow(row_of_id_.size());
  rows.ForEach([&](uint32_t row) { ids->Set(ids_[row]); });
}

RowBitmap CatalogTable::RowsOf(const Bitmap& ids) const {
  RowBitmap rows(RowCount());
  ids.ForEach([&](uint32_t id) {
    if (std::optional<uint32_t> row = RowOf(id)) rows.Set(*row);
  });
  return rows;
}

RepoSummary CatalogTable::SummaryAt(uint32_t row) const {
  RepoSummary summary;
  for (size_t i = 0; i < tags_count_[row]; ++i) {
    const std::string& text = tags_[row_tags_[tags_at_[row] + i]].text;
    if (text[0] != kHidden) {
      summary.tags.push_back(text);
    } else if (text[1] == 'p') {
      summary.pipeline_tag = text.substr(3);
    } else if (text[1] == 'l') {
      summary.library_name = text.substr(3);
    } else if (text[1] == 'r' && text.size() > 3) {
      summary.run_tasks.push_back(text.substr(3));
    }
  }
  summary.trending = ValueAt(SortKey::kTrending, row);
  summary.parameters = static_cast<uint64_t>(ValueAt(SortKey::kParameters, row));
  summary.main_bytes = static_cast<uint64_t>(ValueAt(SortKey::kMainSize, row));
  return summary;
}

// --- queries

RowBitmap CatalogTable::VisibleTo(const Actor& actor) const {
  // The rule itself is RightOn; asking it about a made-up private repository of an owner answers
  // for all of that owner's at once.
  auto sees = [&actor](int64_t owner_id, const std::string& owner, RepoType type) {
    RepoRecord probe;
    probe.owner_id = owner_id;
    probe.owner = owner;
    probe.type = type;
    probe.is_private = true;
    return RightOn(actor, probe, false).has_value();
  };
  if (sees(-1, "", RepoType::kModel)) return live_;
  RowBitmap visible = public_;
  auto add_owner = [&](int64_t owner_id) {
    auto owner = owners_.find(owner_id);
    if (owner == owners_.end() || tags_[owner->second].rows.size() == 0) return;
    const PostingSet& rows = tags_[owner->second].rows;
    rows.ForEach([&](uint32_t row) {
      if (public_.Test(row)) return;
      if (repos_[row]->owner_id == owner_id && RightOn(actor, *repos_[row], false))
        visible.Set(row);
    });
  };
  if (!actor.signed_in()) return visible;
  add_owner(actor.user_id);
  for (const auto& [org, role] : actor.org_roles) add_owner(org);
  return visible;
}

void CatalogTable::AndSet(const PostingSet* set, RowBitmap* rows) const {
  RowBitmap mask(RowCount());
  if (set != nullptr) set->OrInto(&mask);
  rows->And(mask);
}

// False when nothing carries it. A tag as written; "fr" also finds "language:fr" and the other way
// round, because models carry plain codes and data sets prefixed ones.
bool CatalogTable::AndTag(const std::string& filter, RowBitmap* rows) const {
  constexpr std::string_view kLanguage = "language:";
  RowBitmap mask(RowCount());
  const PostingSet *exact = nullptr, *language = nullptr;
  if (!filter.empty() && filter[0] != kHidden) {
    exact = FindTag(filter);
    language = FindTag(filter.starts_with(kLanguage) ? filter.substr(kLanguage.size())
                                                     : std::string(kLanguage) + filter);
  }
  if (exact != nullptr) exact->OrInto(&mask);
  if (language != nullptr) language->OrInto(&mask);
  if (exact == nullptr && language == nullptr) {
    *rows = std::move(mask);
    return false;
  }
  rows->And(mask);
  return true;
}

RowBitmap CatalogTable::Match(const CatalogQuery& query, TimePoint now) const {
  RowBitmap rows = live_;
  for (const FacetDef& def : FacetDefs()) {
    std::vector<std::string> values;
    for (const auto& [key, value] : query.facets) {
      if (key == def.key && def.Has(type_)) values.push_back(value);
    }
    if (!values.empty()) AndFacet(def, values, now, &rows);
  }
  for (const std::string& filter : query.filters) {
    if (!AndTag(filter, &rows)) return rows;
  }
  if (!query.author.empty()) AndSet(FindTag(Hidden('o', AsciiLower(query.author))), &rows);
  if (!query.pipeline_tag.empty()) AndSet(FindTag(Hidden('p', query.pipeline_tag)), &rows);
  for (const std::string& id : query.linked_models)
    AndSet(FindTag(Hidden('m', AsciiLower(id))), &rows);
  for (const std::string& id : query.linked_datasets)
    AndSet(FindTag(Hidden('d', AsciiLower(id))), &rows);
  if (query.linked) AndSet(FindTag(Hidden('k', "")), &rows);
  if (query.run_task) AndSet(FindTag(Hidden('r', *query.run_task)), &rows);
  if (query.gated) {
    std::vector<uint64_t>& words = rows.words();
    for (size_t i = 0; i < words.size(); ++i)
      words[i] &= *query.gated ? gated_.words()[i] : ~gated_.words()[i];
  }
  if (query.min_parameters || query.max_parameters) {
    auto low = static_cast<int64_t>(query.min_parameters.value_or(0));
    auto high = static_cast<int64_t>(
        std::min<uint64_t>(query.max_parameters.value_or(INT64_MAX), INT64_MAX));
    // 0 = unknown, which is in no range.
    RowBitmap before = rows;
    before.ForEach([&](uint32_t row) {
      int64_t count = ValueAt(SortKey::kParameters, row);
      if (count == 0 || count < low || count > high) rows.Clear(row);
    });
  }
  for (const std::string& text : query.search) rows = MatchNames(AsciiLower(text), rows);
  return rows;
}

// --- sorting

int64_t CatalogTable::ValueAt(SortKey key, uint32_t row) const {
  return key == SortKey::kId ? 0 : numbers_[Index(key)][row];
}

bool CatalogTable::Less(SortKey key, uint32_t a, uint32_t b) const {
  if (key == SortKey::kId) {
    if (int order = NameAt(a).compare(NameAt(b)); order != 0) return order < 0;
  } else {
    int64_t left = ValueAt(key, a), right = ValueAt(key, b);
    if (left != right) return left < right;
  }
  return repos_[a]->id < repos_[b]->id;
}

bool CatalogTable::Before(SortKey key, uint32_t row, const SortPoint& point) const {
  if (key == SortKey::kId) {
    if (int order = NameAt(row).compare(point.name); order != 0) return order < 0;
  } else if (int64_t value = ValueAt(key, row); value != point.value) {
    return value < point.value;
  }
  return repos_[row]->id < point.id;
}

bool CatalogTable::After(SortKey key, uint32_t row, const SortPoint& point) const {
  if (key == SortKey::kId) {
    if (int order = NameAt(row).compare(point.name); order != 0) return order > 0;
  } else if (int64_t value = ValueAt(key, row); value != point.value) {
    return value > point.value;
  }
  return repos_[row]->id > point.id;
}

bool CatalogTable::OrderIsCurrent(SortKey key) const {
  const SortOrder& order = orders_[Index(key)];
  return order.built && order.dirty.empty();
}

void CatalogTable::UpdateOrder(SortKey key) {
  SortOrder& order = orders_[Index(key)];
  auto less = [this, key](uint32_t a, uint32_t b) { return Less(key, a, b); };
  if (!order.built) {
    order.rows.clear();
    order.rows.reserve(live_count_);
    live_.ForEach([&order](uint32_t row) { order.rows.push_back(row); });
    std::sort(order.rows.begin(), order.rows.end(), less);
    order.built = true;
    order.dirty.clear();
    return;
  }
  if (order.dirty.empty()) return;
  // Take the changed rows out, sort them, and merge them back.
  RowBitmap changed(RowCount());
  for (uint32_t row : order.dirty) changed.Set(row);
  std::erase_if(order.rows, [&changed](uint32_t row) { return changed.Test(row); });
  std::vector<uint32_t> fresh;
  changed.ForEach([&](uint32_t row) {
    if (live_.Test(row)) fresh.push_back(row);
  });
  std::sort(fresh.begin(), fresh.end(), less);
  // Each fresh row's place by binary search, then one pass of block copies: most of the rows are
  // never compared.
  std::vector<uint32_t> merged;
  merged.reserve(order.rows.size() + fresh.size());
  auto from = order.rows.begin();
  for (uint32_t row : fresh) {
    auto to = std::lower_bound(from, order.rows.end(), row, less);
    merged.insert(merged.end(), from, to);
    merged.push_back(row);
    from = to;
  }
  merged.insert(merged.end(), from, order.rows.end());
  order.rows = std::move(merged);
  order.dirty.clear();
}

size_t CatalogTable::memory_bytes() const {
  size_t bytes = names_.memory_bytes() + row_tags_.capacity() * 4 + row_of_id_.capacity() * 4;
  ForEachColumn(*this, [&](const auto& column) { bytes += column.capacity() * sizeof(column[0]); });
  for (const TagEntry& tag : tags_) {
    bytes += sizeof(TagEntry) + tag.rows.memory_bytes() + 48 +
             (tag.text.size() > 15 ? tag.text.size() + 1 : 0);
  }
  for (const auto* sets : {&kind_rows_, &need_rows_}) {
    for (const PostingSet& set : *sets) bytes += set.memory_bytes();
  }
  for (const SortOrder& order : orders_) bytes += order.rows.capacity() * 4;
  return bytes + owners_.size() * 32 + 3 * live_.words().size() * 8;
}

}  // namespace hearth::hub
