#include "tokenizers/encoding.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/error.h"
#include "tokenizers/internal/character_index.h"

namespace hearth::tokenizers {
namespace {

// Tokens that one encoding may hold with all of its overflowing pieces. Real inputs stay far below;
// a hostile tokenizer could ask for pieces times pieces.
constexpr size_t kMaxTokens = size_t{1} << 26;

size_t CountPieces(const Encoding& encoding) {
  return std::accumulate(
      encoding.overflowing.begin(), encoding.overflowing.end(), size_t{1},
      [](size_t sum, const Encoding& piece) { return sum + CountPieces(piece); });
}

template <typename T>
void AppendRange(const std::vector<T>& from, size_t begin, size_t end, std::vector<T>* to) {
  to->insert(to->end(), from.begin() + static_cast<ptrdiff_t>(begin),
             from.begin() + static_cast<ptrdiff_t>(end));
}

Encoding Cut(const Encoding& from, size_t begin, size_t end) {
  Encoding piece;
  AppendRange(from.ids, begin, end, &piece.ids);
  AppendRange(from.type_ids, begin, end, &piece.type_ids);
  AppendRange(from.tokens, begin, end, &piece.tokens);
  AppendRange(from.word_ids, begin, end, &piece.word_ids);
  AppendRange(from.offsets, begin, end, &piece.offsets);
  AppendRange(from.special_tokens_mask, begin, end, &piece.special_tokens_mask);
  AppendRange(from.attention_mask, begin, end, &piece.attention_mask);
  return piece;
}

// Where the pieces lie: from the kept side on, each `step` further, until one reaches the far end.
std::vector<Offsets> Pieces(size_t size, size_t max_length, size_t step, Side side) {
  std::vector<Offsets> pieces;
  for (size_t from = 0;; from += step) {
    size_t to = std::min(from + max_length, size);
    pieces.push_back(side == Side::kRight ? Offsets{from, to} : Offsets{size - to, size - from});
    if (to == size) return pieces;
  }
}

template <typename T>
void MoveAppend(std::vector<T>* from, std::vector<T>* to) {
  if (to->empty() && to->capacity() < from->size()) {
    *to = std::move(*from);
    return;
  }
  to->insert(to->end(), std::make_move_iterator(from->begin()),
             std::make_move_iterator(from->end()));
}

// The overflowing pieces of first + second: each piece of the one with each of the other and with
// the other itself. What is whole keeps its own pieces while it is combined, so the results nest,
// as the reference's do.
std::vector<Encoding> Combine(const Encoding& first, const Encoding& second) {
  std::vector<Encoding> combined;
  if (first.overflowing.empty() && second.overflowing.empty()) return combined;
  if (CountPieces(first) * CountPieces(second) > kMaxTokens / (first.size() + second.size() + 1)) {
    throw Error(Code::kTooLarge, "the overflowing pieces combine to too many tokens");
  }
  auto add = [&combined](const Encoding& left, const Encoding& right) {
    combined.push_back(left);
    combined.back().Append(right);
  };
  for (const Encoding& left : first.overflowing) {
    add(left, second);
    for (const Encoding& right : second.overflowing) add(left, right);
  }
  for (const Encoding& right : second.overflowing) add(first, right);
  return combined;
}

template <typename T>
void Fill(std::vector<T>* values, size_t count, const T& value, Side side) {
  values->insert(side == Side::kLeft ? values->begin() : values->end(), count, value);
}

}  // namespace

void Encoding::Reserve(size_t size) {
  ids.reserve(size);
  type_ids.reserve(size);
  tokens.reserve(size);
  word_ids.reserve(size);
  offsets.reserve(size);
  special_tokens_mask.reserve(size);
  attention_mask.reserve(size);
}

Encoding::SequenceRange Encoding::RangeOf(size_t sequence) const {
  for (const SequenceRange& range : sequence_ranges) {
    if (range.sequence == sequence) return range;
  }
  return {sequence, 0, size()};
}

std::vector<std::optional<size_t>> Encoding::SequenceIds() const {
  std::vector<std::optional<size_t>> sequences(size());
  for (size_t sequence = 0; sequence < sequence_count(); ++sequence) {
    SequenceRange range = RangeOf(sequence);
    for (size_t i = range.begin; i < range.end; ++i) sequences[i] = sequence;
  }
  return sequences;
}

std::optional<size_t> Encoding::TokenToSequence(size_t token) const {
  if (token > size()) return std::nullopt;
  if (sequence_ranges.empty()) return 0;
  for (const SequenceRange& range : sequence_ranges) {
    if (token >= range.begin && token < range.end) return range.sequence;
  }
  return std::nullopt;
}

std::optional<Offsets> Encoding::WordToTokens(uint32_t word, size_t sequence) const {
  SequenceRange range = RangeOf(sequence);
  std::optional<Offsets> found;
  for (size_t i = range.begin; i < range.end; ++i) {
    if (word_ids[i] > word) break;
    if (word_ids[i] != word) continue;
    if (!found) found = Offsets{i, i};
    found->end = i + 1;
  }
  return found;
}

std::optional<Offsets> Encoding::WordToOffsets(uint32_t word, size_t sequence) const {
  std::optional<Offsets> range = WordToTokens(word, sequence);
  if (!range) return std::nullopt;
  return Offsets{offsets[range->begin].begin, offsets[range->end - 1].end};
}

std::optional<size_t> Encoding::PositionToToken(size_t position, size_t sequence) const {
  SequenceRange range = RangeOf(sequence);
  for (size_t i = range.begin; i < range.end; ++i) {
    if (position >= offsets[i].begin && position < offsets[i].end) return i;
  }
  return std::nullopt;
}

std::optional<uint32_t> Encoding::PositionToWord(size_t position, size_t sequence) const {
  std::optional<size_t> token = PositionToToken(position, sequence);
  if (!token || !TokenToSequence(*token)) return std::nullopt;
  return word_ids[*token];
}

void Encoding::SetSequence(size_t sequence) {
  for (SequenceRange& range : sequence_ranges) {
    if (range.sequence == sequence) {
      range = {sequence, 0, size()};
      return;
    }
  }
  sequence_ranges.push_back({sequence, 0, size()});
}

void Encoding::SetTypeIds(uint32_t type_id) { type_ids.assign(size(), type_id); }

void Encoding::Truncate(size_t max_length, size_t stride, Side side) {
  if (max_length >= size()) return;
  if (max_length == 0) {
    Encoding all = std::move(*this);
    *this = Encoding{};
    overflowing.push_back(std::move(all));
    return;
  }
  if (stride >= max_length) {
    throw Error(Code::kInvalidArgument,
                "the truncation stride " + std::to_string(stride) +
                    " must be below the length that is left for the text, " +
                    std::to_string(max_length));
  }
  size_t step = max_length - stride;
  if ((size() / step + 1) > kMaxTokens / max_length) {
    throw Error(Code::kTooLarge, "truncation with this stride gives too many pieces");
  }
  std::vector<Offsets> pieces = Pieces(size(), max_length, step, side);
  Encoding kept = Cut(*this, pieces[0].begin, pieces[0].end);
  kept.overflowing.reserve(pieces.size() - 1);
  for (size_t i = 1; i < pieces.size(); ++i) {
    kept.overflowing.push_back(Cut(*this, pieces[i].begin, pieces[i].end));
  }
  *this = std::move(kept);
}

void Encoding::Pad(const Padding& padding) {
  for (Encoding& piece : overflowing) piece.Pad(padding);
  if (size() >= padding.length) return;
  size_t count = padding.length - size();
  Fill(&ids, count, padding.id, padding.side);
  Fill(&type_ids, count, padding.type_id, padding.side);
  Fill(&tokens, count, std::string(padding.token), padding.side);
  Fill(&word_ids, count, std::optional<uint32_t>(), padding.side);
  Fill(&offsets, count, Offsets{}, padding.side);
  Fill(&special_tokens_mask, count, uint8_t{1}, padding.side);
  Fill(&attention_mask, count, uint8_t{0}, padding.side);
  if (padding.side == Side::kRight) return;
  for (SequenceRange& range : sequence_ranges) {
    range.begin += count;
    range.end += count;
  }
}

void Encoding::Append(Encoding other) {
  if (size() + other.size() > kMaxTokens) {
    throw Error(Code::kTooLarge, "an encoding holds more than 2^26 tokens");
  }
  std::vector<Encoding> combined = Combine(*this, other);
  for (const SequenceRange& range : other.sequence_ranges) {
    SequenceRange moved{range.sequence, size() + range.begin, size() + range.end};
    auto same = std::find_if(sequence_ranges.begin(), sequence_ranges.end(),
                             [&](const auto& own) { return own.sequence == range.sequence; });
    if (same == sequence_ranges.end()) {
      sequence_ranges.push_back(moved);
    } else {
      *same = moved;
    }
  }
  MoveAppend(&other.ids, &ids);
  MoveAppend(&other.type_ids, &type_ids);
  MoveAppend(&other.tokens, &tokens);
  MoveAppend(&other.word_ids, &word_ids);
  MoveAppend(&other.offsets, &offsets);
  MoveAppend(&other.special_tokens_mask, &special_tokens_mask);
  MoveAppend(&other.attention_mask, &attention_mask);
  overflowing = std::move(combined);
}

void CharacterOffsets(std::string_view text, std::vector<Offsets>* offsets) {
  internal::CharacterIndex index(text);
  for (Offsets& pair : *offsets) pair = index.Convert(pair);
}

}  // namespace hearth::tokenizers
