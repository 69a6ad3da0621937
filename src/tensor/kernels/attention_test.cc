// Attention in every tier against plain sums in double precision.
#include "tensor/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include "base/error.h"
#include "tensor/float_formats.h"

namespace hearth::tensor {
namespace {

struct Case {
  AttentionOptions options;
  std::vector<std::pair<uint32_t, uint32_t>> segments;  // rows, past
  KvType type = KvType::kF32;
  bool cached = false;
  uint32_t buckets = 0;  // of a relative bias
  float magnitude = 1;   // of q
  int threads = 1;
  bool fused = false;  // q, k and v in one matrix
};

AttentionOptions Options(uint32_t heads, uint32_t kv_heads, uint32_t head_dim) {
  AttentionOptions options;
  options.heads = heads;
  options.kv_heads = kv_heads;
  options.head_dim = head_dim;
  options.scale = 1 / std::sqrt(static_cast<float>(head_dim));
  return options;
}

// A sequence's keys and values as the cache keeps them.
float Rounded(float value, KvType type, float largest) {
  if (type == KvType::kF16) return HalfToFloat(FloatToHalf(value));
  if (type == KvType::kF32 || largest == 0) return value;
  return std::nearbyint(value * (127 / largest)) * (largest / 127);
}

void RoundHead(float* values, uint32_t dim, KvType type) {
  float largest = 0;
  for (uint32_t d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(values[d]));
  for (uint32_t d = 0; d < dim; ++d) values[d] = Rounded(values[d], type, largest);
}

// One case with its memory. Every sequence has its whole history in `keys` and `values`; a run
// brings the last `rows` of them.
class Fixture {
 public:
  explicit Fixture(const Case& c, uint32_t seed = 1) : case_(c), random_(seed) {
    const AttentionOptions& o = c.options;
    q_columns_ = uint64_t{o.heads} * o.head_dim;
    kv_columns_ = uint64_t{o.kv_heads} * o.head_dim;
    uint32_t row = 0, pages = 0;
    for (auto [rows, past] : c.segments) {
      segments_.push_back({row, rows, c.cached ? past : 0, {}, -1});
      row += rows;
      pages += (rows + past + kPageTokens - 1) / kPageTokens + 1;
    }
    rows_ = row;
    if (c.buckets > 0) bias_ = Random(uint64_t{c.buckets} * o.heads, 1);
    if (c.cached) {
      cache_ = std::make_unique<KvCache>(KvShape{2, o.kv_heads, o.head_dim, c.type}, pages);
      DealPages(pages);
    }
    for (const Segment& segment : segments_) {
      keys_.push_back(Random((segment.past + segment.rows) * kv_columns_, 1));
      values_.push_back(Random((segment.past + segment.rows) * kv_columns_, 1));
    }
    q_ = Random(rows_ * q_columns_, c.magnitude);
    ids_.resize(rows_);
  }

  std::vector<float> Random(uint64_t count, float magnitude) {
    std::normal_distribution<float> normal(0, magnitude);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }

  // What the kernels give; memory around the operands is poisoned.
  std::vector<float> Run(Tier tier) {
    if (cache_ != nullptr) FillCache(tier);
    Layout(segments_);
    std::vector<float> out(rows_ * q_columns_, std::numeric_limits<float>::quiet_NaN());
    Batch batch = BatchOf(segments_);
    AttentionCall call = CallOf(batch, tier);
    call.out = out.data();
    StoreKeysAndValues(call, 0, rows_ / 2);
    StoreKeysAndValues(call, rows_ / 2, rows_);
    std::vector<AttentionItem> items;
    PlanAttention(call, case_.threads, &items);
    std::shuffle(items.begin(), items.end(), random_);
    if (case_.threads == 1) {
      for (const AttentionItem& item : items) RunAttention(call, item);
    } else {
      RunThreads(call, items);
    }
    last_items_ = items;
    return out;
  }

  std::vector<double> Expected() const {
    std::vector<double> out(rows_ * q_columns_);
    for (size_t s = 0; s < segments_.size(); ++s) {
      std::vector<float> keys = keys_[s], values = values_[s];
      for (size_t i = 0; cache_ != nullptr && i < keys.size(); i += case_.options.head_dim) {
        RoundHead(keys.data() + i, case_.options.head_dim, case_.type);
        RoundHead(values.data() + i, case_.options.head_dim, case_.type);
      }
      for (uint32_t row = 0; row < segments_[s].rows; ++row) {
        for (uint32_t head = 0; head < case_.options.heads; ++head) {
          ExpectedRow(segments_[s], row, head, keys, values,
                      out.data() + (segments_[s].first_row + row) * q_columns_ +
                          head * case_.options.head_dim);
        }
      }
    }
    return out;
  }

  std::vector<float>& keys(size_t segment) { return keys_[segment]; }
  std::vector<float>& values(size_t segment) { return values_[segment]; }
  std::vector<float>& q() { return q_; }
  const std::vector<AttentionItem>& last_items() const { return last_items_; }

 private:
  void DealPages(uint32_t pages) {
    std::vector<uint32_t> order(pages);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    // What earlier sequences left must not matter.
    for (uint32_t page = 0; page < pages; ++page) {
      std::memset(cache_->LayerPage(page, 0), 0xFF, KvCache::PageBytes(cache_->shape()));
    }
    pages_of_.resize(segments_.size());
    size_t next = 0;
    for (size_t s = 0; s < segments_.size(); ++s) {
      uint32_t count = (segments_[s].past + segments_[s].rows + kPageTokens - 1) / kPageTokens;
      pages_of_[s].assign(order.begin() + next, order.begin() + next + count);
      next += count;
      segments_[s].pages = pages_of_[s];
    }
  }

  void FillCache(Tier tier) {
    for (size_t s = 0; s < segments_.size(); ++s) {
      if (segments_[s].past == 0) continue;
      Segment history = segments_[s];
      history.first_row = 0;
      history.rows = history.past;
      history.past = 0;
      AttentionOptions options = case_.options;
      options.cache_layer = 1;
      Batch batch;
      std::vector<uint32_t> ids(history.rows);
      batch.token_ids = ids;
      batch.segments = {&history, 1};
      AttentionCall call;
      call.options = &options;
      call.batch = &batch;
      call.cache = cache_.get();
      call.k = keys_[s].data();
      call.v = values_[s].data();
      call.kv_stride = kv_columns_;
      call.tier = tier;
      uint32_t cut = history.rows / 3;
      StoreKeysAndValues(call, 0, cut);
      StoreKeysAndValues(call, cut, history.rows);
    }
  }

  void Layout(const std::vector<Segment>& segments) {
    uint64_t width = case_.fused ? q_columns_ + 2 * kv_columns_ : kv_columns_;
    // Exactly as long as needed, so that the address sanitizer sees a step beyond.
    k_run_.assign(rows_ * width, 0);
    if (!case_.fused) v_run_.assign(rows_ * width, 0);
    for (size_t s = 0; s < segments.size(); ++s) {
      for (uint32_t row = 0; row < segments[s].rows; ++row) {
        uint64_t from = (segments[s].past + row) * kv_columns_;
        uint64_t to = (segments[s].first_row + row) * width;
        float* k = k_run_.data() + to;
        float* v = case_.fused ? k + kv_columns_ : v_run_.data() + to;
        std::copy_n(keys_[s].data() + from, kv_columns_, k);
        std::copy_n(values_[s].data() + from, kv_columns_, v);
        if (!case_.fused) continue;
        std::copy_n(q_.data() + (segments[s].first_row + row) * q_columns_, q_columns_,
                    k + 2 * kv_columns_);
      }
    }
  }

  Batch BatchOf(const std::vector<Segment>& segments) {
    Batch batch;
    batch.token_ids = ids_;
    batch.segments = segments;
    return batch;
  }

  AttentionCall CallOf(const Batch& batch, Tier tier) {
    run_options_ = case_.options;
    run_options_.cache_layer = cache_ != nullptr ? 1 : -1;
    AttentionCall call;
    call.k = k_run_.data();
    call.v = case_.fused ? call.k + kv_columns_ : v_run_.data();
    call.kv_stride = case_.fused ? q_columns_ + 2 * kv_columns_ : kv_columns_;
    call.q = case_.fused ? call.k + 2 * kv_columns_ : q_.data();
    call.q_stride = case_.fused ? call.kv_stride : q_columns_;
    call.out_stride = q_columns_;
    call.options = &run_options_;
    call.batch = &batch;
    call.cache = cache_.get();
    call.relative_bias = bias_;
    call.partials = &partials_;
    call.tier = tier;
    return call;
  }

  void RunThreads(const AttentionCall& call, const std::vector<AttentionItem>& items) {
    std::atomic<size_t> next{0};
    auto work = [&] {
      for (size_t i; (i = next.fetch_add(1)) < items.size();) RunAttention(call, items[i]);
    };
    std::thread other(work);
    work();
    other.join();
  }

  void ExpectedRow(const Segment& segment, uint32_t row, uint32_t head,
                   const std::vector<float>& keys, const std::vector<float>& values,
                   double* out) const {
    const AttentionOptions& o = case_.options;
    uint32_t kv_head = head / (o.heads / o.kv_heads), count = segment.past + segment.rows;
    int64_t place = segment.past + row;
    const float* q = q_.data() + (segment.first_row + row) * q_columns_ + head * o.head_dim;
    std::vector<double> scores(count, -std::numeric_limits<double>::infinity());
    for (int64_t j = 0; j < count; ++j) {
      if (o.causal && j > place) continue;
      if (o.window > 0 && std::abs(j - place) >= o.window) continue;
      double score = 0;
      for (uint32_t d = 0; d < o.head_dim; ++d) {
        score += double{q[d]} * keys[j * kv_columns_ + kv_head * o.head_dim + d];
      }
      score *= o.scale;
      if (o.softcap > 0) score = o.softcap * std::tanh(score / o.softcap);
      if (case_.buckets > 0) {
        uint32_t bucket =
            RelativeBucket(j - place, case_.buckets, o.relative_max_distance, !o.causal);
        score += bias_[bucket * o.heads + head];
      }
      scores[j] = score;
    }
    double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (uint32_t d = 0; d < o.head_dim; ++d) {
      double total = 0;
      for (int64_t j = 0; j < count; ++j) {
        if (scores[j] > 0) {
          total += scores[j] * values[j * kv_columns_ + kv_head * o.head_dim + d];
        }
      }
      out[d] = total / sum;
    }
  }

  Case case_;
  std::mt19937 random_;
  uint64_t q_columns_, kv_columns_, rows_;
  std::vector<Segment> segments_;
  std::vector<std::vector<uint32_t>> pages_of_;
  std::vector<std::vector<float>> keys_, values_;
  std::vector<float> q_, k_run_, v_run_, bias_;
  std::vector<uint32_t> ids_;
  std::unique_ptr<KvCache> cache_;
  AttentionPartials partials_;
  AttentionOptions run_options_;
  std::vector<AttentionItem> last_items_;
};

void ExpectNear(const std::vector<float>& got, const std::vector<double>& expected,
                double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance * std::max(1.0, std::fabs(expected[i])))
        << "at " << i;
  }
}

void ExpectRight(const Case& c, uint32_t seed = 1, double tolerance = 2e-5) {
  Fixture fixture(c, seed);
  std::vector<double> expected = fixture.Expected();
  for (Tier tier : SupportedTiers()) {
    SCOPED_TRACE(std::string(TierName(tier)) + " head_dim " + std::to_string(c.options.head_dim));
    ASSERT_NO_FATAL_FAILURE(ExpectNear(fixture.Run(tier), expected, tolerance));
  }
}

TEST(AttentionTest, BidirectionalSegmentsSeeThemselvesOnly) {
  for (uint32_t dim : {32u, 64u, 80u, 96u, 128u, 256u}) {
    Case c{Options(3, 3, dim), {{1, 0}, {16, 0}, {7, 0}, {33, 0}, {128, 0}, {150, 0}}};
    ExpectRight(c);
    c.fused = true;
    ExpectRight(c);
  }
}

TEST(AttentionTest, EveryHeadSizeThatIsAMultipleOfFour) {
  for (uint32_t dim = 4; dim <= 256; dim += 4) {
    Case c{Options(2, 1, dim), {{19, 0}, {2, 21}}};
    c.fused = true;
    ExpectRight(c);
    c.options.causal = true;
    c.cached = true;
    c.type = static_cast<KvType>(dim / 4 % 3);
    ExpectRight(c);
  }
}

TEST(AttentionTest, CausalRowsSeeThePastThroughPages) {
  for (KvType type : {KvType::kF32, KvType::kF16, KvType::kInt8}) {
    for (auto [heads, kv_heads] : {std::pair{4u, 4u}, {6u, 2u}, {9u, 3u}, {14u, 2u}, {4u, 1u}}) {
      Case c{Options(heads, kv_heads, 64),
             {{1, 0}, {1, 15}, {1, 16}, {1, 17}, {5, 30}, {40, 100}, {3, 300}, {150, 0}}};
      c.options.causal = true;
      c.cached = true;
      c.type = type;
      ExpectRight(c);
    }
  }
}

TEST(AttentionTest, RandomCombinations) {
  std::mt19937 random(7);
  auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  for (uint32_t i = 0; i < 150; ++i) {
    uint32_t kv_heads = 1 + below(3);
    Case c{Options(kv_heads * (1 + below(5)), kv_heads, 8 * (1 + below(16))), {}};
    c.options.causal = below(2) == 0;
    c.options.window = below(2) == 0 ? 0 : 1 + below(90);
    c.options.softcap = below(3) == 0 ? 5.0f : 0.0f;
    c.buckets = below(3) == 0 ? 32 : 0;
    c.options.relative_max_distance = below(2) == 0 ? 128 : 40;
    c.cached = below(2) == 0;
    c.type = static_cast<KvType>(below(3));
    c.fused = below(2) == 0;
    c.threads = 1 + static_cast<int>(below(2)) * 7;
    c.magnitude = below(4) == 0 ? 20.0f : 1.0f;
    for (uint32_t s = 1 + below(5); s > 0; --s) {
      c.segments.push_back({1 + below(below(3) == 0 ? 200 : 40), below(2) == 0 ? 0 : below(300)});
    }
    SCOPED_TRACE("combination " + std::to_string(i));
    ASSERT_NO_FATAL_FAILURE(ExpectRight(c, i, c.magnitude > 1 ? 2e-4 : 2e-5));
  }
}

TEST(AttentionTest, ALongPastIsCutAmongThreads) {
  for (KvType type : {KvType::kF32, KvType::kF16, KvType::kInt8}) {
    for (uint32_t rows : {1u, 3u}) {
      Case c{Options(6, 2, 64), {{rows, 3001}}};
      c.options.causal = true;
      c.cached = true;
      c.type = type;
      c.threads = 8;
      Fixture fixture(c);
      std::vector<double> expected = fixture.Expected();
      for (Tier tier : SupportedTiers()) {
        for (int repeat = 0; repeat < 3; ++repeat) {
          ASSERT_NO_FATAL_FAILURE(ExpectNear(fixture.Run(tier), expected, 2e-5));
          EXPECT_GT(fixture.last_items().size(), 8u);
        }
      }
    }
  }
}

TEST(AttentionTest, HugeScoresStayNumbers) {
  for (bool cached : {false, true}) {
    Case c{Options(2, 1, 32), {{40, 9}, {1, 70}}};
    c.options.causal = true;
    c.cached = cached;
    c.magnitude = 1e30f;
    Fixture fixture(c);
    // Whole keys of one sign, so that products overflow to either infinity but never to both.
    for (float& value : fixture.q()) value = std::fabs(value);
    std::vector<float>& k = fixture.keys(0);
    for (size_t i = 0; i < 640; ++i) k[i] = std::fabs(k[i]) * (i / 32 % 3 == 0 ? -1e15f : 1e15f);
    for (Tier tier : SupportedTiers()) {
      for (float value : fixture.Run(tier)) ASSERT_TRUE(std::isfinite(value)) << TierName(tier);
    }
  }
}

TEST(AttentionTest, OneKeyFarAboveTheOthersTakesAll) {
  Case c{Options(1, 1, 16), {{64, 0}}};
  Fixture fixture(c);
  std::fill(fixture.q().begin(), fixture.q().end(), 100.0f);
  std::fill_n(fixture.keys(0).begin() + 16 * 37, 16, 1000.0f);
  for (Tier tier : SupportedTiers()) {
    std::vector<float> out = fixture.Run(tier);
    for (size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], fixture.values(0)[16 * 37 + i % 16]);
  }
}

TEST(AttentionTest, ScoresOfMinusInfinityAloneGiveZeros) {
  Case c{Options(1, 1, 16), {{20, 0}}};
  Fixture fixture(c);
  std::fill(fixture.q().begin(), fixture.q().end(), -1e30f);
  std::fill(fixture.keys(0).begin(), fixture.keys(0).end(), 1e30f);
  for (Tier tier : SupportedTiers()) {
    for (float value : fixture.Run(tier)) EXPECT_EQ(value, 0.0f) << TierName(tier);
  }
}

TEST(AttentionTest, ItemsCoverEveryRowAndHeadOnce) {
  AttentionOptions options = Options(12, 4, 32);
  std::vector<Segment> segments;
  uint32_t row = 0;
  for (uint32_t rows : {1u, 2u, 600u, 17u, 128u, 3u}) {
    segments.push_back({row, rows, 0, {}, -1});
    row += rows;
  }
  std::vector<uint32_t> ids(row);
  Batch batch;
  batch.token_ids = ids;
  batch.segments = segments;
  AttentionCall call;
  call.options = &options;
  call.batch = &batch;
  for (int threads : {1, 2, 16}) {
    std::vector<AttentionItem> items;
    PlanAttention(call, threads, &items);
    std::vector<int> seen(row * 4);
    for (const AttentionItem& item : items) {
      for (uint32_t r = item.row_begin; r < item.row_end; ++r) {
        for (uint32_t h = item.kv_head; h < item.kv_head_end; ++h) {
          ++seen[(segments[item.segment].first_row + r) * 4 + h];
        }
      }
    }
    EXPECT_EQ(seen, std::vector<int>(row * 4, 1));
  }
}

// Where the bucket changes, as transformers 5.23 (T5Attention, MPNetEncoder) computes it.
TEST(AttentionTest, RelativeBucketsAreTransformers) {
  struct Run {
    int first, bucket;
  };
  auto expect = [](std::vector<Run> runs, uint32_t max_distance, bool bidirectional) {
    runs.push_back({401, 0});
    for (size_t run = 0; run + 1 < runs.size(); ++run) {
      for (int delta = runs[run].first; delta < runs[run + 1].first; ++delta) {
        ASSERT_EQ(RelativeBucket(delta, 32, max_distance, bidirectional),
                  static_cast<uint32_t>(runs[run].bucket))
            << delta;
      }
    }
  };
  expect({{-400, 15}, {-90, 14}, {-63, 13}, {-45, 12}, {-31, 11}, {-22, 10}, {-15, 9}, {-11, 8},
          {-7, 7},    {-6, 6},   {-5, 5},   {-4, 4},   {-3, 3},   {-2, 2},   {-1, 1},  {0, 0},
          {1, 17},    {2, 18},   {3, 19},   {4, 20},   {5, 21},   {6, 22},   {7, 23},  {8, 24},
          {12, 25},   {16, 26},  {23, 27},  {32, 28},  {46, 29},  {64, 30},  {91, 31}},
         128, true);
  expect({{-400, 31}, {-112, 30}, {-98, 29}, {-86, 28}, {-76, 27}, {-66, 26}, {-58, 25}, {-51, 24},
          {-45, 23},  {-39, 22},  {-34, 21}, {-30, 20}, {-26, 19}, {-23, 18}, {-20, 17}, {-18, 16},
          {-15, 15},  {-14, 14},  {-13, 13}, {-12, 12}, {-11, 11}, {-10, 10}, {-9, 9},   {-8, 8},
          {-7, 7},    {-6, 6},    {-5, 5},   {-4, 4},   {-3, 3},   {-2, 2},   {-1, 1},   {0, 0}},
         128, false);
}

TEST(AttentionTest, ShapesThatDoNotFitAreRefused) {
  auto refused = [](AttentionOptions options, uint32_t cache_dim, uint32_t pages) {
    KvCache cache({1, options.kv_heads == 0 ? 1 : options.kv_heads, cache_dim, KvType::kF16}, 2);
    std::vector<uint32_t> page_list(pages, 0), ids(20);
    Segment segment{0, 20, 0, page_list, -1};
    Batch batch;
    batch.token_ids = ids;
    batch.segments = {&segment, 1};
    options.cache_layer = 0;
    AttentionCall call;
    call.options = &options;
    call.batch = &batch;
    call.cache = &cache;
    std::vector<AttentionItem> items;
    try {
      PlanAttention(call, 1, &items);
    } catch (const Error& error) {
      return error.code() == Code::kInvalidArgument;
    }
    return false;
  };
  EXPECT_FALSE(refused(Options(4, 2, 32), 32, 2));
  EXPECT_TRUE(refused(Options(4, 2, 32), 32, 1));
  EXPECT_TRUE(refused(Options(4, 2, 32), 64, 2));
  EXPECT_TRUE(refused(Options(4, 3, 32), 32, 2));
  EXPECT_TRUE(refused(Options(4, 0, 32), 32, 2));
  EXPECT_TRUE(refused(Options(4, 2, 30), 32, 2));
  EXPECT_TRUE(refused(Options(4, 2, 260), 32, 2));
}

}  // namespace
}  // namespace hearth::tensor
