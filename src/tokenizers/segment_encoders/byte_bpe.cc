// Byte-level BPE: GPT-2's line of vocabularies, whose alphabet is bytes.
//
// The fast path has three parts. A walker finds where pieces end, 64 bytes at a time
// (byte_bpe_algebra.h). A thread's cache gives the ids of pieces that were seen before
// (byte_bpe_cache.h). A piece that was not is looked up whole, then merged (byte_bpe_merge.h).
#include <optional>

#include "base/cpu.h"
#include "base/error.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_builder.h"
#include "tokenizers/segment_encoders/byte_bpe_config.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"
#include "tokenizers/segment_encoders/byte_bpe_nfc.h"
#include "tokenizers/segment_encoders/byte_bpe_scan.h"

namespace hearth::tokenizers {
namespace {

class ByteBpeEncoder : public SegmentEncoder {
 public:
  ByteBpeEncoder(std::shared_ptr<const ByteBpePlan> plan, ByteBpeEncodeFunction kernel)
      : plan_(std::move(plan)), encode_(kernel) {}

  std::unique_ptr<Scratch> MakeScratch() const override { return std::make_unique<State>(); }

  void Encode(std::string_view text, SegmentPosition, Scratch& scratch,
              std::vector<uint32_t>* ids) const override {
    State& own = static_cast<State&>(scratch);
    if (plan_->config().nfc) text = ToNfc(text, &own.normalized);
    if (text.empty()) return;
    if (text.size() > UINT32_MAX) {
      throw Error(Code::kInvalidArgument, "a text of more than 4 GiB cannot be encoded at once");
    }
    encode_(*plan_, text, own.state, ids);
  }

 private:
  struct State : Scratch {
    ByteBpeState state;
    std::string normalized;
  };

  std::shared_ptr<const ByteBpePlan> plan_;
  ByteBpeEncodeFunction encode_;
};

// Pairs come as ["a", "b"], or as "a b" in older files.
bool AddMerge(const Json& merge, ByteBpePlanBuilder& builder) {
  if (const Json::Array* pair = merge.AsArray()) {
    if (pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) return false;
    builder.AddMerge(*(*pair)[0].AsString(), *(*pair)[1].AsString());
    return true;
  }
  const std::string* line = merge.AsString();
  if (line == nullptr) return false;
  size_t space = line->find(' ');
  if (space == std::string::npos || line->find(' ', space + 1) != std::string::npos) return false;
  builder.AddMerge(std::string_view(*line).substr(0, space),
                   std::string_view(*line).substr(space + 1));
  return true;
}

}  // namespace

std::vector<ByteBpeEncodeFunction> ByteBpeKernels() {
  std::vector<ByteBpeEncodeFunction> kernels = {EncodeByteBpePortable};
#if defined(__x86_64__)
  const CpuExtensions& extensions = GetCpuExtensions();
  if (CpuTier() >= Tier::kAvx2) kernels.push_back(EncodeByteBpeAvx2);
  if (CpuTier() == Tier::kAvx512 && extensions.avx512_vbmi && extensions.avx512_vbmi2) {
    kernels.push_back(EncodeByteBpeAvx512);
  }
#endif
  return kernels;
}

ByteBpeMergeFunction ByteBpeMerge() {
#if defined(__x86_64__)
  if (ByteBpeKernels().back() == EncodeByteBpeAvx512) return MergeByteBpeAvx512;
  if (ByteBpeKernels().back() == EncodeByteBpeAvx2) return MergeByteBpeAvx2;
#endif
  return MergeByteBpePortable;
}

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(const Json& tokenizer_json,
                                                   ByteBpeEncodeFunction kernel) {
  std::optional<ByteBpeConfig> config = RecogniseByteBpe(tokenizer_json);
  if (!config) return nullptr;
  const Json* model = tokenizer_json.Find("model");
  const Json* vocab = model->Find("vocab");
  const Json* merges = model->Find("merges");
  if (vocab == nullptr || !vocab->is_object() || merges == nullptr || !merges->is_array()) {
    return nullptr;
  }
  ByteBpePlanBuilder builder(*config);
  for (const auto& [token, id] : *vocab->AsObject()) {
    std::optional<uint64_t> number = id.AsUint();
    if (!number) return nullptr;
    builder.AddToken(token, *number);
  }
  for (const Json& merge : *merges->AsArray()) {
    if (!AddMerge(merge, builder)) return nullptr;
  }
  std::shared_ptr<const ByteBpePlan> plan = builder.Build();
  return plan == nullptr ? nullptr : std::make_unique<ByteBpeEncoder>(std::move(plan), kernel);
}

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(const Json& tokenizer_json) {
  return MakeByteBpeEncoder(tokenizer_json, ByteBpeKernels().back());
}

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(std::shared_ptr<const ByteBpePlan> plan) {
  return std::make_unique<ByteBpeEncoder>(std::move(plan), ByteBpeKernels().back());
}

std::shared_ptr<const ByteBpePlan> LoadByteBpePlan(std::string_view tokenizer_json) {
  std::optional<TokenizerJsonParts> parts = CutTokenizerJson(tokenizer_json);
  if (!parts) return nullptr;
  std::optional<ByteBpeConfig> config;
  try {
    config = RecogniseByteBpe(Json::Parse(parts->rest));
  } catch (const Error&) {
  }
  if (!config) return nullptr;
  ByteBpePlanBuilder builder(*config);
  bool read = ForEachToken(
      parts->vocab, [&](std::string_view token, uint64_t id) { builder.AddToken(token, id); });
  read = read && ForEachMerge(parts->merges, [&](std::string_view left, std::string_view right) {
           builder.AddMerge(left, right);
         });
  return read ? builder.Build() : nullptr;
}

}  // namespace hearth::tokenizers
