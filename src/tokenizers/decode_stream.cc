#include "tokenizers/decode_stream.h"

#include "base/error.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::optional<std::string> DecodeStream::Step(std::span<const uint32_t> ids) {
  if (prefix_.empty() && !ids_.empty()) {
    std::string prefix = tokenizer_->Decode(ids_, skip_special_tokens_);
    if (!prefix.ends_with(kReplacement)) {
      prefix_ = std::move(prefix);
      prefix_size_ = ids_.size();
    }
  }
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  std::string text = tokenizer_->Decode(ids_, skip_special_tokens_);
  if (text.size() <= prefix_.size() || text.ends_with(kReplacement)) return std::nullopt;
  if (!text.starts_with(prefix_)) {
    throw Error(Code::kInvalidArgument, "token " + std::to_string(ids_.back()) +
                                            " changes text that was given out already: \"" +
                                            prefix_ + "\" becomes \"" + text + "\"");
  }
  std::string fresh = text.substr(prefix_.size());
  size_t kept = ids_.size() - prefix_size_;
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<ptrdiff_t>(prefix_size_));
  prefix_ = tokenizer_->Decode(ids_, skip_special_tokens_);
  prefix_size_ = kept;
  return fresh;
}

}  // namespace hearth::tokenizers
