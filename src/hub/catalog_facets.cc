// Facets of lists: matching and counting their values over the rows of a table.
#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "hub/internal/catalog_impl.h"
#include "hub/internal/facet_table.h"

namespace hearth::hub {
namespace {

using Days = std::chrono::duration<int64_t, std::ratio<86400>>;

constexpr size_t kCacheEntries = 512;
// Answers depend on the time by "updated within" only, whose smallest span is a day.
constexpr std::chrono::seconds kCacheSpan{60};

// Most frequent first (or by scale), cut, selected ones kept.
void Arrange(const FacetDef& def, size_t max_values, FacetGroup* group) {
  auto by_count = [](const FacetValue& a, const FacetValue& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  };
  std::vector<FacetValue>& values = group->values;
  if (def.order == FacetOrder::kByScale) {
    std::sort(values.begin(), values.end(), [&](const FacetValue& a, const FacetValue& b) {
      size_t left = ScalePlace(def.key, a.value), right = ScalePlace(def.key, b.value);
      return left != right ? left < right : a.value < b.value;
    });
  } else {
    size_t kept = std::min(values.size(), max_values);
    std::partial_sort(values.begin(), values.begin() + static_cast<ptrdiff_t>(kept), values.end(),
                      by_count);
  }
  if (values.size() <= max_values) return;
  auto rest = values.begin() + static_cast<ptrdiff_t>(max_values);
  values.erase(
      std::remove_if(rest, values.end(), [](const FacetValue& value) { return !value.selected; }),
      values.end());
}

std::vector<std::string> ChosenValues(const CatalogQuery& query, std::string_view key) {
  std::vector<std::string> values;
  for (const auto& [chosen, value] : query.facets) {
    if (chosen == key) values.push_back(value);
  }
  return values;
}

void AddText(std::string_view text, std::string* key) {
  *key += std::to_string(text.size());
  *key += ':';
  *key += text;
}

std::string CacheKey(const CatalogQuery& query, const FacetOptions& options, uint64_t generation,
                     TimePoint now) {
  std::string key = std::to_string(generation) + "/" +
                    std::to_string(ToUnixMillis(now) / 1000 / kCacheSpan.count()) + "/" +
                    std::to_string(static_cast<int>(query.type)) + "/" +
                    std::to_string(options.max_values) + "/";
  auto number = [&key](const auto& value) {
    key += value ? std::to_string(*value) + "," : std::string("-,");
  };
  auto list = [&key](const std::vector<std::string>& texts) {
    key += std::to_string(texts.size()) + "[";
    for (const std::string& text : texts) AddText(text, &key);
  };
  number(query.gated);
  number(query.min_parameters);
  number(query.max_parameters);
  key += query.linked ? "l" : "-";
  AddText(query.author, &key);
  AddText(query.pipeline_tag, &key);
  AddText(query.run_task ? "=" + *query.run_task : "", &key);
  for (const auto* texts : {&query.search, &query.filters, &query.linked_models,
                            &query.linked_datasets, &options.only, &options.devices})
    list(*texts);
  for (const auto& [facet, value] : query.facets) {
    AddText(facet, &key);
    AddText(value, &key);
  }
  return key;
}

// A bit for each of at most 64 rows of a word that holds. No branches, since what holds and what
// does not lie mixed; four words that are filled by turns, since one would make each row wait for
// the one before.
template <typename Holds>
uint64_t BitsWhere(size_t count, Holds holds) {
  uint64_t bits[4] = {};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t k = 0; k < 4; ++k) bits[k] |= uint64_t{holds(i + k)} << (i + k);
  }
  for (; i < count; ++i) bits[0] |= uint64_t{holds(i)} << i;
  return bits[0] | bits[1] | bits[2] | bits[3];
}

}  // namespace

std::shared_ptr<const Facets> FacetCache::Find(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

void FacetCache::Put(const std::string& key, std::shared_ptr<const Facets> facets) {
  std::lock_guard lock(mutex_);
  if (!by_key_.emplace(key, std::move(facets)).second) return;
  order_.push_back(key);
  if (order_.size() <= kCacheEntries) return;
  by_key_.erase(order_.front());
  order_.pop_front();
}

// --- matching

void CatalogTable::OrFacet(const FacetDef& def, const std::string& value, TimePoint now,
                           RowBitmap* rows) const {
  switch (def.kind) {
    case FacetKind::kTags:
      if (const FacetColumn::Value* known = facets_[FacetIndex(def)].Find(value)) {
        for (uint32_t tag : known->tags) tags_[tag].rows.OrInto(rows);
      }
      return;
    case FacetKind::kAuthor:
      if (const PostingSet* owned = FindTag(HiddenTag('o', AsciiLower(value)))) owned->OrInto(rows);
      return;
    case FacetKind::kGated: {
      std::vector<uint64_t>& words = rows->words();
      for (size_t i = 0; i < words.size(); ++i)
        words[i] |= value == "true" ? gated_.words()[i] : live_.words()[i] & ~gated_.words()[i];
      return;
    }
    case FacetKind::kUpdated: {
      int64_t since = ToUnixMillis(now - Days(ParseUpdatedDays(value).value_or(0)));
      const std::vector<int64_t>& all = Numbers(SortKey::kModified);
      for (size_t word = 0; word * 64 < all.size(); ++word) {
        const int64_t* modified = &all[word * 64];
        size_t count = std::min<size_t>(64, all.size() - word * 64);
        rows->words()[word] |= live_.words()[word] & BitsWhere(count, [modified, since](size_t i) {
                                 return modified[i] >= since;
                               });
      }
      return;
    }
    case FacetKind::kKinds: {
      RowBitmap having(RowCount());
      if (std::optional<size_t> kind = KindPlace(value)) kind_rows_[*kind].OrInto(&having);
      having.AndNot(gated_);
      rows->Or(having);
      return;
    }
    case FacetKind::kFits:
      OrFits(ParseFit(value), rows);
      return;
  }
}

void CatalogTable::AndFacet(const FacetDef& def, const std::vector<std::string>& values,
                            TimePoint now, RowBitmap* rows) const {
  if (def.many) {
    for (const std::string& value : values) {
      RowBitmap having(RowCount());
      OrFacet(def, value, now, &having);
      rows->And(having);
    }
    return;
  }
  RowBitmap having(RowCount());
  for (const std::string& value : values) OrFacet(def, value, now, &having);
  rows->And(having);
}

void CatalogTable::OrFits(const FitLimit& limit, RowBitmap* rows) const {
  const std::vector<int64_t>& needs = limit.cpu ? cpu_need_ : gpu_need_;
  for (size_t word = 0; word * 64 < needs.size(); ++word) {
    uint64_t open = live_.words()[word] & ~gated_.words()[word];
    if (open == 0) continue;
    size_t count = std::min<size_t>(64, needs.size() - word * 64);
    const int64_t* need = &needs[word * 64];
    // A need of 0 is not known: less one, it is above everything.
    rows->words()[word] |= open & BitsWhere(count, [need, &limit](size_t i) {
                             return static_cast<uint64_t>(need[i]) - 1 < limit.bytes;
                           });
  }
}

// --- counting

size_t CatalogTable::CountValue(const FacetColumn::Value& value, const RowBitmap& rows) const {
  if (value.tags.size() == 1) return tags_[value.tags[0]].rows.CountIn(rows);
  RowBitmap having(RowCount());
  bool any = false;
  for (uint32_t tag : value.tags) {
    if (tags_[tag].rows.size() == 0) continue;
    tags_[tag].rows.OrInto(&having);
    any = true;
  }
  return any ? having.CountAnd(rows) : 0;
}

std::vector<FacetValue> CatalogTable::CountTagFacet(const FacetDef& def,
                                                    const RowBitmap& rows) const {
  std::vector<FacetValue> values;
  for (const FacetColumn::Value& value : facets_[FacetIndex(def)].values) {
    size_t count = CountValue(value, rows);
    if (count > 0) values.push_back({value.text, def.label_of(value.text), count, false});
  }
  return values;
}

std::vector<FacetValue> CatalogTable::CountUpdated(const RowBitmap& rows, TimePoint now) const {
  std::vector<int64_t> since;
  for (std::string_view span : UpdatedSpans())
    since.push_back(ToUnixMillis(now - Days(*ParseUpdatedDays(span))));
  // What was changed within a span was within the longer ones too: from the longest on, few words
  // have rows left.
  std::vector<size_t> counts(since.size());
  const std::vector<int64_t>& all = Numbers(SortKey::kModified);
  for (size_t word = 0; word * 64 < all.size(); ++word) {
    uint64_t left = rows.words()[word];
    const int64_t* modified = &all[word * 64];
    size_t many = std::min<size_t>(64, all.size() - word * 64);
    for (size_t span = since.size(); span > 0 && left != 0; --span) {
      left &= BitsWhere(
          many, [modified, from = since[span - 1]](size_t i) { return modified[i] >= from; });
      counts[span - 1] += static_cast<size_t>(std::popcount(left));
    }
  }
  std::vector<FacetValue> values;
  for (size_t i = 0; i < since.size(); ++i) {
    size_t count = counts[i];
    std::string text(UpdatedSpans()[i]);
    if (count > 0)
      values.push_back({text, FindFacet(type_, "updated")->label_of(text), count, false});
  }
  return values;
}

// Owners are as many as a fifth of the repositories: only those that are shown get their texts
// made.
std::vector<FacetValue> CatalogTable::CountAuthors(const RowBitmap& rows, size_t most,
                                                   size_t* distinct) const {
  struct Owner {
    uint32_t count, tag;
  };
  std::vector<uint32_t> counts(tags_.size());
  rows.ForEach([&](uint32_t row) { ++counts[owner_tag_[row]]; });
  std::vector<Owner> owners;
  for (uint32_t tag = 0; tag < counts.size(); ++tag) {
    if (counts[tag] > 0) owners.push_back({counts[tag], tag});
  }
  *distinct = owners.size();
  auto shown = static_cast<ptrdiff_t>(std::min(most, owners.size()));
  std::partial_sort(
      owners.begin(), owners.begin() + shown, owners.end(), [this](const Owner& a, const Owner& b) {
        return a.count != b.count ? a.count > b.count : tags_[a.tag].text < tags_[b.tag].text;
      });
  std::vector<FacetValue> values;
  for (auto owner = owners.begin(); owner != owners.begin() + shown; ++owner) {
    const TagEntry& tag = tags_[owner->tag];
    values.push_back({tag.text.substr(3), repos_[tag.rows.First()]->owner, owner->count, false});
  }
  return values;
}

std::vector<FacetValue> CatalogTable::CountFacet(const FacetDef& def, const RowBitmap& rows,
                                                 TimePoint now, size_t most,
                                                 size_t* distinct) const {
  if (def.kind == FacetKind::kAuthor) return CountAuthors(rows, most, distinct);
  std::vector<FacetValue> values = def.kind == FacetKind::kTags      ? CountTagFacet(def, rows)
                                   : def.kind == FacetKind::kUpdated ? CountUpdated(rows, now)
                                   : def.kind == FacetKind::kKinds   ? CountKinds(rows)
                                   : def.kind == FacetKind::kFits    ? CountFits(def, rows)
                                                                     : CountGated(def, rows);
  *distinct = values.size();
  return values;
}

size_t CatalogTable::CountFacetValue(const FacetDef& def, const std::string& value,
                                     const RowBitmap& rows, TimePoint now) const {
  RowBitmap having(RowCount());
  OrFacet(def, value, now, &having);
  return having.CountAnd(rows);
}

std::vector<FacetValue> CatalogTable::CountGated(const FacetDef& def, const RowBitmap& rows) const {
  std::vector<FacetValue> values;
  size_t all = rows.Count(), gated = gated_.CountAnd(rows);
  if (all > gated) values.push_back({"false", def.label_of("false"), all - gated, false});
  if (gated > 0) values.push_back({"true", def.label_of("true"), gated, false});
  return values;
}

std::vector<FacetValue> CatalogTable::CountKinds(const RowBitmap& rows) const {
  RowBitmap open = rows;
  open.AndNot(gated_);
  std::vector<FacetValue> values;
  for (size_t kind = 0; kind < kind_rows_.size(); ++kind) {
    size_t count = kind_rows_[kind].CountIn(open);
    const ModelKind& known = ModelKinds()[kind];
    if (count > 0)
      values.push_back({std::string(known.kind), std::string(known.label), count, false});
  }
  return values;
}

// What fits a smaller memory fits the larger ones too: sizes up to the one that holds all that fits
// any.
std::vector<FacetValue> CatalogTable::CountFits(const FacetDef& def, const RowBitmap& rows) const {
  RowBitmap open = rows;
  open.AndNot(gated_);
  std::vector<FacetValue> values;
  size_t most = 0, count = 0;
  for (size_t size = 0; size < FitSizes().size(); ++size) most += need_rows_[size].CountIn(open);
  for (size_t size = 0; size < FitSizes().size() && count < most; ++size) {
    count += need_rows_[size].CountIn(open);
    std::string text(FitSizes()[size].name);
    if (count > 0) values.push_back({text, def.label_of(text), count, false});
  }
  return values;
}

namespace {

// The facets of one list. `table` and `options` outlive it.
class FacetCount {
 public:
  FacetCount(const CatalogTable& table, CatalogQuery query, const FacetOptions& options,
             TimePoint now)
      : table_(table), query_(std::move(query)), options_(options), now_(now) {}

  Facets Run(RowBitmap visible) {
    // Looking names up costs most and is the same for every facet.
    for (const std::string& text : query_.search)
      visible = table_.MatchNames(AsciiLower(text), visible);
    query_.search.clear();
    RowBitmap rows = table_.Match(query_, now_);
    rows.And(visible);
    Facets facets;
    facets.total = rows.Count();
    for (const FacetDef& def : FacetDefs()) {
      if (!def.Has(query_.type) || !IsWanted(def)) continue;
      facets.groups.push_back(CountGroup(def, rows, visible));
      if (def.kind == FacetKind::kFits) facets.devices = CountDevices(def, rows, visible);
    }
    return facets;
  }

 private:
  bool IsWanted(const FacetDef& def) const {
    return options_.only.empty() ||
           std::find(options_.only.begin(), options_.only.end(), def.key) != options_.only.end();
  }

  FacetGroup CountGroup(const FacetDef& def, const RowBitmap& rows, const RowBitmap& visible) {
    std::vector<std::string> chosen = ChosenValues(query_, def.key);
    if (chosen.empty() || def.many) return CountRows(def, chosen, rows);
    return CountRows(def, chosen, Without(def, visible));
  }

  // The list as it were without what is chosen of the facet.
  RowBitmap Without(const FacetDef& def, const RowBitmap& visible) const {
    CatalogQuery without = query_;
    std::erase_if(without.facets, [&def](const auto& choice) { return choice.first == def.key; });
    RowBitmap others = table_.Match(without, now_);
    others.And(visible);
    return others;
  }

  std::vector<FacetValue> CountDevices(const FacetDef& def, const RowBitmap& rows,
                                       const RowBitmap& visible) const {
    std::vector<FacetValue> values;
    if (options_.devices.empty()) return values;
    std::vector<std::string> chosen = ChosenValues(query_, def.key);
    RowBitmap among = chosen.empty() ? rows : Without(def, visible);
    for (const std::string& value : options_.devices) {
      bool selected = std::find(chosen.begin(), chosen.end(), value) != chosen.end();
      size_t count = table_.CountFacetValue(def, value, among, now_);
      values.push_back({value, def.label_of(value), count, selected});
    }
    return values;
  }

  FacetGroup CountRows(const FacetDef& def, const std::vector<std::string>& chosen,
                       const RowBitmap& rows) {
    FacetGroup group{std::string(def.key), std::string(def.label), def.many, {}, 0};
    group.values = table_.CountFacet(def, rows, now_, options_.max_values, &group.distinct);
    for (const std::string& value : chosen) {
      auto known = std::find_if(group.values.begin(), group.values.end(),
                                [&value](const FacetValue& v) { return v.value == value; });
      if (known != group.values.end()) {
        known->selected = true;
      } else {
        size_t count = table_.CountFacetValue(def, value, rows, now_);
        group.values.push_back({value, def.label_of(value), count, true});
      }
    }
    Arrange(def, options_.max_values, &group);
    return group;
  }

  const CatalogTable& table_;
  CatalogQuery query_;
  const FacetOptions& options_;
  const TimePoint now_;
};

}  // namespace

Facets Catalog::FacetsOf(const Actor& actor, const CatalogQuery& query,
                         const FacetOptions& options) const {
  TimePoint now = impl_->clock.Now();
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(query.type);
  RowBitmap visible = table.VisibleTo(actor);
  std::string key;
  if (options.among == nullptr) {
    // Counts depend on the caller by what they see, and nearly all see one of two sets.
    if (visible.words() == table.public_rows().words())
      key = "public/";
    else if (visible.words() == table.live().words())
      key = "all/";
    if (!key.empty()) key += CacheKey(query, options, table.generation(), now);
    if (auto known = impl_->facet_cache.Find(key)) return *known;
  } else {
    visible.And(table.RowsOf(*options.among));
  }
  FacetCount count(table, query, options, now);
  Facets facets = count.Run(std::move(visible));
  if (!key.empty()) impl_->facet_cache.Put(key, std::make_shared<const Facets>(facets));
  return facets;
}

}  // namespace hearth::hub
