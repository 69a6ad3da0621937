// A piece of the original text together with what normalizers made of it, and where each byte of
// the one comes from in the other.
//
// A cheap view: the original text and the arena own the bytes, so copies and slices cost nothing.
// While every character still stands where it stood (or was replaced by one of equal length) no
// alignment is stored at all, which is the case for nearly all text.
//
// Thread rule: not thread-safe; lives and dies inside one encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizers/encoding.h"
#include "tokenizers/internal/arena.h"

namespace hearth::tokenizers {

// The bytes of the original text that one byte of the normalized text stands for.
struct Alignment {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const Alignment&) const = default;
};

class NormalizedString {
 public:
  NormalizedString() = default;
  // The whole of `original`, unchanged. Both arguments must outlive it. `original` must be valid
  // UTF-8 of less than 4 GiB (Error{kTooLarge}).
  NormalizedString(std::string_view original, internal::Arena* arena);

  std::string_view text() const { return {text_, text_size_}; }
  bool empty() const { return text_size_ == 0; }
  std::string_view original() const {
    return {base_ + original_begin_, original_end_ - original_begin_};
  }
  // Of this piece, in bytes of the whole original text.
  Offsets original_offsets() const { return {original_begin_, original_end_}; }
  // Nothing was inserted, removed or resized: byte i of text() is byte i of original().
  bool aligned() const { return alignments_ == nullptr; }

  // The original bytes for a range of text(), relative to the whole original text. An empty range
  // stays where it is, relative to the piece, and what lies outside of text() is given back: the
  // reference's rules.
  Offsets OriginalOf(Offsets range) const;

  // A part of text(), on character boundaries, with the part of the original that it covers.
  NormalizedString Slice(size_t begin, size_t end) const;

  // What a byte of text() comes from, in bytes of the whole original text.
  Alignment AlignmentAt(size_t byte) const;

  // Text of equal character lengths in place of text(): nothing moves. `text` is in the arena.
  void SetText(std::string_view text) { text_ = text.data(); }
  internal::Arena* arena() const { return arena_; }

 private:
  friend class Rewriter;

  const char* base_ = nullptr;  // the whole original text
  const char* text_ = nullptr;
  const Alignment* alignments_ = nullptr;  // one per byte of text; nullptr: see aligned()
  internal::Arena* arena_ = nullptr;
  uint32_t text_size_ = 0;
  uint32_t original_begin_ = 0;
  uint32_t original_end_ = 0;
};

// Builds the next text of a NormalizedString character by character.
//
// Each character of the new text says how many characters of the old one it consumes: kReplace one,
// kInsert none, and -n one and the n that follow, which disappear. That is enough to keep the
// alignment. Characters at the very start that disappear are skipped by the constructor.
//
// Finish() must be called, unless nothing is to change. Throws Error{kInvalidArgument} when more is
// consumed than there is.
class Rewriter {
 public:
  static constexpr int kReplace = 0;
  static constexpr int kInsert = 1;

  explicit Rewriter(NormalizedString* target, size_t removed_at_start = 0);
  // Only a part of the text is rewritten, and the rest stays.
  Rewriter(NormalizedString* target, size_t begin, size_t end);

  void Put(char32_t character, int change);
  // Copies the next `bytes` bytes of the old text, whole characters.
  void Keep(size_t bytes);
  // Leaves out the next `bytes` bytes; what Put(..., kInsert) adds then stands for their last one.
  void Skip(size_t bytes);
  void Finish();

 private:
  void Start();
  char* Room(size_t bytes);
  void Append(const char* bytes, size_t size, Alignment alignment);
  void StoreAlignments();
  size_t NextLength() const;
  void CheckLeft(size_t bytes) const;

  NormalizedString* target_;
  size_t begin_ = 0;  // the range of the old text that is rewritten
  size_t end_ = 0;
  size_t at_ = 0;       // consumed of the old text
  bool moved_ = false;  // alignments are stored, because they are not trivial any more
  char* out_ = nullptr;
  Alignment* alignments_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace hearth::tokenizers
