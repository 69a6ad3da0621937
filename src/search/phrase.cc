#include "search/internal/phrase.h"

#include <algorithm>

namespace hearth::search {
namespace {

// Where the words so far end, for each document that has them: flat, as there may be many.
struct Places {
  std::vector<uint32_t> ids;
  std::vector<size_t> start;  // in positions; one more than ids
  std::vector<uint32_t> positions;
};

void FindTerm(const Segment& segment, const TermEntry& entry, const Bitmap& among, Bitmap* found) {
  PostingReader postings = segment.PostingsOf(entry);
  while (size_t block = postings.Next()) {
    for (size_t i = 0; i < block; ++i) {
      if (among.Has(postings.id(i))) found->Set(postings.id(i));
    }
  }
}

// Documents that have all the terms, at whatever place.
Bitmap HavingAll(const Segment& segment, const std::vector<TermEntry>& entries,
                 const Bitmap& among) {
  Bitmap all = among;
  for (const TermEntry& entry : entries) {
    Bitmap having(all.words().size() * 64);
    FindTerm(segment, entry, all, &having);
    all = std::move(having);
  }
  return all;
}

Places PlacesOf(const Segment& segment, const TermEntry& entry, const Bitmap& among) {
  Places places;
  PostingReader postings = segment.PostingsOf(entry);
  PositionReader positions = segment.PositionsOf(entry);
  std::vector<uint32_t> here;
  while (size_t block = postings.Next()) {
    for (size_t i = 0; i < block; ++i) {
      if (!among.Has(postings.id(i))) {
        positions.Skip();
        continue;
      }
      positions.Next(&here);
      places.ids.push_back(postings.id(i));
      places.start.push_back(places.positions.size());
      places.positions.insert(places.positions.end(), here.begin(), here.end());
    }
  }
  places.start.push_back(places.positions.size());
  return places;
}

// Of the places of the next word those that follow one of the places so far.
Places Follow(const Places& before, const Places& next) {
  Places places;
  size_t b = 0;
  for (size_t n = 0; n < next.ids.size(); ++n) {
    while (b < before.ids.size() && before.ids[b] < next.ids[n]) ++b;
    if (b == before.ids.size()) break;
    if (before.ids[b] != next.ids[n]) continue;
    size_t start = places.positions.size();
    size_t from = before.start[b];
    for (size_t at = next.start[n]; at < next.start[n + 1]; ++at) {
      while (from < before.start[b + 1] && before.positions[from] + 1 < next.positions[at]) ++from;
      if (from < before.start[b + 1] && before.positions[from] + 1 == next.positions[at])
        places.positions.push_back(next.positions[at]);
    }
    if (places.positions.size() == start) continue;
    places.ids.push_back(next.ids[n]);
    places.start.push_back(start);
  }
  places.start.push_back(places.positions.size());
  return places;
}

}  // namespace

void FindPhrase(const Segment& segment, const std::vector<std::string>& terms, const Bitmap& among,
                Bitmap* found) {
  std::vector<TermEntry> entries;
  for (const std::string& term : terms) {
    std::optional<TermEntry> entry = segment.Find(term);
    if (!entry) return;
    entries.push_back(std::move(*entry));
  }
  if (entries.size() == 1) {
    FindTerm(segment, entries[0], among, found);
    return;
  }
  Bitmap all = HavingAll(segment, entries, among);
  Places places = PlacesOf(segment, entries[0], all);
  for (size_t i = 1; i < entries.size() && !places.ids.empty(); ++i)
    places = Follow(places, PlacesOf(segment, entries[i], all));
  for (uint32_t id : places.ids) {
    if (among.Has(id)) found->Set(id);
  }
}

}  // namespace hearth::search
