// Attention in plain C++.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tensor/float_formats.h"
#include "tensor/internal/attention_kernels.h"

namespace hearth::tensor {
namespace {

// NaN becomes -127.
uint8_t Quantized(float value) {
  float bounded = value >= -127 ? std::min(value, 127.0f) : -127.0f;
  return static_cast<uint8_t>(static_cast<int8_t>(std::nearbyint(bounded)));
}

struct Head {
  const AttentionCall& call;
  const Segment& segment;
  uint32_t kv_head;

  const AttentionOptions& options() const { return *call.options; }
  uint8_t* Keys(uint32_t token) const {
    uint64_t part = KvCache::PartBytes(call.cache->shape());
    return call.cache->LayerPage(segment.pages[token / kPageTokens],
                                 static_cast<uint32_t>(options().cache_layer)) +
           2 * part * kv_head;
  }
  uint8_t* Values(uint32_t token) const {
    return Keys(token) + KvCache::PartBytes(call.cache->shape());
  }
  float Element(const uint8_t* part, uint32_t index, uint32_t slot) const {
    switch (call.cache->shape().type) {
      case KvType::kF32: {
        float value;
        std::memcpy(&value, part + 4 * index, 4);
        return value;
      }
      case KvType::kF16: {
        uint16_t half;
        std::memcpy(&half, part + 2 * index, 2);
        return HalfToFloat(half);
      }
      case KvType::kInt8:
        break;
    }
    float scale;
    std::memcpy(&scale, part + kPageTokens * options().head_dim + 4 * slot, 4);
    return scale * static_cast<float>(static_cast<int8_t>(part[index]));
  }
  void Put(uint8_t* part, uint32_t index, float value, float inverse) const {
    switch (call.cache->shape().type) {
      case KvType::kF32:
        std::memcpy(part + 4 * index, &value, 4);
        break;
      case KvType::kF16: {
        uint16_t half = FloatToHalf(value);
        std::memcpy(part + 2 * index, &half, 2);
        break;
      }
      case KvType::kInt8:
        part[index] = Quantized(value * inverse);
        break;
    }
  }
  void Key(uint32_t token, float* out) const {
    uint32_t dim = options().head_dim, slot = token % kPageTokens;
    if (!UsesCache(call)) {
      const float* from = call.k + (segment.first_row + token) * call.kv_stride + kv_head * dim;
      std::copy(from, from + dim, out);
      return;
    }
    const uint8_t* part = Keys(token);
    for (uint32_t d = 0; d < dim; ++d) out[d] = Element(part, d * kPageTokens + slot, slot);
  }
  void Value(uint32_t token, float* out) const {
    uint32_t dim = options().head_dim, slot = token % kPageTokens;
    if (!UsesCache(call)) {
      const float* from = call.v + (segment.first_row + token) * call.kv_stride + kv_head * dim;
      std::copy(from, from + dim, out);
      return;
    }
    const uint8_t* part = Values(token);
    for (uint32_t d = 0; d < dim; ++d) out[d] = Element(part, slot * dim + d, slot);
  }
};

void StorePart(const Head& head, const float* from, uint8_t* part, uint32_t slot, uint32_t dim_step,
               uint32_t slot_step) {
  uint32_t dim = head.options().head_dim;
  float inverse = 0;
  if (head.call.cache->shape().type == KvType::kInt8) {
    float largest = 0;
    for (uint32_t d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(from[d]));
    float scale = largest / 127;
    inverse = largest > 0 ? 127 / largest : 0;
    std::memcpy(part + kPageTokens * dim + 4 * slot, &scale, 4);
  }
  for (uint32_t d = 0; d < dim; ++d)
    head.Put(part, d * dim_step + slot * slot_step, from[d], inverse);
}

void Store(const AttentionCall& call, const Segment& segment, uint32_t begin, uint32_t end) {
  uint32_t dim = call.options->head_dim;
  for (uint32_t kv_head = 0; kv_head < call.options->kv_heads; ++kv_head) {
    Head head{call, segment, kv_head};
    for (uint32_t row = begin; row < end; ++row) {
      uint32_t token = segment.past + row, slot = token % kPageTokens;
      uint64_t from = (uint64_t{segment.first_row} + row) * call.kv_stride + kv_head * dim;
      StorePart(head, call.k + from, head.Keys(token), slot, kPageTokens, 1);
      StorePart(head, call.v + from, head.Values(token), slot, 1, dim);
    }
  }
}

float Score(const Head& head, const float* q, const float* key, uint32_t query_head,
            int64_t delta) {
  const AttentionOptions& o = head.options();
  float score = 0;
  for (uint32_t d = 0; d < o.head_dim; ++d) score += q[d] * key[d];
  score *= o.scale;
  if (o.softcap > 0) score = o.softcap * std::tanh(score / o.softcap);
  if (!head.call.relative_bias.empty()) {
    uint32_t buckets = static_cast<uint32_t>(head.call.relative_bias.size()) / o.heads;
    uint32_t bucket = RelativeBucket(delta, buckets, o.relative_max_distance, !o.causal);
    score += head.call.relative_bias[uint64_t{bucket} * o.heads + query_head];
  }
  return std::min(score, 3e38f);
}

struct Running {
  float largest = -3e38f, sum = 0;
};

void Attend(const Head& head, const AttentionItem& item, uint32_t row, uint32_t query_head,
            Running* running, float* out) {
  const AttentionOptions& o = head.options();
  uint32_t past = Past(head.call, head.segment), place = past + row;
  KeyRange range = VisibleKeys(o, place, past + head.segment.rows);
  const float* q = head.call.q + (uint64_t{head.segment.first_row} + row) * head.call.q_stride +
                   query_head * o.head_dim;
  std::fill(out, out + o.head_dim, 0.0f);
  float part[256];
  for (uint32_t j = std::max(range.begin, item.key_begin); j < std::min(range.end, item.key_end);
       ++j) {
    head.Key(j, part);
    float score = Score(head, q, part, query_head, int64_t{j} - place);
    if (score > running->largest) {
      float shrink = std::exp(running->largest - score);
      for (uint32_t d = 0; d < o.head_dim; ++d) out[d] *= shrink;
      running->sum *= shrink;
      running->largest = score;
    }
    float weight = std::exp(score - running->largest);
    running->sum += weight;
    head.Value(j, part);
    for (uint32_t d = 0; d < o.head_dim; ++d) out[d] += weight * part[d];
  }
}

void Finish(float* out, const float* from, float sum, uint32_t dim) {
  float inverse = sum > 0 ? 1 / sum : 0;
  for (uint32_t d = 0; d < dim; ++d) out[d] = from[d] * inverse;
}

// Adds up the parts of all queries of an item.
void Merge(const AttentionCall& call, const AttentionItem& item, uint32_t query, float* out) {
  uint32_t dim = call.options->head_dim;
  std::vector<float> total(dim, 0.0f);
  float largest = -3e38f, sum = 0;
  for (uint32_t p = 0; p < item.parts; ++p) {
    largest = std::max(largest, call.partials->Part(item.first_part + p)[query * (dim + 2) + dim]);
  }
  for (uint32_t p = 0; p < item.parts; ++p) {
    const float* part = call.partials->Part(item.first_part + p) + query * (dim + 2);
    float factor = std::exp(part[dim] - largest);
    sum += part[dim + 1] * factor;
    for (uint32_t d = 0; d < dim; ++d) total[d] += part[d] * factor;
  }
  Finish(out, total.data(), sum, dim);
}

void Run(const AttentionCall& call, const AttentionItem& item) {
  const Segment& segment = call.batch->segments[item.segment];
  uint32_t dim = call.options->head_dim, group = call.options->heads / call.options->kv_heads;
  for (uint32_t kv_head = item.kv_head; kv_head < item.kv_head_end; ++kv_head) {
    Head head{call, segment, kv_head};
    auto out_of = [&](uint32_t row, uint32_t member) {
      return call.out + (uint64_t{segment.first_row} + row) * call.out_stride +
             (kv_head * group + member) * dim;
    };
    uint32_t query = 0;
    for (uint32_t row = item.row_begin; row < item.row_end; ++row) {
      for (uint32_t member = 0; member < group; ++member, ++query) {
        Running running;
        float result[256];
        Attend(head, item, row, kv_head * group + member, &running, result);
        if (item.parts == 1) {
          Finish(out_of(row, member), result, running.sum, dim);
          continue;
        }
        float* part = call.partials->Part(item.first_part + item.part) + query * (dim + 2);
        std::copy(result, result + dim, part);
        part[dim] = running.largest;
        part[dim + 1] = running.sum;
      }
    }
    if (item.parts == 1 || !call.partials->Arrive(item.first_part, item.parts)) continue;
    for (uint32_t q = 0; q < query; ++q) {
      Merge(call, item, q, out_of(item.row_begin + q / group, q % group));
    }
  }
}

}  // namespace

const AttentionKernels& PortableAttention() {
  static const AttentionKernels kernels{Store, Run};
  return kernels;
}
#if defined(__x86_64__)
const AttentionKernels& Avx2Attention() { return PortableAttention(); }
const AttentionKernels& Avx512Attention() { return PortableAttention(); }
#endif

}  // namespace hearth::tensor
