#include "tensor/reference/reference_executor.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/graph_replay.h"
#include "tensor/op_checks.h"
#include "tensor/reference/reference_builder.h"

namespace hearth::tensor {
namespace {

struct ReferenceForm : ProgramAdapter {
  ReferenceAdapter adapter;
};

// Pages as they are written; the builder wants whole sequences, which are put together for each
// run.
class PageCache : public SequenceCache {
 public:
  explicit PageCache(uint32_t pages) : pages_(pages) {}

  void CopyPage(uint32_t from, uint32_t to) override {
    for (auto& [place, page] : places_) {
      if (place.second == from) page_copies_.emplace_back(place.first, page);
    }
    for (auto& [layer, page] : page_copies_) places_[{layer, to}] = std::move(page);
    page_copies_.clear();
  }

  // Tokens [0, count) of a sequence.
  ReferenceCache::Layer Gather(int32_t layer, std::span<const uint32_t> pages, uint32_t count,
                               uint32_t columns) const {
    ReferenceCache::Layer made;
    for (uint32_t token = 0; token < count; ++token) {
      const ReferenceCache::Layer& page = places_.at({layer, pages[token / kPageTokens]});
      uint64_t at = uint64_t{token % kPageTokens} * columns;
      made.keys.insert(made.keys.end(), page.keys.begin() + at, page.keys.begin() + at + columns);
      made.values.insert(made.values.end(), page.values.begin() + at,
                         page.values.begin() + at + columns);
    }
    return made;
  }

  // Tokens [begin, ...) of a sequence that `all` holds.
  void Scatter(int32_t layer, std::span<const uint32_t> pages, uint32_t begin, uint32_t columns,
               const ReferenceCache::Layer& all) {
    uint64_t count = all.keys.size() / columns;
    for (uint64_t token = begin; token < count; ++token) {
      ReferenceCache::Layer& page = places_[{layer, pages[token / kPageTokens]}];
      page.keys.resize(uint64_t{kPageTokens} * columns);
      page.values.resize(uint64_t{kPageTokens} * columns);
      uint64_t at = (token % kPageTokens) * columns;
      std::copy_n(all.keys.begin() + token * columns, columns, page.keys.begin() + at);
      std::copy_n(all.values.begin() + token * columns, columns, page.values.begin() + at);
    }
  }

  void Check(const Segment& segment) const {
    bool is_there = segment.pages.size() * kPageTokens >= uint64_t{segment.past} + segment.rows &&
                    std::all_of(segment.pages.begin(), segment.pages.end(),
                                [&](uint32_t page) { return page < pages_; });
    if (!is_there) throw Error(Code::kInvalidArgument, "a sequence has too few pages of the cache");
  }

 private:
  uint32_t pages_;
  std::map<std::pair<int32_t, uint32_t>, ReferenceCache::Layer> places_;  // by (layer, page)
  std::vector<std::pair<int32_t, ReferenceCache::Layer>> page_copies_;
};

class ReferenceProgram : public Program, public std::enable_shared_from_this<ReferenceProgram> {
 public:
  ReferenceProgram(Graph graph, const WeightSet& weights)
      : graph_(std::move(graph)), weights_(weights) {
    for (const Node& node : graph_.nodes) {
      const auto* options = std::get_if<AttentionOptions>(&node.operation);
      if (options == nullptr || options->cache_layer < 0) continue;
      cached_layers_[options->cache_layer] = options->kv_heads * options->head_dim;
    }
  }

  const Graph& graph() const override { return graph_; }
  const WeightSet& weights() const { return weights_; }
  // Columns of keys by layer of the cache.
  const std::map<int32_t, uint32_t>& cached_layers() const { return cached_layers_; }
  std::unique_ptr<Session> NewSession(ThreadTeam& team) const override;
  std::shared_ptr<const ProgramAdapter> MakeAdapter(std::span<const LowRank> pairs) const override;
  uint64_t CachePageBytes(const KvShape& shape) const override {
    KvShape kept = shape;
    kept.type = KvType::kF32;
    return KvCache::PageBytes(kept);
  }
  std::unique_ptr<SequenceCache> NewCache(const KvShape&, uint32_t pages) const override {
    return std::make_unique<PageCache>(pages);
  }

 private:
  Graph graph_;
  const WeightSet& weights_;
  std::map<int32_t, uint32_t> cached_layers_;
};

class ReferenceSession : public Session {
 public:
  explicit ReferenceSession(std::shared_ptr<const ReferenceProgram> program)
      : program_(std::move(program)) {}

  void Run(const Batch& batch, SequenceCache* cache,
           std::span<const ProgramAdapter* const> adapters) override {
    CheckBatch(batch, FeatureColumns(program_->graph()));
    for (const Segment& segment : batch.segments) {
      if (segment.adapter < static_cast<int64_t>(adapters.size())) continue;
      throw Error(Code::kInvalidArgument, "a sequence names an adapter that is not there");
    }
    std::vector<ReferenceAdapter> forms;
    for (const ProgramAdapter* adapter : adapters) {
      forms.push_back(static_cast<const ReferenceForm*>(adapter)->adapter);
    }
    auto* pages = static_cast<PageCache*>(cache);
    // The builder keeps a sequence under one number: here its place in the batch.
    std::vector<Segment> segments(batch.segments.begin(), batch.segments.end());
    std::vector<uint32_t> numbers(segments.size());
    ReferenceCache sequences;
    for (uint32_t i = 0; i < segments.size(); ++i) {
      if (pages != nullptr) pages->Check(segments[i]);
      for (auto [layer, columns] : program_->cached_layers()) {
        if (pages == nullptr) continue;
        sequences.layers[{i, layer}] =
            pages->Gather(layer, segments[i].pages, segments[i].past, columns);
      }
      numbers[i] = i;
      segments[i].pages = {&numbers[i], 1};
    }
    Batch renamed = batch;
    renamed.segments = segments;
    ReferenceBuilder builder(program_->weights(), renamed, pages != nullptr ? &sequences : nullptr,
                             std::move(forms));
    builder.GiveFloats(std::move(floats_));
    Replay(program_->graph(), builder);
    floats_ = builder.TakeFloats();
    for (const auto& [name, node] : program_->graph().outputs)
      outputs_[name] = builder.Result(name);
    for (uint32_t i = 0; pages != nullptr && i < segments.size(); ++i) {
      for (auto [layer, columns] : program_->cached_layers()) {
        pages->Scatter(layer, batch.segments[i].pages, segments[i].past, columns,
                       sequences.layers[{i, layer}]);
      }
    }
  }

  OutputRows Output(std::string_view name) const override {
    auto found = outputs_.find(name);
    if (found == outputs_.end()) {
      throw Error(Code::kNotFound, "the model has no output \"" + std::string(name) + "\"");
    }
    uint32_t columns = program_->FindOutput(name)->columns;
    return {found->second.data(), columns, found->second.size() / columns, columns};
  }

 private:
  std::shared_ptr<const ReferenceProgram> program_;
  std::map<int32_t, std::vector<float>> floats_;  // of weights, by their place
  std::map<std::string, std::vector<float>, std::less<>> outputs_;
};

std::unique_ptr<Session> ReferenceProgram::NewSession(ThreadTeam&) const {
  return std::make_unique<ReferenceSession>(shared_from_this());
}

std::shared_ptr<const ProgramAdapter> ReferenceProgram::MakeAdapter(
    std::span<const LowRank> pairs) const {
  auto form = std::make_shared<ReferenceForm>();
  for (const LowRank& pair : pairs) {
    CheckLowRank(weights_, pair);
    form->adapter[pair.weight.index] = {
        {pair.a.begin(), pair.a.end()}, {pair.b.begin(), pair.b.end()}, pair.rank, pair.scale};
  }
  return form;
}

}  // namespace

std::shared_ptr<const Program> CompileForReference(Graph graph, const WeightSet& weights,
                                                   const CompileOptions&) {
  return std::make_shared<ReferenceProgram>(std::move(graph), weights);
}

}  // namespace hearth::tensor
