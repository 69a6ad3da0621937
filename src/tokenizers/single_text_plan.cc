#include "tokenizers/internal/single_text_plan.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "tokenizers/internal/tokenizer_scratch.h"

namespace hearth::tokenizers {
namespace {

// Stands for the text when the post-processor is asked what it does with one. No token has it.
constexpr uint32_t kTextId = UINT32_MAX;

Encoding StandIn() {
  Encoding encoding;
  encoding.ids = {kTextId};
  encoding.type_ids = {0};
  encoding.tokens = {""};
  encoding.word_ids = {0};
  encoding.offsets = {{0, 0}};
  encoding.special_tokens_mask = {0};
  encoding.attention_mask = {1};
  encoding.SetSequence(0);
  return encoding;
}

// What becomes of a text of one token; nullopt when it fails, and encoding a text will say why.
std::optional<Encoding> Processed(const PostProcessor& post_processor, bool add_special_tokens) {
  std::vector<Encoding> text;
  text.push_back(StandIn());
  try {
    Encoding result;
    for (Encoding& part : post_processor.Process(std::move(text), add_special_tokens)) {
      result.Append(std::move(part));
    }
    return result;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Where the text stands, if it stands there once and is numbered as sequences are.
std::optional<size_t> FindText(const Encoding& encoding) {
  std::optional<size_t> found;
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.ids[i] != kTextId) continue;
    if (found) return std::nullopt;
    found = i;
  }
  if (!found) return std::nullopt;
  std::vector<Encoding::SequenceRange> expected{{0, *found, *found + 1}};
  bool plain = encoding.sequence_ranges == expected && encoding.special_tokens_mask[*found] == 0 &&
               encoding.attention_mask[*found] == 1;
  return plain ? found : std::nullopt;
}

void AppendOne(const Encoding& from, size_t i, Encoding* to) {
  to->ids.push_back(from.ids[i]);
  to->type_ids.push_back(from.type_ids[i]);
  to->tokens.push_back(from.tokens[i]);
  to->word_ids.push_back(from.word_ids[i]);
  to->offsets.push_back(from.offsets[i]);
  to->special_tokens_mask.push_back(from.special_tokens_mask[i]);
  to->attention_mask.push_back(from.attention_mask[i]);
}

}  // namespace

void Tokenizer::MakePlan() {
  plan_ = std::make_unique<SingleTextPlan>();
  if (post_processor_ == nullptr) return;
  plan_->numbers_sequence = true;
  plan_->trimming = post_processor_->trimming();
  std::optional<Encoding> plain = Processed(*post_processor_, false);
  plan_->keeps_plain = plain && plain->size() == 1 && FindText(*plain) == size_t{0};
  if (plan_->keeps_plain) plan_->plain_type_id = plain->type_ids[0];

  std::optional<Encoding> whole = Processed(*post_processor_, true);
  std::optional<size_t> text = whole ? FindText(*whole) : std::nullopt;
  plan_->surrounds = text.has_value();
  if (!text) return;
  plan_->type_id = whole->type_ids[*text];
  for (size_t i = 0; i < whole->size(); ++i) {
    if (i != *text) AppendOne(*whole, i, i < *text ? &plan_->before : &plan_->after);
  }
}

bool Tokenizer::FollowsPlan(const EncodeInput& input, const EncodeOptions& options) const {
  if (input.second || input.first.is_words()) return false;
  if (plan_->trimming == PostProcessor::Trimming::kOther) return false;
  return options.add_special_tokens ? plan_->surrounds : plan_->keeps_plain;
}

}  // namespace hearth::tokenizers
