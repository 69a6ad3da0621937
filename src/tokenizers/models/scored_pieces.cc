#include "tokenizers/models/scored_pieces.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace hearth::tokenizers {
namespace {

constexpr int kLargestPower = 308;

// Correctly rounded, which std::pow does not promise.
const std::array<double, kLargestPower + 1>& PowersOfTen() {
  static const auto powers = [] {
    std::array<double, kLargestPower + 1> made{};
    for (size_t i = 0; i < made.size(); ++i) {
      char text[8] = "1e";
      auto written = std::to_chars(text + 2, text + sizeof text, i);
      std::from_chars(text, written.ptr, made[i]);
    }
    return made;
  }();
  return powers;
}

}  // namespace

ScoredPieces::ScoredPieces(TokenTexts texts, std::span<const double> scores, Vocab vocab,
                           std::shared_ptr<const void> owner)
    : texts_(std::move(texts)),
      scores_(scores),
      vocab_(std::move(vocab)),
      owner_(std::move(owner)) {
  if (texts_.size() != scores_.size()) {
    throw Error(Code::kInvalidArgument, "there are not as many scores as pieces");
  }
}

ScoredPieces::ScoredPieces(TokenTexts texts, std::vector<double> scores, Vocab vocab)
    : texts_(std::move(texts)), vocab_(std::move(vocab)) {
  auto owned = std::make_shared<const std::vector<double>>(std::move(scores));
  scores_ = *owned;
  owner_ = std::move(owned);
}

void ScoredPiecesBuilder::Reserve(size_t pieces, size_t text_bytes) {
  vocab_.Reserve(pieces, text_bytes);
  scores_.reserve(pieces);
}

void ScoredPiecesBuilder::Add(std::string_view piece, double score) {
  vocab_.Add(piece, static_cast<uint32_t>(scores_.size()));
  scores_.push_back(score);
}

ScoredPieces ScoredPiecesBuilder::Build() {
  TokenTexts texts = vocab_.texts();
  return ScoredPieces(std::move(texts), std::move(scores_), vocab_.Build());
}

double ScoreFromDecimal(uint64_t digits, int64_t exponent) {
  auto value = static_cast<double>(digits);
  if (value == 0) return 0;
  for (; exponent < -kLargestPower && value != 0; exponent += kLargestPower) value /= 1e308;
  if (value == 0) return 0;
  if (exponent > kLargestPower) return std::numeric_limits<double>::infinity();
  const auto& powers = PowersOfTen();
  return exponent >= 0 ? value * powers[static_cast<size_t>(exponent)]
                       : value / powers[static_cast<size_t>(-exponent)];
}

double ScoreFromExact(double exact) {
  if (exact == 0 || !std::isfinite(exact)) return exact;
  char text[40];
  auto written =
      std::to_chars(text, text + sizeof text, std::fabs(exact), std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  const char* at = text;
  for (bool fraction = false; at < written.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    exponent -= fraction ? 1 : 0;
  }
  int power = 0;
  if (at < written.ptr) std::from_chars(at + (at[1] == '+' ? 2 : 1), written.ptr, power);
  return std::copysign(ScoreFromDecimal(digits, exponent + power), exact);
}

ScoredPieces ParseScoredPieces(const Json& list, ScoreOrigin origin) {
  const Json::Array* items = list.AsArray();
  if (items == nullptr) throw Error(Code::kInvalidArgument, "\"vocab\" must be a list");
  ScoredPiecesBuilder pieces;
  pieces.Reserve(items->size(), items->size() * 8);
  for (size_t i = 0; i < items->size(); ++i) {
    const Json::Array* pair = (*items)[i].AsArray();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() ||
        !(*pair)[1].is_number()) {
      throw Error(Code::kInvalidArgument,
                  "item " + std::to_string(i) + " of \"vocab\" is not a text with its score");
    }
    double score = *(*pair)[1].AsDouble();
    pieces.Add(*(*pair)[0].AsString(),
               origin == ScoreOrigin::kText ? ScoreFromExact(score) : score);
  }
  return pieces.Build();
}

}  // namespace hearth::tokenizers
