// Byte-level BPE: GPT-2's line of vocabularies, whose alphabet is bytes.
//
// The fast path has three parts. A walker finds where pieces end, 64 bytes at a time
// (byte_bpe_algebra.h). A thread's cache gives the ids of pieces that were seen before
// (piece_cache.h). A piece that was not is looked up whole, then merged (byte_bpe_merge.h).
#include <optional>

#include "base/cpu.h"
#include "base/error.h"
#include "tokenizers/model.h"
#include "tokenizers/models/bpe_merges.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_builder.h"
#include "tokenizers/segment_encoders/byte_bpe_config.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"
#include "tokenizers/segment_encoders/byte_bpe_nfc.h"
#include "tokenizers/segment_encoders/byte_bpe_spans.h"

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

  bool EncodeSpans(std::string_view text, SegmentPosition, const Vocab& vocab, Scratch& scratch,
                   std::vector<TokenSpan>* spans) const override {
    State& own = static_cast<State&>(scratch);
    if (plan_->config().nfc && ToNfc(text, &own.normalized).data() != text.data()) return false;
    own.ids.clear();
    encode_(*plan_, text, own.state, &own.ids);
    return FindByteBpeSpans(plan_->config().split, text, own.ids, vocab, spans);
  }

 private:
  struct State : Scratch {
    ByteBpeState state;
    std::string normalized;
    std::vector<uint32_t> ids;
  };

  std::shared_ptr<const ByteBpePlan> plan_;
  ByteBpeEncodeFunction encode_;
};

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

std::shared_ptr<const ByteBpePlan> MakeByteBpePlan(const Json& tokenizer_json, const Model& model) {
  std::optional<ByteBpeConfig> config = RecogniseByteBpe(tokenizer_json);
  ModelTables tables = model.tables();
  if (!config || tables.vocab == nullptr || tables.merges == nullptr) return nullptr;
  ByteBpePlanBuilder builder(*config);
  for (uint32_t i = 0; i < tables.vocab->size(); ++i) {
    builder.AddToken(tables.vocab->TextAt(i), tables.vocab->IdAt(i));
  }
  for (const BpeMerge& merge : tables.merges->by_rank()) builder.AddMerge(merge);
  return builder.Build();
}

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(const Json& tokenizer_json,
                                                   ByteBpeEncodeFunction kernel) {
  std::unique_ptr<Model> model = ParseModel(*tokenizer_json.Find("model"));
  auto plan = MakeByteBpePlan(tokenizer_json, *model);
  return plan == nullptr ? nullptr : std::make_unique<ByteBpeEncoder>(std::move(plan), kernel);
}

// A plan is kept whole, by MakeByteBpePlan's callers.
std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(const Json& tokenizer_json, const Model& model,
                                                   const KeptTables&) {
  auto plan = MakeByteBpePlan(tokenizer_json, model);
  return plan == nullptr ? nullptr : MakeByteBpeEncoder(std::move(plan));
}

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(std::shared_ptr<const ByteBpePlan> plan) {
  return std::make_unique<ByteBpeEncoder>(std::move(plan), ByteBpeKernels().back());
}

}  // namespace hearth::tokenizers
