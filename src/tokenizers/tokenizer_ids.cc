// The fast path: ids alone.
//
// Where no normalizer can change what an added token matches, the text is cut at added tokens as it
// is, and what lies between them goes to the segment encoder. Everything else takes the plain path
// of tokenizer_encode.cc, which gives the same ids.
#include "base/error.h"
#include "tokenizers/internal/fast_path.h"
#include "tokenizers/internal/page_memory.h"
#include "tokenizers/internal/parallel_for.h"
#include "tokenizers/internal/single_text_plan.h"
#include "tokenizers/internal/tokenizer_scratch.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/post_processor.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

// Ids of a text from this size on lie in pages of their own, of which those that stay unused cost
// nothing but addresses. Program text comes to half an id a byte: GPT-2 keeps its blanks apart.
constexpr size_t kLargeText = size_t{1} << 20;
constexpr double kDenseIds = 0.6;

Encoding Merge(std::vector<Encoding> parts) {
  Encoding result;
  for (Encoding& part : parts) result.Append(std::move(part));
  return result;
}

}  // namespace

void Tokenizer::AppendIdsPlain(std::string_view text, Scratch* scratch,
                               std::vector<uint32_t>* ids) const {
  RunPipeline(text, scratch);
  const std::vector<Token>& tokens = scratch->text.tokens();
  ids->reserve(ids->size() + tokens.size());
  for (const PreTokenizedString::Part& part : scratch->text.parts()) {
    for (uint32_t i = part.first_token; i < part.end_token; ++i) ids->push_back(tokens[i].id);
  }
}

void Tokenizer::AppendSegments(const SegmentEncoder& encoder, std::string_view text,
                               Scratch* scratch, std::vector<uint32_t>* ids) const {
  // For the whole text, not segment by segment: ids that grow are moved and touch fresh pages.
  if (text.size() >= kLargeText) {
    internal::ReserveIds(static_cast<size_t>(kDenseIds * static_cast<double>(text.size())), ids);
  }
  auto encode = [&](std::string_view segment) {
    if (segment.empty()) return;
    SegmentPosition position = segment.data() == text.data() ? SegmentPosition::kStartOfText
                                                             : SegmentPosition::kAfterAddedToken;
    encoder.Encode(segment, position, *scratch->segments, ids);
  };
  ForEachSegment(text, encode, [ids](size_t, size_t, uint32_t id) { ids->push_back(id); });
}

void Tokenizer::AppendIds(std::string_view text, Scratch* scratch,
                          std::vector<uint32_t>* ids) const {
  bool normalized_tokens = added_.has_normalized() && normalizer_ != nullptr;
  const SegmentEncoder* encoder = normalized_tokens ? nullptr : segment_encoder();
  if (encoder == nullptr) return AppendIdsPlain(text, scratch, ids);
  CheckText(text);
  if (scratch->segments == nullptr) scratch->segments = encoder->MakeScratch();
  AppendSegments(*encoder, text, scratch, ids);
}

void Tokenizer::EncodeIds(std::string_view text, bool add_special_tokens,
                          std::vector<uint32_t>* ids) const {
  ScratchPool::Lease scratch(scratch_pool_.get());
  if (!(add_special_tokens ? plan_->surrounds : plan_->keeps_plain)) {
    std::vector<Encoding> parts;
    parts.push_back(EncodeSequenceOnce(text, 0, OffsetUnit::kNone, scratch.get()));
    std::vector<uint32_t> processed =
        Merge(post_processor_->Process(std::move(parts), add_special_tokens)).ids;
    ids->insert(ids->end(), processed.begin(), processed.end());
    return;
  }
  const std::vector<uint32_t>& before = plan_->before.ids;
  const std::vector<uint32_t>& after = plan_->after.ids;
  if (add_special_tokens) ids->insert(ids->end(), before.begin(), before.end());
  AppendIds(text, scratch.get(), ids);
  if (add_special_tokens) ids->insert(ids->end(), after.begin(), after.end());
}

std::vector<uint32_t> Tokenizer::EncodeIds(std::string_view text, bool add_special_tokens) const {
  std::vector<uint32_t> ids;
  EncodeIds(text, add_special_tokens, &ids);
  return ids;
}

std::vector<std::vector<uint32_t>> Tokenizer::EncodeIdsBatch(
    std::span<const std::string_view> texts, bool add_special_tokens, int threads) const {
  std::vector<std::vector<uint32_t>> ids(texts.size());
  internal::ParallelFor(texts.size(), threads,
                        [&](size_t i) { EncodeIds(texts[i], add_special_tokens, &ids[i]); });
  return ids;
}

size_t Tokenizer::CountTokens(std::string_view text, bool add_special_tokens) const {
  return EncodeIds(text, add_special_tokens).size();
}

}  // namespace hearth::tokenizers
