// Lists over a million repositories: latency of one query at a time, p50 and p99 over the run, for
// filters that are dense, sparse, correlated with the sort and disjoint; plus the time to load and
// the memory. HEARTH_BENCH_REPOS sets another number of rows.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "base/random.h"
#include "hub/hub.h"
#include "hub/synthetic_catalog.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

// A hub with the rows, made once.
class World {
 public:
  static World& Get() {
    static World world;
    return world;
  }
  ~World() {
    catalog.reset();
    hub_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::unique_ptr<Catalog> catalog;

 private:
  World() : folder_(std::filesystem::temp_directory_path() / ("hearth-bench-" + NewObjectId())) {
    const char* wanted = std::getenv("HEARTH_BENCH_REPOS");
    size_t count = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 1'000'000;
    {
      Hub empty(HubOptions{.data = folder_}, true);
      SyntheticCatalog(count, 1, 20).WriteTo(empty.db());
    }
    hub_ = std::make_unique<Hub>(HubOptions{.data = folder_}, true);
    // A second catalog over the same records, to see what it alone takes.
    size_t before = ResidentBytes();
    SteadyClock::time_point start = SteadyClock::now();
    catalog = std::make_unique<Catalog>(hub_->db(), hub_->repos(), hub_->objects(), hub_->clock());
    double seconds = SecondsSince(start);
    // What inspections would say: four kinds, and needs of up to 97 GiB.
    static const char* kKinds[] = {"adapter:proved", "quantized:proved,converted:declared",
                                   "base:inferred", "embedding:proved,finetune:declared"};
    for (size_t id = 1; id <= count; ++id) {
      uint64_t need = (id * 40503 % 97) << 30;
      catalog->SetReading(static_cast<int64_t>(id),
                          {.kinds = kKinds[id % 4], .gpu_bytes = need, .cpu_bytes = need});
    }
    std::printf("%zu repositories: loaded in %.2f s, %.0f bytes each (orders come on top)\n", count,
                seconds,
                static_cast<double>(ResidentBytes() - before) / static_cast<double>(count));
  }

  std::filesystem::path folder_;
  std::unique_ptr<Hub> hub_;
};

void Measure(benchmark::State& state, const CatalogQuery& query, const Actor& actor = {}) {
  Catalog& catalog = *World::Get().catalog;
  size_t total = catalog.List(actor, query).total;  // builds the order
  std::vector<double> micros;
  for (auto _ : state) {
    SteadyClock::time_point start = SteadyClock::now();
    CatalogPage page = catalog.List(actor, query);
    benchmark::DoNotOptimize(page);
    micros.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  auto at = [&micros](double share) {
    return micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  state.counters["p50_us"] = at(0.50);
  state.counters["p99_us"] = at(0.99);
  state.counters["matches"] = static_cast<double>(total);
}

CatalogQuery Query(std::vector<std::string> filters, SortKey sort, size_t limit = 100) {
  CatalogQuery query;
  query.filters = std::move(filters);
  query.sort = sort;
  query.limit = limit;
  return query;
}

void NoFilter(benchmark::State& state) { Measure(state, Query({}, SortKey::kTrending, 1000)); }
void TwoDense(benchmark::State& state) {
  Measure(state, Query({"license:mit", "transformers"}, SortKey::kDownloads));
}
void TwoSparse(benchmark::State& state) {
  Measure(state, Query({"dataset:data17", "yo"}, SortKey::kModified));
}
void DenseAndSparse(benchmark::State& state) {
  Measure(state, Query({"safetensors", "free-3"}, SortKey::kLikes));
}
// Matches lie at the far end of the order: the whole of it is walked.
void OldestByNewest(benchmark::State& state) {
  Measure(state, Query({"gguf", "safetensors"}, SortKey::kCreated));
}
void UnlovedByDownloads(benchmark::State& state) {
  Measure(state, Query({"unloved", "region:us"}, SortKey::kDownloads));
}
void Disjoint(benchmark::State& state) {
  Measure(state, Query({"fill-mask", "text-to-image"}, SortKey::kDownloads));
}
void Search(benchmark::State& state) {
  CatalogQuery query = Query({}, SortKey::kDownloads);
  query.search = {"llama-tiny"};
  Measure(state, query);
}
void SearchAndFilter(benchmark::State& state) {
  CatalogQuery query = Query({"yo"}, SortKey::kDownloads);
  query.search = {"bert"};
  Measure(state, query);
}
void Author(benchmark::State& state) {
  CatalogQuery query = Query({}, SortKey::kModified);
  query.author = SyntheticCatalog::OwnerName(7);
  Measure(state, query);
}
void ParameterRange(benchmark::State& state) {
  CatalogQuery query = Query({"license:mit", "text-generation"}, SortKey::kTrending);
  query.min_parameters = 1'000'000;
  query.max_parameters = 8'000'000'000;
  Measure(state, query);
}
void SignedIn(benchmark::State& state) {
  Actor actor;
  actor.via = Actor::Via::kSession;
  actor.user_id = SyntheticCatalog::OwnerId(3);
  Measure(state, Query({"license:mit", "transformers"}, SortKey::kDownloads), actor);
}
// One record changes before every query: its place in the order is mended each time.
void UnderChange(benchmark::State& state) {
  Catalog& catalog = *World::Get().catalog;
  CatalogQuery query = Query({"license:mit", "transformers"}, SortKey::kDownloads);
  RepoPtr repo = catalog.List({}, query).repos.back();
  std::vector<double> micros;
  for (auto _ : state) {
    auto changed = std::make_shared<RepoRecord>(*repo);
    changed->downloads += 1;
    catalog.OnRepoChanged(repo, changed);
    repo = changed;
    SteadyClock::time_point start = SteadyClock::now();
    benchmark::DoNotOptimize(catalog.List({}, query));
    micros.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
}
void QuickSearch(benchmark::State& state) {
  Catalog& catalog = *World::Get().catalog;
  for (auto _ : state) {
    size_t total = 0;
    benchmark::DoNotOptimize(catalog.QuickSearch({}, RepoType::kModel, "vision-la", 10, &total));
  }
}

// --- facets

// One list after another, so that hardly any answer is kept from before.
void MeasureFacets(benchmark::State& state, const std::vector<CatalogQuery>& queries,
                   const std::vector<std::string>& devices = {}) {
  Catalog& catalog = *World::Get().catalog;
  FacetOptions options{.max_values = 60};
  options.devices = devices;
  std::vector<double> micros;
  size_t turn = 0;
  RepoPtr repo = catalog.List({}, {}).repos.at(0);
  for (auto _ : state) {
    // The readings of another repository are new: no kept answer holds.
    state.PauseTiming();
    catalog.SetReading(repo->id, {.kinds = "", .gpu_bytes = ++turn, .cpu_bytes = turn});
    state.ResumeTiming();
    SteadyClock::time_point start = SteadyClock::now();
    benchmark::DoNotOptimize(catalog.FacetsOf({}, queries[turn % queries.size()], options));
    micros.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
  state.counters["max_us"] = micros.back();
}

CatalogQuery Faceted(const std::vector<std::pair<std::string, std::string>>& choices) {
  CatalogQuery query;
  for (const auto& [key, value] : choices) ApplyFacet(key, value, &query);
  return query;
}

void FacetsOfAll(benchmark::State& state) { MeasureFacets(state, {CatalogQuery{}}); }
void FacetsOfAllWithDevices(benchmark::State& state) {
  MeasureFacets(state, {CatalogQuery{}}, {"RTX 4090", "M1 8GB", "cpu:64GiB", "my box:20GiB"});
}
void FacetsOfFits(benchmark::State& state) {
  MeasureFacets(state, {Faceted({{"fits", "8GiB"}}), Faceted({{"fits", "24GiB"}}),
                        Faceted({{"fits", "cpu:64GiB"}})});
}
void FacetsOfKinds(benchmark::State& state) {
  MeasureFacets(state, {Faceted({{"kind", "quantized"}}), Faceted({{"kind", "adapter"}})});
}
void FacetsOfAllNarrowings(benchmark::State& state) {
  MeasureFacets(state, {Faceted({{"kind", "quantized"}, {"fits", "24GiB"}, {"license", "mit"}}),
                        Faceted({{"language", "en"}, {"task", "fill-mask"}, {"fits", "8GiB"}})});
}
void FacetsOfASearch(benchmark::State& state) {
  CatalogQuery query = Faceted({{"fits", "24GiB"}});
  query.search = {"llama"};
  MeasureFacets(state, {query});
}
void LeadersOfTasks(benchmark::State& state) {
  Catalog& catalog = *World::Get().catalog;
  std::vector<std::string> tasks;
  for (const TaskEntry& task : KnownTasks()) tasks.emplace_back(task.id);
  for (auto _ : state) benchmark::DoNotOptimize(catalog.LeadersOf({}, tasks, 5));
}
// What they would be by one list after another.
void ListsOfTasks(benchmark::State& state) {
  Catalog& catalog = *World::Get().catalog;
  for (auto _ : state) {
    for (const TaskEntry& task : KnownTasks()) {
      CatalogQuery query = Query({}, SortKey::kDownloads, 5);
      query.pipeline_tag = task.id;
      benchmark::DoNotOptimize(catalog.List({}, query));
      query.gated = false;
      query.limit = 1;
      benchmark::DoNotOptimize(catalog.List({}, query));
      query = Query({"task_categories:" + std::string(task.id)}, SortKey::kDownloads, 5);
      query.type = RepoType::kDataset;
      benchmark::DoNotOptimize(catalog.List({}, query));
    }
  }
}

BENCHMARK(FacetsOfAll)->Unit(benchmark::kMicrosecond);
BENCHMARK(FacetsOfAllWithDevices)->Unit(benchmark::kMicrosecond);
BENCHMARK(FacetsOfFits)->Unit(benchmark::kMicrosecond);
BENCHMARK(FacetsOfKinds)->Unit(benchmark::kMicrosecond);
BENCHMARK(FacetsOfAllNarrowings)->Unit(benchmark::kMicrosecond);
BENCHMARK(FacetsOfASearch)->Unit(benchmark::kMicrosecond);
BENCHMARK(LeadersOfTasks)->Unit(benchmark::kMicrosecond);
BENCHMARK(ListsOfTasks)->Unit(benchmark::kMicrosecond);
BENCHMARK(NoFilter)->Unit(benchmark::kMicrosecond);
BENCHMARK(TwoDense)->Unit(benchmark::kMicrosecond);
BENCHMARK(TwoSparse)->Unit(benchmark::kMicrosecond);
BENCHMARK(DenseAndSparse)->Unit(benchmark::kMicrosecond);
BENCHMARK(OldestByNewest)->Unit(benchmark::kMicrosecond);
BENCHMARK(UnlovedByDownloads)->Unit(benchmark::kMicrosecond);
BENCHMARK(Disjoint)->Unit(benchmark::kMicrosecond);
BENCHMARK(Search)->Unit(benchmark::kMicrosecond);
BENCHMARK(SearchAndFilter)->Unit(benchmark::kMicrosecond);
BENCHMARK(Author)->Unit(benchmark::kMicrosecond);
BENCHMARK(ParameterRange)->Unit(benchmark::kMicrosecond);
BENCHMARK(SignedIn)->Unit(benchmark::kMicrosecond);
BENCHMARK(UnderChange)->Unit(benchmark::kMicrosecond);
BENCHMARK(QuickSearch)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hearth::hub
