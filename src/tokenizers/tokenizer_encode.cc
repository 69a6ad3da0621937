#include <simdjson.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "tokenizers/internal/parallel_for.h"
#include "tokenizers/internal/tokenizer_scratch.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/post_processor.h"
#include "tokenizers/pre_tokenizer.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

void Tokenizer::CheckText(std::string_view text) const {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    throw Error(Code::kInvalidArgument, "the text to tokenize is not valid UTF-8");
  }
}

void Tokenizer::RunPipeline(std::string_view text, Scratch* scratch) const {
  CheckText(text);
  scratch->text.Reset(text);
  added_.Extract(normalizer_.get(), &scratch->text);
  if (pre_tokenizer_ != nullptr) pre_tokenizer_->PreTokenize(&scratch->text);
  scratch->text.Tokenize(*model_);
}

// Moves the tokens of scratch->text to the end of the encoding. `word` nullopt: each part counts as
// a word.
void Tokenizer::AppendTokens(std::optional<uint32_t> word, uint32_t type_id, OffsetUnit unit,
                             Scratch* scratch, Encoding* encoding) const {
  std::vector<Token>& tokens = scratch->text.tokens();
  encoding->Reserve(encoding->size() + tokens.size());
  if (unit == OffsetUnit::kCharacters) scratch->characters.Reset(scratch->text.original());
  uint32_t index = 0;
  for (const PreTokenizedString::Part& part : scratch->text.parts()) {
    for (uint32_t i = part.first_token; i < part.end_token; ++i) {
      encoding->ids.push_back(tokens[i].id);
      if (unit == OffsetUnit::kNone) continue;
      Offsets offsets = part.text.OriginalOf(tokens[i].offsets);
      if (unit == OffsetUnit::kCharacters) offsets = scratch->characters.Convert(offsets);
      encoding->offsets.push_back(offsets);
      encoding->tokens.push_back(std::move(tokens[i].value));
      encoding->word_ids.emplace_back(word.value_or(index));
    }
    ++index;
  }
  size_t size = encoding->ids.size();
  encoding->type_ids.resize(size, type_id);
  encoding->special_tokens_mask.resize(size, 0);
  encoding->attention_mask.resize(size, 1);
  encoding->tokens.resize(size);
  encoding->word_ids.resize(size);
  encoding->offsets.resize(size);
}

Encoding Tokenizer::EncodeSequenceOnce(const EncodeSequence& sequence, uint32_t type_id,
                                       OffsetUnit unit, Scratch* scratch) const {
  if (unit == OffsetUnit::kNone) type_id = 0;
  Encoding encoding;
  if (!sequence.is_words()) {
    RunPipeline(sequence.text(), scratch);
    AppendTokens(std::nullopt, type_id, unit, scratch, &encoding);
    return encoding;
  }
  uint32_t word = 0;
  for (std::string_view text : sequence.words()) {
    RunPipeline(text, scratch);
    AppendTokens(word++, type_id, unit, scratch, &encoding);
  }
  return encoding;
}

Encoding Tokenizer::EncodeWith(const EncodeInput& input, const EncodeOptions& options,
                               Scratch* scratch) const {
  if (options.truncation != nullptr) CheckTruncation(*options.truncation);
  if (FollowsPlan(input, options)) return EncodeText(input.first.text(), options, scratch);
  std::vector<Encoding> sequences;
  sequences.reserve(2);
  sequences.push_back(EncodeSequenceOnce(input.first, 0, options.offsets, scratch));
  if (input.second) {
    sequences.push_back(EncodeSequenceOnce(*input.second, 1, options.offsets, scratch));
  }
  return PostProcess(std::move(sequences), options);
}

const Truncation* Tokenizer::TruncationOf(const EncodeOptions& options) const {
  if (options.truncation != nullptr) return options.truncation;
  return truncation_ ? &*truncation_ : nullptr;
}

Encoding Tokenizer::PostProcess(std::vector<Encoding> sequences,
                                const EncodeOptions& options) const {
  bool add_special_tokens = options.add_special_tokens;
  bool is_pair = sequences.size() == 2;
  if (const Truncation* wanted = TruncationOf(options)) {
    Truncation truncation = *wanted;
    if (add_special_tokens) truncation.max_length -= added_special_tokens(is_pair);
    TruncateSequences(truncation, sequences);
  }
  if (post_processor_ != nullptr || is_pair) {
    for (size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].SetSequence(i);
      if (post_processor_ == nullptr) continue;
      for (Encoding& piece : sequences[i].overflowing) piece.SetSequence(i);
      sequences[i].SetTypeIds(static_cast<uint32_t>(i));
    }
  }
  if (post_processor_ != nullptr) {
    sequences = post_processor_->Process(std::move(sequences), add_special_tokens);
  }
  Encoding result;
  if (sequences.size() == 1) {
    result = std::move(sequences[0]);
  } else {
    size_t size = 0;
    for (const Encoding& part : sequences) size += part.size();
    result.Reserve(size);
    for (Encoding& part : sequences) result.Append(std::move(part));
  }
  if (padding_) PadEncodings(*padding_, std::span(&result, 1));
  return result;
}

Encoding Tokenizer::Encode(const EncodeInput& input, const EncodeOptions& options) const {
  ScratchPool::Lease scratch(scratch_pool_.get());
  return EncodeWith(input, options, scratch.get());
}

std::vector<Encoding> Tokenizer::EncodeBatch(std::span<const EncodeInput> inputs,
                                             const EncodeOptions& options) const {
  std::vector<Encoding> encodings(inputs.size());
  internal::ParallelFor(inputs.size(), options.threads,
                        [&](size_t i) { encodings[i] = Encode(inputs[i], options); });
  if (padding_) PadEncodings(*padding_, encodings);
  return encodings;
}

std::string Tokenizer::Normalize(std::string_view text) const {
  CheckText(text);
  if (normalizer_ == nullptr) return std::string(text);
  internal::Arena arena;
  NormalizedString normalized(text, &arena);
  normalizer_->Normalize(&normalized);
  return std::string(normalized.text());
}

void Tokenizer::ForEachPiece(std::string_view text,
                             const std::function<void(std::string_view)>& visit) const {
  CheckText(text);
  ScratchPool::Lease scratch(scratch_pool_.get());
  PreTokenizedString& pieces = scratch.get()->text;
  pieces.Reset(text);
  added_.Extract(normalizer_.get(), &pieces);
  if (pre_tokenizer_ != nullptr) pre_tokenizer_->PreTokenize(&pieces);
  for (const PreTokenizedString::Part& part : pieces.parts()) {
    if (!part.tokenized) visit(part.text.text());
  }
}

}  // namespace hearth::tokenizers
