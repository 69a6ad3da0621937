// Full-text search over a million made-up cards: latency of one query at a time, p50 and p99 over
// the run; plus the time to build, and bytes a card on disk and in memory. HEARTH_BENCH_REPOS sets
// another number, HEARTH_BENCH_INDEX a folder to keep the index in (it is used again when it is
// there), HEARTH_BENCH_TEXTS a file to which the cards are written, one a line, for a peer.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>

#include "base/random.h"
#include "search/searcher.h"
#include "search/snippet.h"
#include "search/synthetic_text.h"

namespace hearth::search {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::string NameOf(uint32_t id, const SyntheticText& text, std::mt19937& random) {
  return "owner" + std::to_string(random() % 200'000) + "/" +
         SyntheticText::Word(text.Rank(random)) + "-" + SyntheticText::Word(text.Rank(random)) +
         "-" + std::to_string(id % 1000);
}

class World {
 public:
  static World& Get() {
    static World world;
    return world;
  }
  ~World() {
    index.reset();
    if (!kept_) {
      std::error_code ignored;
      std::filesystem::remove_all(folder_, ignored);
    }
  }

  std::unique_ptr<Index> index;
  Bitmap all;
  uint32_t count = 1'000'000;
  SyntheticText text;

 private:
  World() {
    if (const char* wanted = std::getenv("HEARTH_BENCH_REPOS"))
      count = static_cast<uint32_t>(std::strtoul(wanted, nullptr, 10));
    const char* folder = std::getenv("HEARTH_BENCH_INDEX");
    kept_ = folder != nullptr;
    folder_ = kept_ ? std::filesystem::path(folder)
                    : std::filesystem::temp_directory_path() / ("hearth-bench-" + NewObjectId());
    all = Bitmap(count + 1);
    for (uint32_t id = 1; id <= count; ++id) all.Set(id);
    SteadyClock::time_point start = SteadyClock::now();
    index = std::make_unique<Index>(folder_);
    std::printf("opened in %.2f s\n", SecondsSince(start));
    if (index->snapshot()->documents == 0) Fill();
    IndexStats stats = index->stats();
    auto per = [this](uint64_t bytes) { return static_cast<double>(bytes) / count; };
    std::printf("%u cards: %.0f bytes each on disk, %.1f in memory, %zu segments\n", count,
                per(stats.disk_bytes), per(stats.memory_bytes), stats.segments);
    std::fflush(stdout);
  }

  void Fill() {
    std::ofstream texts;
    if (const char* file = std::getenv("HEARTH_BENCH_TEXTS")) texts.open(file);
    SteadyClock::time_point start = SteadyClock::now();
    std::mt19937 random(1);
    size_t bytes = 0;
    for (uint32_t id = 1; id <= count; ++id) {
      Document document;
      document.id = id;
      document.stamp = id;
      document[Field::kName] = NameOf(id, text, random);
      document[Field::kTags] = text.Words(8, random);
      document[Field::kBody] = text.Words(SyntheticText::CardLength(random), random);
      for (const std::string& field : document.fields) bytes += field.size();
      if (texts.is_open()) {
        std::string line = document[Field::kBody];
        std::replace(line.begin(), line.end(), '\n', ' ');
        texts << document[Field::kName] << '\t' << document[Field::kTags] << '\t' << line << '\n';
      }
      index->Put(std::move(document));
    }
    index->Flush();
    std::printf("built in %.1f s from %.0f bytes of text each\n", SecondsSince(start),
                static_cast<double>(bytes) / count);
  }

  std::filesystem::path folder_;
  bool kept_ = false;
};

// Queries of one shape, a new one each time.
template <typename Make>
void Measure(benchmark::State& state, Make make) {
  World& world = World::Get();
  std::mt19937 random(7);
  SnapshotPtr snapshot = world.index->snapshot();
  std::vector<double> millis;
  double found = 0;
  for (auto _ : state) {
    std::string text = make(world.text, random);
    SteadyClock::time_point start = SteadyClock::now();
    Query query = ParseQuery(text, {});
    SearchResult result = Search(snapshot, query, world.all, world.all, 0, 20);
    for (const SearchHit& hit : result.hits) {
      auto texts = ReadTexts(snapshot, hit.id);
      benchmark::DoNotOptimize(MakeSnippet(*texts, result.terms, 240));
    }
    millis.push_back(SecondsSince(start) * 1e3);
    found += static_cast<double>(result.total);
  }
  std::sort(millis.begin(), millis.end());
  auto at = [&millis](double share) {
    return millis[static_cast<size_t>(share * static_cast<double>(millis.size() - 1))];
  };
  state.counters["p50_ms"] = at(0.50);
  state.counters["p99_ms"] = at(0.99);
  state.counters["matches"] = found / static_cast<double>(millis.size());
}

std::string Misspelt(std::string word, std::mt19937& random) {
  if (word.size() < 5) word += "ation";
  size_t at = 1 + random() % (word.size() - 2);
  std::swap(word[at], word[at - 1]);
  return word;
}

// What people type: one to four words as frequent as in the texts, a third of them the start of
// one, a tenth misspelt.
std::string Typical(const SyntheticText& text, std::mt19937& random) {
  std::string query;
  for (uint32_t words = 1 + random() % 4; words > 0; --words) {
    std::string word = SyntheticText::Word(text.Rank(random));
    if (random() % 10 == 0) word = Misspelt(word, random);
    if (words == 1 && random() % 3 == 0) return query + word.substr(0, 1 + word.size() / 2);
    query += word + " ";
  }
  return query;
}

void TypicalQueries(benchmark::State& state) { Measure(state, Typical); }
void FrequentWords(benchmark::State& state) {
  Measure(state, [](const SyntheticText&, std::mt19937& random) {
    std::string query;
    for (int i = 0; i < 3; ++i) query += SyntheticText::Word(random() % 20) + " ";
    return query;
  });
}
void Phrases(benchmark::State& state) {
  Measure(state, [](const SyntheticText&, std::mt19937& random) {
    return "\"" + SyntheticText::Word(random() % 40) + " " + SyntheticText::Word(random() % 40) +
           "\"";
  });
}
void Misspellings(benchmark::State& state) {
  Measure(state, [](const SyntheticText& text, std::mt19937& random) {
    return Misspelt(SyntheticText::Word(500 + text.Rank(random)), random) + " model ";
  });
}
void Starts(benchmark::State& state) {
  Measure(state, [](const SyntheticText& text, std::mt19937& random) {
    return "training " + SyntheticText::Word(text.Rank(random)).substr(0, 2);
  });
}
BENCHMARK(TypicalQueries)->Unit(benchmark::kMillisecond)->Iterations(400);
BENCHMARK(FrequentWords)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(Phrases)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(Misspellings)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(Starts)->Unit(benchmark::kMillisecond)->Iterations(200);

}  // namespace
}  // namespace hearth::search
