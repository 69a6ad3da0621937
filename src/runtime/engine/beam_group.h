// The beams of one request in the engine: the search, and which pages of the KV cache each beam
// has.
//
// The prompt's pages are its sequence's and are shared by all beams. Behind them pages belong to
// the group, which gets as many as the search can ever need before it starts: full ones are shared
// by the beams that continue alike, the last one, which is still written to, is its beam's own and
// copied when two beams go on from it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "runtime/generation/beam_search.h"
#include "runtime/generation/logits_processor.h"
#include "tensor/executor.h"

namespace hearth::runtime {

class BeamGroup {
 public:
  // Errors: those of BeamSearch and ProcessorList.
  BeamGroup(const GenerationConfig& config, std::span<const TokenId> prompt,
            const ProcessorSetup& processors, BeamSearch::Setup setup);

  // Beside those of the prompt.
  uint32_t pages_needed() const { return pages_needed_; }
  void GivePage(uint32_t page) { spare_.push_back(page); }
  std::vector<uint32_t> TakeAllPages();

  // One step of the search: the first takes a single row of logits, after the prompt, the others
  // one row a beam.
  void Choose(const tensor::OutputRows& logits, uint64_t first_row);
  // After each Choose: gives every beam the pages of the one that it continues, and room for its
  // new token.
  void Fork(std::span<const uint32_t> prompt_pages, tensor::SequenceCache* cache);

  bool has_forked() const { return !pages_.empty(); }
  size_t size() const { return search_.num_beams(); }
  TokenId last_token(size_t beam) const { return search_.tokens(beam).back(); }
  // Tokens of each beam, prompt included.
  uint32_t length() const { return static_cast<uint32_t>(search_.tokens(0).size()); }
  std::span<const uint32_t> pages(size_t beam) const { return pages_[beam]; }
  const BeamSearch& search() const { return search_; }

 private:
  uint32_t TakeSpare();
  void ReleaseOwn(uint32_t page);

  BeamSearch search_;
  ProcessorList processors_;
  uint32_t vocabulary_;
  uint32_t pages_needed_;
  std::vector<uint32_t> spare_;
  std::map<uint32_t, uint32_t> users_;        // of the group's pages: how many beams have it
  std::vector<std::vector<uint32_t>> pages_;  // by beam
  std::vector<uint32_t> parents_;
  std::vector<float> scores_;
};

}  // namespace hearth::runtime
