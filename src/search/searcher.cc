#include "search/searcher.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "search/internal/fuzzy.h"
#include "search/internal/phrase.h"

namespace hearth::search {
namespace {

// A word that the caller finds in so many documents is not misspelt.
constexpr size_t kFewMatches = 8;
// Words that one word may stand for: their postings are all read.
constexpr size_t kMaxNear = 16;
constexpr size_t kMaxPrefixed = 64;
// Words with a common start are counted up to here: the most frequent of them are taken.
constexpr size_t kMaxPrefixScan = 20'000;
constexpr size_t kMinPrefixBytes = 2;

// What a variant is worth against the word as written.
constexpr float kPrefixShare = 0.8f;
constexpr float kEditShare[3] = {1.0f, 0.6f, 0.4f};

struct Variant {
  size_t layer;
  TermEntry entry;
  float share;
};

// One word over all documents: which have it, and the best impact of its variants there.
struct WordMatch {
  Bitmap ids;
  std::vector<uint8_t> impacts;  // valid where ids are set
  size_t count = 0;
  float rarity = 0;
};

class Searcher {
 public:
  Searcher(const Snapshot& snapshot, const Query& query, const Bitmap& allowed,
           const Bitmap& chosen)
      : snapshot_(snapshot), query_(query), chosen_(chosen), candidates_(allowed) {
    candidates_.Grow(snapshot.id_end);
    for (const Snapshot::Layer& layer : snapshot.layers) {
      visible_.push_back(layer.live);
      visible_.back().And(candidates_);
    }
  }

  SearchResult Run(size_t skip, size_t limit) {
    Restrict();
    std::vector<std::vector<Variant>> words;
    for (size_t i = 0; i < query_.words.size(); ++i) words.push_back(VariantsOf(i));
    for (const QueryPhrase& phrase : query_.phrases) {
      for (const std::string& term : phrase.terms) words.push_back(Exact(term));
    }
    std::vector<WordMatch> matches = MatchAll(words);
    if (query_.words.empty() && query_.phrases.empty()) {
      Bitmap live(snapshot_.id_end);
      for (const Bitmap& visible : visible_) live.Or(visible);
      live.And(candidates_);
      candidates_ = std::move(live);
    }
    result_.matches = candidates_;
    result_.total = candidates_.Count();
    if (result_.total == 0 && query_.words.size() > 1 && query_.phrases.empty()) {
      Relax(words, skip, limit);
    } else {
      Rank(matches, skip, limit, [](float score, size_t) { return score; });
    }
    result_.corrected = Corrected();
    std::sort(result_.terms.begin(), result_.terms.end());
    result_.terms.erase(std::unique(result_.terms.begin(), result_.terms.end()),
                        result_.terms.end());
    return std::move(result_);
  }

 private:
  // Phrases first: they are cheap to know about and leave little.
  void Restrict() {
    for (const QueryPhrase& phrase : query_.phrases) {
      Bitmap found(snapshot_.id_end);
      for (size_t l = 0; l < snapshot_.layers.size(); ++l)
        FindPhrase(*snapshot_.layers[l].segment, phrase.terms, visible_[l], &found);
      Narrow(found);
    }
    for (const QueryPhrase& phrase : query_.without) {
      Bitmap found(snapshot_.id_end);
      for (size_t l = 0; l < snapshot_.layers.size(); ++l)
        FindPhrase(*snapshot_.layers[l].segment, phrase.terms, visible_[l], &found);
      candidates_.AndNot(found);
      for (Bitmap& visible : visible_) visible.AndNot(found);
    }
    everything_ = candidates_;
    everything_visible_ = visible_;
  }

  void Narrow(const Bitmap& found) {
    candidates_.And(found);
    for (Bitmap& visible : visible_) visible.And(found);
  }

  // Documents with the term that the caller may see, counted up to `enough`.
  size_t CountVisible(const Variant& variant, size_t enough) const {
    size_t count = 0;
    PostingReader postings = SegmentOf(variant).PostingsOf(variant.entry);
    const Bitmap& visible = visible_[variant.layer];
    while (size_t block = postings.Next()) {
      for (size_t i = 0; i < block; ++i) count += visible.Has(postings.id(i));
      if (count >= enough) break;
    }
    return count;
  }
  const Segment& SegmentOf(const Variant& variant) const {
    return *snapshot_.layers[variant.layer].segment;
  }

  std::vector<Variant> Exact(const std::string& term) {
    std::vector<Variant> variants;
    for (size_t l = 0; l < snapshot_.layers.size(); ++l) {
      if (std::optional<TermEntry> entry = snapshot_.layers[l].segment->Find(term))
        variants.push_back({l, std::move(*entry), 1});
    }
    result_.terms.push_back(term);
    return variants;
  }

  std::vector<Variant> VariantsOf(size_t place) {
    const QueryWord& word = query_.words[place];
    std::vector<Variant> variants = Exact(word.term);
    size_t seen = 0;
    for (const Variant& variant : variants) {
      if (seen < kFewMatches) seen += CountVisible(variant, kFewMatches - seen);
    }
    bool open = place + 1 == query_.words.size() && query_.last_is_open;
    if (open) seen += AddPrefixed(word, seen, &variants);
    if (seen >= kFewMatches || word.paired) return variants;
    AddNear(place, seen == 0, &variants);
    return variants;
  }

  // Returns how many matches were seen, up to kFewMatches.
  size_t AddPrefixed(const QueryWord& word, size_t seen, std::vector<Variant>* variants) {
    if (word.typed.size() < kMinPrefixBytes) return 0;
    std::vector<Variant> found;
    for (size_t l = 0; l < snapshot_.layers.size(); ++l) {
      size_t scanned = 0;
      snapshot_.layers[l].segment->ForEachFrom(word.typed, [&](const TermEntry& entry) {
        if (!entry.term.starts_with(word.typed) || ++scanned > kMaxPrefixScan) return false;
        if (entry.term != word.term) found.push_back({l, entry, kPrefixShare});
        return true;
      });
    }
    return seen + TakeBest(std::move(found), kMaxPrefixed, variants);
  }

  void AddNear(size_t place, bool correct, std::vector<Variant>* variants) {
    const QueryWord& word = query_.words[place];
    std::u32string points = ToCodePoints(word.term);
    size_t edits = EditsFor(points.size());
    if (edits == 0) return;
    std::vector<Variant> found;
    std::map<std::string, size_t> distance;
    for (size_t l = 0; l < snapshot_.layers.size(); ++l) {
      for (NearTerm& near : FindNear(*snapshot_.layers[l].segment, points, edits, SIZE_MAX)) {
        distance[near.entry.term] = near.edits;
        found.push_back({l, std::move(near.entry), kEditShare[near.edits]});
      }
    }
    size_t before = variants->size();
    TakeBest(std::move(found), kMaxNear, variants);
    if (!correct || before == variants->size()) return;
    // The nearest one that most documents have. TakeBest saw to it that the caller sees it.
    std::map<std::string, size_t> counts;
    for (size_t i = before; i < variants->size(); ++i)
      counts[(*variants)[i].entry.term] += CountVisible((*variants)[i], 10'000);
    const std::string* best = nullptr;
    for (const auto& [term, count] : counts) {
      if (best == nullptr || distance[term] < distance[*best] ||
          (distance[term] == distance[*best] && count > counts[*best]))
        best = &term;
    }
    corrections_.emplace_back(place, *best);
  }

  // The most worthwhile variants that the caller sees; returns how many matches were seen, up to
  // kFewMatches.
  size_t TakeBest(std::vector<Variant> found, size_t most, std::vector<Variant>* variants) {
    std::sort(found.begin(), found.end(), [](const Variant& a, const Variant& b) {
      if (a.share != b.share) return a.share > b.share;
      if (a.entry.documents != b.entry.documents) return a.entry.documents > b.entry.documents;
      return a.layer != b.layer ? a.layer < b.layer : a.entry.term < b.entry.term;
    });
    size_t taken = 0, seen = 0;
    for (Variant& variant : found) {
      if (taken == most) break;
      size_t count = CountVisible(variant, kFewMatches);
      if (count == 0) continue;
      seen += count;
      result_.terms.push_back(variant.entry.term);
      variants->push_back(std::move(variant));
      ++taken;
    }
    return std::min(seen, kFewMatches);
  }

  // --- matching

  WordMatch MatchWord(const std::vector<Variant>& variants) const {
    WordMatch match;
    match.ids = Bitmap(snapshot_.id_end);
    match.impacts.resize(snapshot_.id_end);
    uint8_t* impacts = match.impacts.data();
    for (const Variant& variant : variants) {
      const Bitmap& visible = visible_[variant.layer];
      PostingReader postings = SegmentOf(variant).PostingsOf(variant.entry);
      const auto share = static_cast<uint32_t>(variant.share * 256);
      while (size_t block = postings.Next()) {
        for (size_t i = 0; i < block; ++i) {
          uint32_t id = postings.id(i);
          if (!visible.Has(id)) continue;
          auto impact = static_cast<uint8_t>(postings.impact(i) * share >> 8);
          if (match.ids.Test(id)) {
            impacts[id] = std::max(impacts[id], impact);
          } else {
            match.ids.Set(id);
            impacts[id] = impact;
          }
        }
      }
    }
    match.count = match.ids.Count();
    return match;
  }

  size_t DocumentsOf(const std::vector<Variant>& variants) const {
    size_t documents = 0;
    for (const Variant& variant : variants) documents += variant.entry.documents;
    return documents;
  }

  float RarityOf(size_t matches, const std::vector<Variant>& variants, bool narrowed) const {
    // After other words narrowed the candidates a count says nothing about the word: then the
    // postings do, for words so frequent that no single document shows.
    double documents = static_cast<double>(snapshot_.documents);
    double having = static_cast<double>(matches);
    if (narrowed) having = std::max(having, static_cast<double>(DocumentsOf(variants)));
    having = std::min(having, documents);
    return static_cast<float>(std::log(1 + (documents - having + 0.5) / (having + 0.5)));
  }

  // All words, the rarest first: the others then only touch what is left.
  std::vector<WordMatch> MatchAll(const std::vector<std::vector<Variant>>& words) {
    std::vector<size_t> order(words.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      size_t left = DocumentsOf(words[a]), right = DocumentsOf(words[b]);
      return left != right ? left < right : a < b;
    });
    std::vector<WordMatch> matches;
    for (size_t i : order) {
      matches.push_back(MatchWord(words[i]));
      matches.back().rarity = RarityOf(matches.back().count, words[i], matches.size() > 1);
      Narrow(matches.back().ids);
    }
    return matches;
  }

  // --- ranking

  template <typename Adjust>
  void Rank(const std::vector<WordMatch>& matches, size_t skip, size_t limit, Adjust adjust) {
    auto worse = [](const SearchHit& a, const SearchHit& b) {
      return a.score != b.score ? a.score > b.score : a.id < b.id;
    };
    std::vector<SearchHit> heap;  // the best skip + limit, the worst of them in front
    size_t wanted = skip + limit;
    if (wanted == 0) return;
    Bitmap ranked = result_.matches;
    ranked.And(chosen_);
    ranked.ForEach([&](uint32_t id) {
      float score = 0;
      size_t words = 0;
      for (const WordMatch& match : matches) {
        if (!match.ids.Has(id)) continue;
        score += match.rarity * match.impacts[id];
        ++words;
      }
      SearchHit hit{id, adjust(score, words)};
      if (heap.size() < wanted) {
        heap.push_back(hit);
        std::push_heap(heap.begin(), heap.end(), worse);
      } else if (worse(hit, heap.front())) {
        std::pop_heap(heap.begin(), heap.end(), worse);
        heap.back() = hit;
        std::push_heap(heap.begin(), heap.end(), worse);
      }
    });
    std::sort_heap(heap.begin(), heap.end(), worse);
    if (heap.size() > skip)
      result_.hits.assign(heap.begin() + static_cast<ptrdiff_t>(skip), heap.end());
  }

  // Documents with most of the words: all but one of two or three, two thirds of more.
  void Relax(const std::vector<std::vector<Variant>>& words, size_t skip, size_t limit) {
    candidates_ = everything_;
    visible_ = everything_visible_;
    std::vector<WordMatch> matches;
    std::vector<uint8_t> found(snapshot_.id_end);
    size_t occurring = 0;
    for (const std::vector<Variant>& variants : words) {
      matches.push_back(MatchWord(variants));
      matches.back().rarity = RarityOf(matches.back().count, variants, false);
      occurring += matches.back().count > 0;
      matches.back().ids.ForEach([&found](uint32_t id) { ++found[id]; });
    }
    size_t needed = std::max<size_t>(
        1, std::min(occurring, words.size() <= 3 ? words.size() - 1 : (words.size() * 2 + 2) / 3));
    Bitmap most(snapshot_.id_end);
    while (needed > 0 && !most.Any()) {
      for (uint32_t id = 0; id < snapshot_.id_end; ++id) {
        if (found[id] >= needed) most.Set(id);
      }
      --needed;
    }
    result_.matches = std::move(most);
    result_.total = result_.matches.Count();
    result_.relaxed = result_.total > 0;
    // A document with more of the words goes before one with fewer, nearly always.
    auto all = static_cast<float>(words.size());
    Rank(matches, skip, limit,
         [all](float score, size_t having) { return score * static_cast<float>(having) / all; });
  }

  std::string Corrected() const {
    std::string text = query_.text;
    for (auto correction = corrections_.rbegin(); correction != corrections_.rend(); ++correction) {
      const QueryWord& word = query_.words[correction->first];
      text.replace(word.begin, word.end - word.begin, correction->second);
    }
    return corrections_.empty() ? "" : text;
  }

  const Snapshot& snapshot_;
  const Query& query_;
  const Bitmap& chosen_;
  Bitmap candidates_;
  std::vector<Bitmap> visible_;  // of each layer: live there and a candidate
  Bitmap everything_;            // candidates before words narrowed them
  std::vector<Bitmap> everything_visible_;
  std::vector<std::pair<size_t, std::string>> corrections_;  // place of the word, by place
  SearchResult result_;
};

}  // namespace

SearchResult Search(const SnapshotPtr& snapshot, const Query& query, const Bitmap& allowed,
                    const Bitmap& chosen, size_t skip, size_t limit) {
  return Searcher(*snapshot, query, allowed, chosen).Run(skip, limit);
}

std::optional<Texts> ReadTexts(const SnapshotPtr& snapshot, uint32_t id) {
  for (const Snapshot::Layer& layer : snapshot->layers) {
    if (!layer.live.Has(id)) continue;
    if (std::optional<size_t> index = layer.segment->IndexOf(id))
      return layer.segment->ReadTexts(*index);
  }
  return std::nullopt;
}

}  // namespace hearth::search
