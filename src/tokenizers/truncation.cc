#include "tokenizers/truncation.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kMaxPaddedTokens = size_t{1} << 24;

constexpr std::array<std::string_view, 2> kSides = {"Left", "Right"};
constexpr std::array<std::string_view, 3> kStrategies = {"LongestFirst", "OnlyFirst", "OnlySecond"};

template <typename Enum, size_t kCount>
Enum ParseName(const Json& json, std::string_view key,
               const std::array<std::string_view, kCount>& names) {
  std::string name = json.RequireString(key);
  for (size_t i = 0; i < kCount; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  throw Error(Code::kInvalidArgument,
              "\"" + std::string(key) + "\" has the unknown value \"" + name + "\"");
}

// How the lengths of two sequences share what is allowed: the shorter one keeps all it has as long
// as the longer one keeps at least as much, else both get half.
std::pair<size_t, size_t> ShareLength(size_t first, size_t second, size_t max_length) {
  bool swapped = first > second;
  size_t shorter = std::min(first, second);
  size_t longer = shorter > max_length ? shorter : std::max(shorter, max_length - shorter);
  if (shorter + longer > max_length) {
    shorter = max_length / 2;
    longer = shorter + max_length % 2;
  }
  return swapped ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

void TruncateOne(const Truncation& truncation, size_t to_remove, Encoding* target) {
  if (target->size() <= to_remove) {
    throw Error(Code::kInvalidArgument,
                "the sequence to truncate is too short to reach the maximal length");
  }
  target->Truncate(target->size() - to_remove, truncation.stride, truncation.side);
}

size_t CountEncodings(const Encoding& encoding) {
  size_t count = 1;
  for (const Encoding& piece : encoding.overflowing) count += CountEncodings(piece);
  return count;
}

Json OptionalSize(std::optional<size_t> value) { return value ? Json(*value) : Json(); }

}  // namespace

Json Truncation::ToJson() const {
  return Json::Obj({{"direction", kSides[static_cast<size_t>(side)]},
                    {"max_length", max_length},
                    {"strategy", kStrategies[static_cast<size_t>(strategy)]},
                    {"stride", stride}});
}

Truncation Truncation::Parse(const Json& json) {
  Truncation truncation;
  truncation.max_length = internal::RequireSize(json, "max_length");
  truncation.stride = internal::RequireSize(json, "stride");
  truncation.strategy = ParseName<TruncationStrategy>(json, "strategy", kStrategies);
  if (json.Find("direction") != nullptr) {
    truncation.side = ParseName<Side>(json, "direction", kSides);
  }
  return truncation;
}

Json PaddingOptions::ToJson() const {
  Json strategy = fixed_length ? Json::Obj({{"Fixed", *fixed_length}}) : Json("BatchLongest");
  return Json::Obj({{"strategy", std::move(strategy)},
                    {"direction", kSides[static_cast<size_t>(side)]},
                    {"pad_to_multiple_of", OptionalSize(multiple_of)},
                    {"pad_id", pad_id},
                    {"pad_type_id", pad_type_id},
                    {"pad_token", pad_token}});
}

PaddingOptions PaddingOptions::Parse(const Json& json) {
  PaddingOptions padding;
  const Json& strategy = internal::Require(json, "strategy");
  if (strategy.is_object()) {
    padding.fixed_length = internal::RequireSize(strategy, "Fixed");
  } else if (strategy.AsString() == nullptr || *strategy.AsString() != "BatchLongest") {
    throw Error(Code::kInvalidArgument,
                "\"strategy\" of the padding must be \"BatchLongest\" or {\"Fixed\": length}");
  }
  padding.side = ParseName<Side>(json, "direction", kSides);
  if (const Json* multiple = json.Find("pad_to_multiple_of"); multiple && !multiple->is_null()) {
    padding.multiple_of = internal::RequireSize(json, "pad_to_multiple_of");
  }
  padding.pad_id = internal::RequireUint32(json, "pad_id");
  padding.pad_type_id = internal::RequireUint32(json, "pad_type_id");
  padding.pad_token = json.RequireString("pad_token");
  return padding;
}

void TruncateSequences(const Truncation& truncation, std::span<Encoding> sequences) {
  if (truncation.max_length == 0) {
    for (Encoding& sequence : sequences) sequence.Truncate(0, truncation.stride, truncation.side);
    return;
  }
  size_t total = 0;
  for (const Encoding& sequence : sequences) total += sequence.size();
  if (total <= truncation.max_length) return;
  size_t to_remove = total - truncation.max_length;
  switch (truncation.strategy) {
    case TruncationStrategy::kLongestFirst: {
      if (sequences.size() < 2) {
        sequences[0].Truncate(truncation.max_length, truncation.stride, truncation.side);
        return;
      }
      auto [first, second] =
          ShareLength(sequences[0].size(), sequences[1].size(), truncation.max_length);
      sequences[0].Truncate(first, truncation.stride, truncation.side);
      sequences[1].Truncate(second, truncation.stride, truncation.side);
      return;
    }
    case TruncationStrategy::kOnlyFirst:
      return TruncateOne(truncation, to_remove, &sequences[0]);
    case TruncationStrategy::kOnlySecond:
      if (sequences.size() < 2) {
        throw Error(Code::kInvalidArgument, "there is no second sequence to truncate");
      }
      return TruncateOne(truncation, to_remove, &sequences[1]);
  }
}

void PadEncodings(const PaddingOptions& padding, std::span<Encoding> encodings) {
  size_t length = padding.fixed_length.value_or(0);
  size_t count = 0;
  for (const Encoding& encoding : encodings) {
    count += CountEncodings(encoding);
    if (!padding.fixed_length) length = std::max(length, encoding.size());
  }
  if (padding.multiple_of && *padding.multiple_of > 0 && length % *padding.multiple_of > 0) {
    length += *padding.multiple_of - length % *padding.multiple_of;
  }
  if (padding.fixed_length || padding.multiple_of) {
    if (count > 0 && length > kMaxPaddedTokens / count) {
      throw Error(Code::kTooLarge, "padding " + std::to_string(count) + " encodings to " +
                                       std::to_string(length) + " tokens passes 2^24 tokens");
    }
  }
  Encoding::Padding options{.length = length,
                            .id = padding.pad_id,
                            .type_id = padding.pad_type_id,
                            .token = padding.pad_token,
                            .side = padding.side};
  for (Encoding& encoding : encodings) encoding.Pad(options);
}

}  // namespace hearth::tokenizers
