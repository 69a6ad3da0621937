// A text on its way through the pipeline: the pieces that it was cut into so far, some of which are
// tokens already (added tokens), and in the end the tokens of all.
//
// One is reused for many texts (Reset) and then allocates nothing. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizers/encoding.h"
#include "tokenizers/internal/arena.h"
#include "tokenizers/normalized_string.h"
#include "tokenizers/split.h"

namespace hearth::tokenizers {

class Model;

class PreTokenizedString {
 public:
  struct Part {
    NormalizedString text;
    bool tokenized = false;  // tokens() [first_token, end_token) are this part's
    uint32_t first_token = 0;
    uint32_t end_token = 0;
  };

  // Takes the parts of one split; empty ones are dropped.
  class Sink {
   public:
    void Add(const NormalizedString& text) {
      if (!text.empty()) owner_->next_.push_back({text});
    }
    void AddToken(const NormalizedString& text, uint32_t id);

   private:
    friend class PreTokenizedString;
    explicit Sink(PreTokenizedString* owner) : owner_(owner) {}
    PreTokenizedString* owner_;
  };

  // `original` must be valid UTF-8 and outlive the use. Throws Error{kTooLarge} from 4 GiB on.
  void Reset(std::string_view original);

  std::string_view original() const { return original_; }
  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<Token>& tokens() const { return tokens_; }
  std::vector<Token>& tokens() { return tokens_; }

  // Calls split(NormalizedString, Sink*) for each part that is no token yet; what it adds to the
  // sink takes the part's place.
  template <typename Split>
  void SplitParts(Split&& split) {
    next_.clear();
    Sink sink(this);
    for (const Part& part : parts_) {
      if (part.tokenized) {
        next_.push_back(part);
      } else {
        split(part.text, &sink);
      }
    }
    parts_.swap(next_);
  }

  // Cuts each part where find(text, pieces) says (see FindPieces), with that behaviour.
  template <typename Find>
  void SplitPieces(SplitBehavior behavior, Find&& find) {
    SplitParts([&](const NormalizedString& text, Sink* sink) {
      pieces_.clear();
      find(text.text(), &pieces_);
      AddPieces(behavior, text, sink);
    });
  }

  // The same for one part, inside of SplitParts.
  template <typename Find>
  void SplitOne(SplitBehavior behavior, const NormalizedString& text, Sink* sink, Find&& find) {
    pieces_.clear();
    find(text.text(), &pieces_);
    AddPieces(behavior, text, sink);
  }

  // Calls edit(NormalizedString*) for each part that is no token yet.
  template <typename Edit>
  void EditParts(Edit&& edit) {
    for (Part& part : parts_) {
      if (!part.tokenized) edit(&part.text);
    }
  }

  // Gives every part that has none its tokens.
  void Tokenize(const Model& model);

 private:
  void AddPieces(SplitBehavior behavior, const NormalizedString& text, Sink* sink);

  std::string_view original_;
  internal::Arena arena_;
  std::vector<Part> parts_;
  std::vector<Part> next_;
  std::vector<Piece> pieces_;
  std::vector<Token> tokens_;
};

}  // namespace hearth::tokenizers
