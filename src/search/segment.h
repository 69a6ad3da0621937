// An immutable part of the index: documents, the sorted terms in them, postings, positions and the
// texts. Either mapped files or memory; the format is the same. Thread-safe.
//
// Five parts, each ended by eight zero bytes; numbers little-endian:
//   docs      header {magic, version, documents, text blocks, terms, term blocks}; ids u32[]
//   rising,
//             stamps u64[], deleted u8[], block of the text u32[], place in it u32[]; text blocks:
//             place u64[], size unpacked u32[]
//   terms     header {size of the block bytes, groups}; term blocks; their places u64[]; for each
//             length from 4 to 24 characters: count u32, signatures u32[], ordinals u32[]
//   postings  of each term, as internal/postings.h has them
//   positions of each term: for each posting a varint count and varint differences
//   texts     zstd frames of documents: for each field a varint length and the text
// A term block is 16 terms: varint places in postings and positions, then for each term varint
// bytes shared with the one before, varint length of the rest, the rest, varint 2 * documents + (1
// when misspelt words may stand for it), varint bytes of its postings and of its positions.
//
// Whatever bytes the parts hold, reading them stays inside and throws nothing but kInternal.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "search/document.h"
#include "search/internal/packing.h"
#include "search/internal/postings.h"

namespace hearth::search {

inline constexpr uint64_t kSegmentMagic = 0x3147455348545248;  // "HRTHSEG1"
// Grows with every change of the format, of the analysis or of the weights: an index of another
// version is made anew.
inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr size_t kTermsPerBlock = 16;
inline constexpr size_t kMinFuzzyLength = 4, kMaxFuzzyLength = 24;

enum class Part : uint8_t { kDocs, kTerms, kPostings, kPositions, kTexts };
inline constexpr size_t kParts = 5;

struct SegmentFiles {
  uint64_t number = 0;
  std::array<uint64_t, kParts> bytes = {};
  std::array<uint64_t, kParts> checksums = {};
};
std::filesystem::path SegmentPath(const std::filesystem::path& folder, uint64_t number, Part part);

struct TermEntry {
  std::string term;
  uint32_t ordinal = 0;
  uint64_t documents = 0;  // with older versions and what was deleted since
  bool may_be_meant = false;
  uint64_t postings_at = 0, postings_bytes = 0;
  uint64_t positions_at = 0, positions_bytes = 0;
};

// Positions of one term, in step with its postings.
class PositionReader {
 public:
  explicit PositionReader(std::string_view bytes) : in_(bytes) {}
  // Of the next posting; false when none are kept.
  bool Next(std::vector<uint32_t>* positions);
  void Skip();

 private:
  ByteReader in_;
};

// 32 bits of which characters a word has: each edit changes at most two of them.
uint32_t SignatureOf(std::u32string_view word);

class Segment {
 public:
  // Maps the files. kInternal when they are damaged in a way that is seen at once (sizes, header).
  static std::shared_ptr<const Segment> Open(const std::filesystem::path& folder,
                                             const SegmentFiles& files);
  static std::shared_ptr<const Segment> FromBytes(std::array<std::string, kParts> parts);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  size_t size() const { return ids_.size(); }
  uint32_t IdAt(size_t i) const { return ids_[i]; }
  uint64_t StampAt(size_t i) const { return stamps_[i]; }
  bool DeletedAt(size_t i) const { return deleted_[i] != 0; }
  std::optional<size_t> IndexOf(uint32_t id) const;
  std::array<std::string, kFields> ReadTexts(size_t i) const;

  uint32_t term_count() const { return term_count_; }
  std::optional<TermEntry> Find(std::string_view term) const;
  TermEntry TermAt(uint32_t ordinal) const;
  // All terms in order, one after the other.
  class Terms;
  // Terms from the first that is not below `start`, in order, until `each` returns false.
  void ForEachFrom(std::string_view start, const std::function<bool(const TermEntry&)>& each) const;
  PostingReader PostingsOf(const TermEntry& term) const;
  PositionReader PositionsOf(const TermEntry& term) const;
  bool HasPositions(const TermEntry& term) const { return term.positions_bytes > 0; }

  // Words of one length (in characters) that a misspelt one may stand for.
  struct FuzzyGroup {
    PackedArray<uint32_t> signatures, ordinals;
  };
  const FuzzyGroup& FuzzyOf(size_t length) const { return fuzzy_[length - kMinFuzzyLength]; }

  uint64_t bytes() const;
  bool mapped() const { return mapped_; }
  std::string_view part(Part part) const { return parts_[static_cast<size_t>(part)]; }

 private:
  Segment() = default;
  struct BlockCursor;
  void ReadHeaders();
  std::string_view BlockBytes(size_t block) const;
  std::string_view FirstTermOf(size_t block) const;
  size_t BlockFor(std::string_view term) const;

  std::array<std::string, kParts> memory_;
  std::array<std::string_view, kParts> parts_;
  bool mapped_ = false;

  PackedArray<uint32_t> ids_, text_block_of_, text_at_, text_block_raw_;
  PackedArray<uint64_t> stamps_, text_block_at_, term_block_at_;
  PackedArray<uint8_t> deleted_;
  std::string_view term_bytes_;
  uint32_t term_count_ = 0;
  std::array<FuzzyGroup, kMaxFuzzyLength - kMinFuzzyLength + 1> fuzzy_;
};

// Precondition of `entry`: Next returned true last.
class Segment::Terms {
 public:
  explicit Terms(const Segment& segment);
  ~Terms();
  bool Next();
  const TermEntry& entry() const;

 private:
  const Segment& segment_;
  size_t block_ = 0;
  std::unique_ptr<BlockCursor> cursor_;
};

uint64_t ChecksumOf(std::string_view bytes);

}  // namespace hearth::search
