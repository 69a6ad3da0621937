#include "tokenizers/pre_tokenized_string.h"

#include "tokenizers/model.h"

namespace hearth::tokenizers {

void PreTokenizedString::Sink::AddToken(const NormalizedString& text, uint32_t id) {
  if (text.empty()) return;
  std::vector<Token>& tokens = owner_->tokens_;
  auto first = static_cast<uint32_t>(tokens.size());
  tokens.push_back({id, std::string(text.text()), {0, text.text().size()}});
  owner_->next_.push_back({text, true, first, first + 1});
}

void PreTokenizedString::Reset(std::string_view original) {
  original_ = original;
  arena_.Reset();
  parts_.clear();
  tokens_.clear();
  parts_.push_back({NormalizedString(original, &arena_)});
}

void PreTokenizedString::Tokenize(const Model& model) {
  for (Part& part : parts_) {
    if (part.tokenized) continue;
    part.first_token = static_cast<uint32_t>(tokens_.size());
    model.Tokenize(part.text.text(), &tokens_);
    part.end_token = static_cast<uint32_t>(tokens_.size());
    part.tokenized = true;
  }
}

void PreTokenizedString::AddPieces(SplitBehavior behavior, const NormalizedString& text,
                                   Sink* sink) {
  ApplyBehavior(behavior, &pieces_);
  for (const Piece& piece : pieces_) sink->Add(text.Slice(piece.begin, piece.end));
}

}  // namespace hearth::tokenizers
