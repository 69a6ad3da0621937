#include "tokenizers/stream_encoder.h"

#include <algorithm>

#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kNeighbourhoodBytes = 2048;  // on each side of a cut
constexpr int kMaxTries = 16;                 // line ends looked at per window

bool IsCharacterStart(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

StreamEncoder::StreamEncoder(const Tokenizer& tokenizer, bool add_special_tokens,
                             size_t window_bytes)
    : tokenizer_(&tokenizer), window_bytes_(window_bytes), next_look_(window_bytes) {
  if (!add_special_tokens) return;
  // Special tokens stand around the tokens of any text: those of "a" show where.
  Encoding sample = tokenizer.Encode("a", {.offsets = OffsetUnit::kNone});
  bool seen_text = false;
  for (size_t i = 0; i < sample.size(); ++i) {
    if (sample.special_tokens_mask[i] == 0) {
      seen_text = true;
    } else {
      (seen_text ? suffix_ids_ : prefix_ids_).push_back(sample.ids[i]);
    }
  }
}

void StreamEncoder::Begin(std::vector<uint32_t>* ids) {
  if (begun_) return;
  begun_ = true;
  ids->insert(ids->end(), prefix_ids_.begin(), prefix_ids_.end());
}

void StreamEncoder::Feed(std::string_view bytes, std::vector<uint32_t>* ids) {
  Begin(ids);
  buffer_ += bytes;
  if (buffer_.size() < next_look_) return;
  size_t cut = FindCut();
  if (cut == 0) {
    next_look_ = buffer_.size() * 2;  // so that a text without cuts costs linear time
    return;
  }
  tokenizer_->EncodeIds(std::string_view(buffer_).substr(0, cut), false, ids);
  buffer_.erase(0, cut);
  next_look_ = std::max(window_bytes_, buffer_.size() * 2);
}

void StreamEncoder::Finish(std::vector<uint32_t>* ids) {
  Begin(ids);
  tokenizer_->EncodeIds(buffer_, false, ids);
  ids->insert(ids->end(), suffix_ids_.begin(), suffix_ids_.end());
  buffer_.clear();
  begun_ = false;
  next_look_ = window_bytes_;
}

// The last safe cut that has its neighbourhood in the buffer; 0: none was found.
size_t StreamEncoder::FindCut() const {
  if (buffer_.size() <= 2 * kNeighbourhoodBytes) return 0;
  size_t at = buffer_.size() - kNeighbourhoodBytes;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    size_t line_end = buffer_.rfind('\n', at - 1);
    if (line_end == std::string::npos || line_end < kNeighbourhoodBytes) return 0;
    if (!IsBlank(buffer_[line_end + 1]) && IsSafeCut(line_end + 1)) return line_end + 1;
    at = line_end;
  }
  return 0;
}

bool StreamEncoder::IsSafeCut(size_t at) const {
  size_t begin = at - kNeighbourhoodBytes, end = at + kNeighbourhoodBytes;
  while (begin < at && !IsCharacterStart(buffer_[begin])) ++begin;
  while (end > at && end < buffer_.size() && !IsCharacterStart(buffer_[end])) --end;
  std::string_view whole = std::string_view(buffer_).substr(begin, end - begin);
  std::vector<uint32_t> together = tokenizer_->EncodeIds(whole, false);
  std::vector<uint32_t> parts = tokenizer_->EncodeIds(whole.substr(0, at - begin), false);
  tokenizer_->EncodeIds(whole.substr(at - begin), false, &parts);
  return together == parts;
}

}  // namespace hearth::tokenizers
