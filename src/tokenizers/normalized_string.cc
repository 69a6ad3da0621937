#include "tokenizers/normalized_string.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "tokenizers/internal/characters.h"

namespace hearth::tokenizers {
namespace {

// The most that normalizers may make of a piece of text, so that a hostile chain of replacements
// cannot fill the memory: U+FDFA, Unicode's largest, becomes 33 bytes of 3.
constexpr size_t kMaxGrowth = 64;
constexpr size_t kFreeBytes = 64 << 10;  // for what is put before or between

}  // namespace

NormalizedString::NormalizedString(std::string_view original, internal::Arena* arena)
    : base_(original.data()), text_(original.data()), arena_(arena) {
  if (original.size() >= std::numeric_limits<uint32_t>::max()) {
    throw Error(Code::kTooLarge, "a text of 4 GiB or more cannot be tokenized in one piece");
  }
  text_size_ = original_end_ = static_cast<uint32_t>(original.size());
}

Alignment NormalizedString::AlignmentAt(size_t byte) const {
  if (alignments_ != nullptr) return alignments_[byte];
  size_t begin = byte;
  while (begin > 0 && (static_cast<unsigned char>(text_[begin]) & 0xC0) == 0x80) --begin;
  auto at = original_begin_ + static_cast<uint32_t>(begin);
  return {at, at + static_cast<uint32_t>(internal::CharacterLength(text(), begin))};
}

Offsets NormalizedString::OriginalOf(Offsets range) const {
  if (range.begin == range.end) return {original_begin_ + range.begin, original_begin_ + range.end};
  if (range.begin > range.end || range.end > text_size_) return range;
  return {AlignmentAt(range.begin).begin, AlignmentAt(range.end - 1).end};
}

NormalizedString NormalizedString::Slice(size_t begin, size_t end) const {
  NormalizedString part = *this;
  part.text_ = text_ + begin;
  part.text_size_ = static_cast<uint32_t>(end - begin);
  if (alignments_ != nullptr && begin < end) {
    part.alignments_ = alignments_ + begin;
    part.original_begin_ = alignments_[begin].begin;
    part.original_end_ = std::max(alignments_[end - 1].end, part.original_begin_);
  } else {
    part.original_begin_ = original_begin_ + static_cast<uint32_t>(begin);
    part.original_end_ = original_begin_ + static_cast<uint32_t>(end);
  }
  return part;
}

Rewriter::Rewriter(NormalizedString* target, size_t removed_at_start)
    : target_(target), end_(target->text_size_) {
  // The reference rewrites the text that covers the original. What stands for nothing of it at the
  // very start keeps its place; and in a piece that stands for nothing at all (an insertion that
  // was cut off) nothing is consumed, so the new text comes before the old one.
  if (target->original_begin_ == target->original_end_) {
    end_ = 0;
  } else if (const Alignment* alignments = target->alignments_) {
    while (begin_ < end_ && alignments[begin_].begin == alignments[begin_].end) ++begin_;
  }
  at_ = begin_;
  for (; removed_at_start > 0 && at_ < end_; --removed_at_start) at_ += NextLength();
  Start();
}

Rewriter::Rewriter(NormalizedString* target, size_t begin, size_t end)
    : target_(target), begin_(begin), end_(end), at_(begin) {
  Start();
}

void Rewriter::Start() {
  size_t whole = target_->text_size_;
  capacity_ = whole + whole / 4 + 16;
  out_ = target_->arena_->Allocate<char>(capacity_);
  if (begin_ > 0) std::memcpy(out_, target_->text_, begin_);
  size_ = begin_;
  if (at_ != begin_) StoreAlignments();
}

size_t Rewriter::NextLength() const {
  if (at_ >= end_) return 0;
  return internal::CharacterLength({target_->text_, end_}, at_);
}

void Rewriter::CheckLeft(size_t bytes) const {
  if (bytes > target_->text_size_ - at_) {
    throw Error(Code::kInvalidArgument, "a normalizer replaces more characters than there are");
  }
}

char* Rewriter::Room(size_t bytes) {
  if (capacity_ - size_ < bytes) {
    size_t original = target_->original_end_ - target_->original_begin_;
    if (size_ + bytes > kFreeBytes + kMaxGrowth * original) {
      throw Error(Code::kTooLarge, "a normalizer makes more than " + std::to_string(kMaxGrowth) +
                                       " times as much of a text");
    }
    size_t grown = std::max(capacity_ * 2, size_ + bytes);
    char* text = target_->arena_->Allocate<char>(grown);
    std::memcpy(text, out_, size_);
    out_ = text;
    if (moved_) {
      auto* alignments = target_->arena_->Allocate<Alignment>(grown);
      std::copy_n(alignments_, size_, alignments);
      alignments_ = alignments;
    }
    capacity_ = grown;
  }
  return out_ + size_;
}

// Until now byte i of the new text stood at byte i of the old one; from here on it does not.
void Rewriter::StoreAlignments() {
  moved_ = true;
  alignments_ = target_->arena_->Allocate<Alignment>(capacity_);
  for (size_t i = 0; i < size_; ++i) alignments_[i] = target_->AlignmentAt(i);
}

void Rewriter::Append(const char* bytes, size_t size, Alignment alignment) {
  char* to = Room(size);
  std::memcpy(to, bytes, size);
  if (moved_) std::fill_n(alignments_ + size_, size, alignment);
  size_ += size;
}

void Rewriter::Put(char32_t character, int change) {
  char bytes[4];
  size_t length = internal::EncodeCharacter(character, bytes);
  Alignment alignment;
  if (change > 0) {
    if (!moved_) StoreAlignments();
    alignment = at_ == 0 ? Alignment{target_->original_begin_, target_->original_begin_}
                         : target_->AlignmentAt(at_ - 1);
  } else {
    CheckLeft(1);
    size_t replaced = NextLength();
    if (!moved_ && (change < 0 || replaced != length)) StoreAlignments();
    if (moved_) alignment = target_->AlignmentAt(at_);
    at_ += replaced;
    for (; change < 0; ++change) at_ += NextLength();
  }
  Append(bytes, length, alignment);
}

void Rewriter::Keep(size_t bytes) {
  CheckLeft(bytes);
  char* to = Room(bytes);
  std::memcpy(to, target_->text_ + at_, bytes);
  if (moved_) {
    for (size_t i = 0; i < bytes; ++i) alignments_[size_ + i] = target_->AlignmentAt(at_ + i);
  }
  size_ += bytes;
  at_ += bytes;
}

void Rewriter::Skip(size_t bytes) {
  if (bytes == 0) return;
  CheckLeft(bytes);
  if (!moved_) StoreAlignments();
  at_ += bytes;
}

void Rewriter::Finish() {
  if (at_ != end_ && !moved_) StoreAlignments();
  at_ = end_;
  end_ = target_->text_size_;
  Keep(end_ - at_);
  target_->text_ = out_;
  target_->text_size_ = static_cast<uint32_t>(size_);
  if (size_ >= std::numeric_limits<uint32_t>::max()) {
    throw Error(Code::kTooLarge, "the normalized text is 4 GiB or more");
  }
  if (moved_) target_->alignments_ = alignments_;
}

}  // namespace hearth::tokenizers
