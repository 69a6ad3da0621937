// Facets of lists: matching and counting their values over the rows of a table.
#include <algorithm>

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
  for (const auto* texts :
       {&query.search, &query.filters, &query.linked_models, &query.linked_datasets, &options.only})
    list(*texts);
  for (const auto& [facet, value] : query.facets) {
    AddText(facet, &key);
    AddText(value, &key);
  }
  return key;
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
      live_.ForEach([&](uint32_t row) {
        if (modified_[row] >= since) rows->Set(row);
      });
      return;
    }
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
  std::vector<size_t> counts(since.size() + 1);
  rows.ForEach([&](uint32_t row) {
    size_t place = 0;
    while (place < since.size() && modified_[row] < since[place]) ++place;
    ++counts[place];
  });
  std::vector<FacetValue> values;
  size_t count = 0;
  for (size_t i = 0; i < since.size(); ++i) {
    count += counts[i];
    std::string text(UpdatedSpans()[i]);
    if (count > 0)
      values.push_back({text, FindFacet(type_, "updated")->label_of(text), count, false});
  }
  return values;
}

std::vector<FacetValue> CatalogTable::CountAuthors(const RowBitmap& rows) const {
  std::vector<uint32_t> counts(tags_.size());
  std::vector<uint32_t> seen, first_row;
  rows.ForEach([&](uint32_t row) {
    uint32_t tag = owner_tag_[row];
    if (counts[tag]++ == 0) {
      seen.push_back(tag);
      first_row.push_back(row);
    }
  });
  std::vector<FacetValue> values;
  for (size_t i = 0; i < seen.size(); ++i) {
    values.push_back(
        {tags_[seen[i]].text.substr(3), repos_[first_row[i]]->owner, counts[seen[i]], false});
  }
  return values;
}

std::vector<FacetValue> CatalogTable::CountFacet(const FacetDef& def, const RowBitmap& rows,
                                                 TimePoint now) const {
  switch (def.kind) {
    case FacetKind::kTags:
      return CountTagFacet(def, rows);
    case FacetKind::kUpdated:
      return CountUpdated(rows, now);
    case FacetKind::kAuthor:
      return CountAuthors(rows);
    case FacetKind::kGated:
      break;
  }
  std::vector<FacetValue> values;
  size_t all = rows.Count(), gated = gated_.CountAnd(rows);
  if (all > gated) values.push_back({"false", def.label_of("false"), all - gated, false});
  if (gated > 0) values.push_back({"true", def.label_of("true"), gated, false});
  return values;
}

Facets Catalog::FacetsOf(const Actor& actor, const CatalogQuery& query,
                         const FacetOptions& options) const {
  TimePoint now = impl_->clock.Now();
  std::shared_lock lock(impl_->mutex);
  const CatalogTable& table = impl_->TableOf(query.type);
  std::string key;
  if (actor.via == Actor::Via::kAnonymous) {
    key = CacheKey(query, options, table.generation(), now);
    if (auto known = impl_->facet_cache.Find(key)) return *known;
  }
  RowBitmap visible = table.VisibleTo(actor);
  RowBitmap rows = table.Match(query, now);
  rows.And(visible);
  Facets facets;
  facets.total = rows.Count();
  for (const FacetDef& def : FacetDefs()) {
    if (!def.Has(query.type)) continue;
    if (!options.only.empty() &&
        std::find(options.only.begin(), options.only.end(), def.key) == options.only.end())
      continue;
    FacetGroup group{std::string(def.key), std::string(def.label), def.many, {}, 0};
    std::vector<std::string> chosen = ChosenValues(query, def.key);
    if (chosen.empty() || def.many) {
      group.values = table.CountFacet(def, rows, now);
    } else {
      CatalogQuery without = query;
      std::erase_if(without.facets, [&def](const auto& choice) { return choice.first == def.key; });
      RowBitmap others = table.Match(without, now);
      others.And(visible);
      group.values = table.CountFacet(def, others, now);
    }
    group.distinct = group.values.size();
    for (const std::string& value : chosen) {
      auto known = std::find_if(group.values.begin(), group.values.end(),
                                [&value](const FacetValue& v) { return v.value == value; });
      if (known != group.values.end()) {
        known->selected = true;
      } else {
        group.values.push_back({value, def.label_of(value), 0, true});
      }
    }
    Arrange(def, options.max_values, &group);
    facets.groups.push_back(std::move(group));
  }
  if (!key.empty()) impl_->facet_cache.Put(key, std::make_shared<const Facets>(facets));
  return facets;
}

}  // namespace hearth::hub
