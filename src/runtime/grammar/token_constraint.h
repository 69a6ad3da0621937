// Which tokens may come next so that a text fits a grammar.
//
// A constraint belongs to a vocabulary and a grammar and may serve many sequences; each has a State
// that grows token by token. FillMask gives a bit per token; a token may be accepted when its bytes
// can be continued to a whole text of the grammar, and the end tokens when the text is whole.
//
// How it is fast: the states of the grammar that a text can be in, with the stacks of rules that
// they return to, are one configuration; configurations and their moves by a byte are made when
// first needed and kept, which is a deterministic automaton built on demand. A mask is a walk of
// the vocabulary's trie with it. The part of a walk that stays inside the rule at the top of a
// stack does not depend on what lies below: it is kept per rule state (bits, and the trie nodes at
// which the rule can be left), so that "inside a string" is walked once for all strings of a
// schema. Whole masks are kept, too.
//
// Thread rule: safe for use from several threads, one at a time inside (a lock); a State is its
// sequence's own. Masks are a copy.
// Errors: kTooLarge when a step would take too much work (an ambiguous or hostile grammar); the
// State is as it was before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/grammar/byte_grammar.h"
#include "runtime/grammar/token_vocabulary.h"

namespace hearth::runtime {

class TokenConstraint {
 public:
  struct Options {
    size_t max_cache_bytes = 64u << 20;  // masks and automaton; all is dropped when it is full
    size_t max_step_work = 50'000'000;   // grammar edges looked at in one call
    uint32_t max_stack = 512;            // rules inside rules: no deeper nesting is offered
  };

  class State {
   public:
    // What was accepted so far.
    const std::string& text() const { return text_; }
    bool finished() const { return finished_; }  // an end token was accepted

   private:
    friend class TokenConstraint;
    std::string text_;
    uint64_t epoch_ = 0;
    uint32_t configuration_ = 0;
    bool finished_ = false;
  };

  TokenConstraint(std::shared_ptr<const TokenVocabulary> vocabulary, ByteGrammar grammar,
                  const Options& options);
  TokenConstraint(std::shared_ptr<const TokenVocabulary> vocabulary, ByteGrammar grammar)
      : TokenConstraint(std::move(vocabulary), std::move(grammar), Options()) {}
  ~TokenConstraint();

  State Start() const { return {}; }
  // One bit per token, the low bit of the first word first; (vocabulary size + 63) / 64 words. All
  // zero where the vocabulary has no token for what must follow.
  void FillMask(State* state, std::vector<uint64_t>* mask);
  // False, and nothing changes, when the token may not come here.
  bool Accept(State* state, uint32_t token);
  // The same with bytes (a prompt's part, or what ForcedText gave).
  bool AcceptText(State* state, std::string_view text);
  // Whether the text is whole; it may go on all the same.
  bool IsComplete(State* state);
  // The text that must follow, as far as there is no choice; at most 4096 bytes. Its end may cut a
  // token that the model would use: encode it together with what came before.
  std::string ForcedText(State* state);
  // A shortest text that makes the text whole, empty when it is: for a text that was cut off. Not
  // the vocabulary's: bytes.
  std::string ShortestCompletion(State* state);

  const TokenVocabulary& vocabulary() const;

 private:
  class Automaton;
  std::unique_ptr<Automaton> automaton_;
};

}  // namespace hearth::runtime
