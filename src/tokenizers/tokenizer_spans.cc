// Encoding one text with offsets by way of the fast path.
//
// A segment encoder gives the ids of a text; where each lies follows from the lengths of the tokens
// and the pieces of the pre-tokenizer. What an encoder is not certain of, and all but one text with
// fixed tokens around it, goes through the stages one by one (tokenizer_encode.cc), which gives the
// same.
#include "tokenizers/internal/fast_path.h"
#include "tokenizers/internal/single_text_plan.h"
#include "tokenizers/internal/tokenizer_scratch.h"
#include "tokenizers/internal/trim_offsets.h"
#include "tokenizers/model.h"
#include "tokenizers/tokenizer.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

// Until so much text went through the stages the tables of the fast path are not made for it:
// making them takes as long as that.
constexpr size_t kWorthTables = size_t{64} << 10;

template <typename T>
void AppendAll(const std::vector<T>& from, std::vector<T>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

void AppendAll(const Encoding& from, Encoding* to) {
  AppendAll(from.ids, &to->ids);
  AppendAll(from.type_ids, &to->type_ids);
  AppendAll(from.tokens, &to->tokens);
  AppendAll(from.word_ids, &to->word_ids);
  AppendAll(from.offsets, &to->offsets);
  AppendAll(from.special_tokens_mask, &to->special_tokens_mask);
  AppendAll(from.attention_mask, &to->attention_mask);
}

}  // namespace

bool Tokenizer::FindSpans(std::string_view text, Scratch* scratch) const {
  const Vocab* vocab = model_->tables().vocab;
  bool normalized_tokens = added_.has_normalized() && normalizer_ != nullptr;
  if (normalized_tokens || vocab == nullptr || text.size() >= UINT32_MAX) return false;
  if (!WantsFastPath(text.size())) return false;
  const SegmentEncoder* encoder = segment_encoder();
  if (encoder == nullptr) return false;
  CheckText(text);
  if (scratch->segments == nullptr) scratch->segments = encoder->MakeScratch();
  std::vector<TokenSpan>& spans = scratch->spans;
  spans.clear();
  uint32_t words = 0;
  bool certain = true;
  auto encode = [&](std::string_view segment) {
    if (segment.empty() || !certain) return;
    auto begin = static_cast<uint32_t>(segment.data() - text.data());
    SegmentPosition position =
        begin == 0 ? SegmentPosition::kStartOfText : SegmentPosition::kAfterAddedToken;
    size_t first = spans.size();
    certain = encoder->EncodeSpans(segment, position, *vocab, *scratch->segments, &spans);
    if (begin == 0 || spans.size() == first) {
      words = spans.empty() ? 0 : spans.back().word + 1;
      return;
    }
    for (size_t i = first; i < spans.size(); ++i) {
      spans[i].begin += begin;
      spans[i].end += begin;
      spans[i].word += words;
    }
    words = spans.back().word + 1;
  };
  ForEachSegment(text, encode, [&](size_t begin, size_t end, uint32_t id) {
    if (begin == end) return;
    spans.push_back({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), words++, true});
  });
  return certain;
}

void Tokenizer::AppendSpans(std::string_view text, uint32_t type_id, OffsetUnit unit,
                            Scratch* scratch, Encoding* encoding) const {
  const std::vector<TokenSpan>& spans = scratch->spans;
  size_t size = encoding->ids.size() + spans.size();
  for (const TokenSpan& span : spans) encoding->ids.push_back(span.id);
  encoding->type_ids.resize(size, type_id);
  encoding->special_tokens_mask.resize(size, 0);
  encoding->attention_mask.resize(size, 1);
  if (unit == OffsetUnit::kNone) {
    encoding->tokens.resize(size);
    encoding->word_ids.resize(size);
    encoding->offsets.resize(size);
    return;
  }
  const Vocab& vocab = *model_->tables().vocab;
  for (const TokenSpan& span : spans) {
    encoding->tokens.emplace_back(span.added ? text.substr(span.begin, span.end - span.begin)
                                             : vocab.FindToken(span.id).value_or(""));
  }
  for (const TokenSpan& span : spans) encoding->word_ids.emplace_back(span.word);
  for (const TokenSpan& span : spans) encoding->offsets.push_back({span.begin, span.end});
  if (unit == OffsetUnit::kCharacters) {
    scratch->characters.Reset(text);
    if (scratch->characters.is_ascii()) return;
    for (size_t i = size - spans.size(); i < size; ++i) {
      encoding->offsets[i] = scratch->characters.Convert(encoding->offsets[i]);
    }
  }
}

// The tokens of a text with what belongs around them, which truncation leaves as they are.
template <typename AppendText>
Encoding Tokenizer::EncodeByPlan(const EncodeOptions& options, size_t text_tokens,
                                 AppendText&& append_text) const {
  bool special = options.add_special_tokens;
  Encoding encoding;
  encoding.Reserve(text_tokens + (special ? plan_->before.size() + plan_->after.size() : 0));
  if (special) AppendAll(plan_->before, &encoding);
  size_t begin = encoding.size();
  bool trims = plan_->trimming != PostProcessor::Trimming::kNone;
  append_text(special ? plan_->type_id : plan_->plain_type_id, &encoding);
  if (trims) {
    internal::TrimOffsets(plan_->trimming == PostProcessor::Trimming::kWithPrefixSpace,
                          {begin, encoding.size()}, &encoding);
  }
  if (plan_->numbers_sequence) encoding.sequence_ranges.push_back({0, begin, encoding.size()});
  if (special) AppendAll(plan_->after, &encoding);
  if (padding_) PadEncodings(*padding_, std::span(&encoding, 1));
  return encoding;
}

Encoding Tokenizer::EncodeText(std::string_view text, const EncodeOptions& options,
                               Scratch* scratch) const {
  const Truncation* truncation = TruncationOf(options);
  size_t room = truncation != nullptr ? truncation->max_length : SIZE_MAX;
  if (truncation != nullptr && options.add_special_tokens) room -= added_special_tokens(false);
  if (!options.stage_by_stage && FindSpans(text, scratch) && scratch->spans.size() <= room) {
    return EncodeByPlan(options, scratch->spans.size(), [&](uint32_t type_id, Encoding* encoding) {
      AppendSpans(text, type_id, options.offsets, scratch, encoding);
    });
  }
  RunPipeline(text, scratch);
  size_t tokens = scratch->text.tokens().size();
  if (tokens <= room) {
    return EncodeByPlan(options, tokens, [&](uint32_t type_id, Encoding* encoding) {
      AppendTokens(std::nullopt, type_id, options.offsets, scratch, encoding);
    });
  }
  std::vector<Encoding> sequences(1);
  AppendTokens(std::nullopt, 0, options.offsets, scratch, &sequences.back());
  return PostProcess(std::move(sequences), options);
}

bool Tokenizer::WantsFastPath(size_t bytes) const {
  FastPath* fast = fast_path_.get();
  if (fast == nullptr) return false;
  if (fast->made.load(std::memory_order_acquire)) return true;
  return fast->plain_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes > kWorthTables;
}

}  // namespace hearth::tokenizers
