#include "runtime/generation/text_stream.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {

StopStringFilter::StopStringFilter(std::vector<std::string> stops, bool keep_stop_string)
    : stops_(std::move(stops)), keep_stop_string_(keep_stop_string) {
  std::erase(stops_, "");
  if (stops_.size() > kMaxStrings) {
    throw Error(Code::kInvalidArgument,
                "at most " + std::to_string(kMaxStrings) + " stop strings are allowed");
  }
  for (const std::string& stop : stops_) {
    if (stop.size() > kMaxBytes) {
      throw Error(Code::kInvalidArgument,
                  "a stop string may have at most " + std::to_string(kMaxBytes) + " bytes");
    }
  }
}

std::string StopStringFilter::Push(std::string_view text) {
  if (stopped()) return {};
  if (stops_.empty()) return std::string(text);
  const size_t searched = held_.size();
  held_ += text;

  // The stop that ends first, of several that end there the one that begins first.
  size_t best_end = std::string::npos;
  for (const std::string& stop : stops_) {
    // One that lay in the held part alone would have been found before.
    size_t from = searched >= stop.size() ? searched - stop.size() + 1 : 0;
    size_t at = held_.find(stop, from);
    if (at == std::string::npos) continue;
    size_t end = at + stop.size();
    if (end < best_end || (end == best_end && stop.size() > stopped_->size())) {
      best_end = end;
      stopped_ = &stop;
    }
  }
  if (stopped()) {
    std::string out = held_.substr(0, keep_stop_string_ ? best_end : best_end - stopped_->size());
    held_.clear();
    return out;
  }

  // Hold back the longest end that begins a stop string.
  size_t hold = 0;
  for (const std::string& stop : stops_) {
    size_t longest = std::min(stop.size() - 1, held_.size());
    for (size_t length = longest; length > hold; --length) {
      if (std::string_view(held_).substr(held_.size() - length) ==
          std::string_view(stop).substr(0, length)) {
        hold = length;
        break;
      }
    }
  }
  std::string out = held_.substr(0, held_.size() - hold);
  held_.erase(0, out.size());
  return out;
}

std::string StopStringFilter::Finish() { return std::exchange(held_, {}); }

TextStream::TextStream(const tokenizers::Tokenizer& tokenizer, Options options)
    : tokenizer_(&tokenizer),
      decoder_(tokenizer, options.skip_special_tokens),
      filter_(std::move(options.stop_strings), options.keep_stop_string),
      skip_special_tokens_(options.skip_special_tokens) {}

std::string TextStream::Push(uint32_t token) {
  if (stopped()) return {};
  all_.push_back(token);
  auto text = decoder_.Step(token);
  if (!text) return {};
  decoded_ += *text;
  return filter_.Push(*text);
}

std::string TextStream::Finish() {
  if (stopped()) return {};
  // What the stream still holds: the whole text behind what it gave out.
  std::string whole = tokenizer_->Decode(all_, skip_special_tokens_);
  std::string out;
  if (whole.size() > decoded_.size() && whole.starts_with(decoded_)) {
    out = filter_.Push(std::string_view(whole).substr(decoded_.size()));
  }
  if (!stopped()) out += filter_.Finish();
  return out;
}

}  // namespace hearth::runtime
