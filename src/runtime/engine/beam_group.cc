#include "runtime/engine/beam_group.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using tensor::kPageTokens;

uint32_t PagesFor(uint64_t tokens) {
  return static_cast<uint32_t>((tokens + kPageTokens - 1) / kPageTokens);
}

}  // namespace

BeamGroup::BeamGroup(const GenerationConfig& config, std::span<const TokenId> prompt,
                     const ProcessorSetup& processors, BeamSearch::Setup setup)
    : search_(config, prompt, setup),
      processors_(config, processors),
      vocabulary_(setup.vocab_size) {
  // Nothing shared, and for a moment the pages of the beams before the step beside those after it.
  auto full = static_cast<uint32_t>(prompt.size() / kPageTokens);
  auto beams = static_cast<uint32_t>(search_.num_beams());
  pages_needed_ = beams * (PagesFor(setup.max_length) - full + 1);
}

std::vector<uint32_t> BeamGroup::TakeAllPages() {
  std::vector<uint32_t> all = std::exchange(spare_, {});
  for (const auto& [page, users] : users_) all.push_back(page);
  users_.clear();
  pages_.clear();
  return all;
}

uint32_t BeamGroup::TakeSpare() {
  if (spare_.empty()) throw Error(Code::kInternal, "beams have more pages than they can need");
  uint32_t page = spare_.back();
  spare_.pop_back();
  users_[page] = 1;
  return page;
}

void BeamGroup::ReleaseOwn(uint32_t page) {
  auto found = users_.find(page);
  if (found == users_.end() || --found->second > 0) return;
  users_.erase(found);
  spare_.push_back(page);
}

void BeamGroup::Choose(const tensor::OutputRows& logits, uint64_t first_row) {
  scores_.resize(size() * vocabulary_);
  for (size_t beam = 0; beam < size(); ++beam) {
    // Before the first step all beams are the prompt.
    std::span<const float> row = logits.Row(first_row + (has_forked() ? beam : 0));
    std::span<float> scores(scores_.data() + beam * vocabulary_, vocabulary_);
    std::copy_n(row.begin(), vocabulary_, scores.begin());
    LogSoftmax(scores);
    processors_.Apply(search_.tokens(beam), scores);
  }
  parents_ = search_.Step(scores_);
}

void BeamGroup::Fork(std::span<const uint32_t> prompt_pages, tensor::SequenceCache* cache) {
  uint32_t cached = length() - 1;
  uint32_t full = cached / kPageTokens;
  bool has_tail = cached % kPageTokens != 0;
  auto before = std::exchange(pages_, {});
  if (before.empty()) before.assign(size(), {prompt_pages.begin(), prompt_pages.end()});
  std::vector<bool> taken_over(size());
  for (uint32_t parent : parents_) {
    const std::vector<uint32_t>& known = before[parent];
    std::vector<uint32_t> pages(known.begin(), known.begin() + full);
    for (uint32_t page : pages) {
      if (auto own = users_.find(page); own != users_.end()) ++own->second;
    }
    if (!has_tail) {
      pages.push_back(TakeSpare());
    } else if (auto own = users_.find(known[full]); own != users_.end() && !taken_over[parent]) {
      taken_over[parent] = true;
      ++own->second;
      pages.push_back(known[full]);
    } else {
      pages.push_back(TakeSpare());
      cache->CopyPage(known[full], pages.back());
    }
    pages_.push_back(std::move(pages));
  }
  for (const auto& pages : before) {
    for (uint32_t page : pages) ReleaseOwn(page);
  }
}

}  // namespace hearth::runtime
