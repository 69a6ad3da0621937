// Attention with libtorch: segments of equally many rows are one call of its fused attention, keys
// of the shorter ones filled up and masked.
//
// While many sequences generate, all their single rows are one call; prompts and texts of different
// lengths are a call each. Nothing is cut off: a row sees what it sees in the other executors.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "tensor/torch/plugin/torch_session.h"

namespace hearth::tensor {
namespace {

at::Tensor Indices(std::vector<int64_t>& values, at::IntArrayRef sizes, c10::Device device) {
  return at::from_blob(values.data(), sizes, c10::kLong)
      .to(device, c10::kLong, /*non_blocking=*/false, /*copy=*/true);
}

int64_t PlaceOf(const Segment& segment, uint32_t token) {
  return int64_t{segment.pages[token / kPageTokens]} * kPageTokens + token % kPageTokens;
}

// Without a cache a sequence begins with its segment.
uint32_t PastOf(const Segment& segment, bool is_cached) { return is_cached ? segment.past : 0; }

// [segments, 1, rows, length]: whether a row sees a key.
at::Tensor Allowed(const AttentionPlan::Group& group, bool causal, int64_t window) {
  auto options = group.past.options();
  at::Tensor key = at::arange(group.length, options).view({1, 1, 1, -1});
  at::Tensor row = at::arange(group.rows, options).view({1, 1, -1, 1});
  at::Tensor place = group.past.view({-1, 1, 1, 1}) + row;
  at::Tensor allowed = key < group.lengths.view({-1, 1, 1, 1});
  if (causal) allowed = allowed & (key <= place);
  if (window > 0) allowed = allowed & (key > place - window) & (key < place + window);
  return allowed.expand({group.segments, 1, group.rows, group.length});
}

}  // namespace

AttentionPlan::AttentionPlan(const Batch& batch, std::optional<uint32_t> pages,
                             c10::Device device) {
  std::vector<int64_t> stores;
  std::map<uint32_t, std::vector<size_t>> by_rows;
  for (size_t i = 0; i < batch.segments.size(); ++i) {
    const Segment& segment = batch.segments[i];
    by_rows[segment.rows].push_back(i);
    if (!pages) continue;
    uint64_t length = uint64_t{segment.past} + segment.rows;
    bool is_there = segment.pages.size() * kPageTokens >= length &&
                    std::all_of(segment.pages.begin(), segment.pages.end(),
                                [&](uint32_t page) { return page < *pages; });
    if (!is_there) throw Error(Code::kInvalidArgument, "a sequence has too few pages of the cache");
    for (uint32_t row = 0; row < segment.rows; ++row) {
      stores.push_back(PlaceOf(segment, segment.past + row));
    }
  }
  if (pages) stores_ = Indices(stores, {static_cast<int64_t>(stores.size())}, device);
  for (const auto& [rows, members] : by_rows) {
    AddGroup(batch, members, pages.has_value(), device);
  }
}

void AttentionPlan::AddGroup(const Batch& batch, const std::vector<size_t>& members, bool is_cached,
                             c10::Device device) {
  Group& group = groups_.emplace_back();
  group.segments = static_cast<int64_t>(members.size());
  group.rows = batch.segments[members.front()].rows;
  std::vector<int64_t> tokens, keys, past, lengths;
  for (size_t i : members) {
    const Segment& segment = batch.segments[i];
    past.push_back(PastOf(segment, is_cached));
    lengths.push_back(past.back() + segment.rows);
    for (uint32_t row = 0; row < segment.rows; ++row) tokens.push_back(segment.first_row + row);
  }
  auto [shortest, longest] = std::minmax_element(lengths.begin(), lengths.end());
  group.length = *longest;
  group.is_even = *shortest == *longest;
  for (size_t m = 0; m < members.size(); ++m) {
    const Segment& segment = batch.segments[members[m]];
    for (int64_t key = 0; key < group.length; ++key) {
      auto token = static_cast<uint32_t>(std::min(key, lengths[m] - 1));
      keys.push_back(is_cached ? PlaceOf(segment, token) : int64_t{segment.first_row} + token);
    }
  }
  group.tokens = Indices(tokens, {static_cast<int64_t>(tokens.size())}, device);
  group.keys = Indices(keys, {static_cast<int64_t>(keys.size())}, device);
  group.past = Indices(past, {group.segments, 1}, device);
  group.lengths = Indices(lengths, {group.segments, 1}, device);
}

// [segments, heads, rows, length] of relative positions.
at::Tensor TorchSession::Bias(const AttentionOptions& options, AttentionPlan::Group& group) const {
  at::Tensor& bias = group.biases[&options];
  if (bias.defined()) return bias;
  const at::Tensor& table = program_->vector(options.relative_bias);
  auto buckets = static_cast<uint32_t>(table.size(0));
  // Of all distances from -length to length.
  std::vector<int64_t> by_distance;
  for (int64_t delta = -group.length; delta <= group.length; ++delta) {
    by_distance.push_back(program_->host().RelativeBucket(delta, buckets, options));
  }
  at::Tensor of_distance = table.index_select(
      0, Indices(by_distance, {static_cast<int64_t>(by_distance.size())}, program_->device()));
  auto integers = group.past.options();
  at::Tensor key = at::arange(group.length, integers).view({1, 1, -1});
  at::Tensor row = at::arange(group.rows, integers).view({1, -1, 1});
  at::Tensor distance = key - group.past.view({-1, 1, 1}) - row + group.length;
  bias = of_distance.index_select(0, distance.reshape({-1}))
             .view({group.segments, group.rows, group.length, -1})
             .permute({0, 3, 1, 2});
  return bias;
}

// q: [segments, heads, rows, head_dim], k and v: [segments, kv_heads, length, head_dim].
at::Tensor TorchSession::Mix(const AttentionOptions& options, AttentionPlan::Group& group,
                             const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const {
  bool is_grouped = options.heads != options.kv_heads;
  bool has_window = options.window > 0 && options.window < group.length;
  bool sees_all = group.is_even && !has_window && (!options.causal || group.rows == 1);
  bool is_plain = !options.relative_bias && options.softcap == 0;
  if (is_plain && sees_all) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0, false, options.scale, is_grouped);
  }
  bool is_triangle = group.is_even && !has_window && group.rows == group.length;
  if (is_plain && is_triangle) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0, true, options.scale, is_grouped);
  }
  at::Tensor& allowed = group.allowed[{options.causal, options.window}];
  if (!allowed.defined()) allowed = Allowed(group, options.causal, options.window);
  if (is_plain) {
    return at::scaled_dot_product_attention(q, k, v, allowed, 0, false, options.scale, is_grouped);
  }
  at::Tensor none = at::zeros({}, allowed.options().dtype(c10::kFloat));
  none.fill_(-std::numeric_limits<float>::infinity());
  if (options.softcap == 0) {
    at::Tensor mask = at::where(allowed, Bias(options, group), none).to(q.scalar_type());
    return at::scaled_dot_product_attention(q, k, v, mask, 0, false, options.scale, is_grouped);
  }
  int64_t shared = options.heads / options.kv_heads;
  at::Tensor keys = k.repeat_interleave(shared, 1), values = v.repeat_interleave(shared, 1);
  at::Tensor scores = at::matmul(q, keys.transpose(2, 3)).to(c10::kFloat) * options.scale;
  scores = at::tanh(scores * (1 / options.softcap)) * options.softcap;
  if (options.relative_bias) scores = scores + Bias(options, group);
  scores = at::softmax(at::where(allowed, scores, none), 3);
  return at::matmul(scores.to(q.scalar_type()), values);
}

at::Tensor TorchSession::Attend(const AttentionOptions& options, const at::Tensor& q,
                                const at::Tensor& k, const at::Tensor& v) {
  bool is_cached = options.cache_layer >= 0 && cache_ != nullptr;
  std::unique_ptr<AttentionPlan>& plan = is_cached ? cached_plan_ : plain_plan_;
  if (plan == nullptr) {
    std::optional<uint32_t> pages;
    if (is_cached) pages = cache_->pages();
    plan = std::make_unique<AttentionPlan>(*batch_, pages, program_->device());
  }
  int64_t tokens = q.size(0), heads = options.heads, kv = options.kv_heads, dim = options.head_dim;
  at::Tensor queries = q.reshape({tokens, heads, dim});
  at::Tensor keys = k.reshape({tokens, kv, dim}), values = v.reshape({tokens, kv, dim});
  if (is_cached) {
    cache_->keys(options.cache_layer).index_copy_(0, plan->stores(), keys);
    cache_->values(options.cache_layer).index_copy_(0, plan->stores(), values);
    keys = cache_->keys(options.cache_layer), values = cache_->values(options.cache_layer);
  }
  at::Tensor out = at::empty({tokens, heads * dim}, q.options());
  for (AttentionPlan::Group& group : plan->groups()) {
    auto take = [&](const at::Tensor& from, const at::Tensor& places, int64_t rows, int64_t many) {
      return from.index_select(0, places).view({group.segments, rows, many, dim}).transpose(1, 2);
    };
    at::Tensor mixed =
        Mix(options, group, take(queries, group.tokens, group.rows, heads),
            take(keys, group.keys, group.length, kv), take(values, group.keys, group.length, kv));
    out.index_copy_(0, group.tokens, mixed.transpose(1, 2).reshape({-1, heads * dim}));
  }
  return out;
}

}  // namespace hearth::tensor
