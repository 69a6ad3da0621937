#include "search/segment.h"

#include <sys/mman.h>
#include <zstd.h>

#include <algorithm>
#include <bit>

namespace hearth::search {
namespace {

// A document's texts are at most 230 kB; a block is that and the one before.
constexpr uint32_t kMaxRawBlock = 1 << 20;
constexpr const char* kPartNames[kParts] = {"docs", "terms", "postings", "positions", "texts"};

uint64_t Mix(uint64_t hash, uint64_t word) {
  hash ^= word;
  hash *= 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

}  // namespace

std::filesystem::path SegmentPath(const std::filesystem::path& folder, uint64_t number, Part part) {
  return folder / (std::to_string(number) + "." + kPartNames[static_cast<size_t>(part)]);
}

// Four lanes, as a single chain would wait for each multiplication.
uint64_t ChecksumOf(std::string_view bytes) {
  uint64_t lanes[4] = {1, 2, 3, 4};
  size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    for (size_t i = 0; i < 4; ++i) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at + 8 * i, sizeof word);
      lanes[i] = Mix(lanes[i], word);
    }
  }
  uint64_t hash = bytes.size();
  for (uint64_t lane : lanes) hash = Mix(hash, lane);
  for (; at < bytes.size(); ++at) hash = Mix(hash, static_cast<unsigned char>(bytes[at]));
  return hash;
}

uint32_t SignatureOf(std::u32string_view word) {
  uint32_t bits = 0;
  for (char32_t c : word) bits |= uint32_t{1} << (c < 0x80 ? c & 31 : (c * 0x9E3779B1u) >> 27);
  return bits;
}

bool PositionReader::Next(std::vector<uint32_t>* positions) {
  positions->clear();
  if (in_.left() == 0) return false;
  uint64_t count = in_.Varint();
  if (count > in_.left()) ThrowDamaged("too many positions");
  uint32_t last = 0;
  for (uint64_t i = 0; i < count; ++i)
    positions->push_back(last += static_cast<uint32_t>(in_.Varint()));
  return true;
}

void PositionReader::Skip() {
  if (in_.left() == 0) return;
  for (uint64_t count = in_.Varint(); count > 0; --count) in_.Varint();
}

// --- opening

std::shared_ptr<const Segment> Segment::Open(const std::filesystem::path& folder,
                                             const SegmentFiles& files) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->mapped_ = true;
  for (size_t i = 0; i < kParts; ++i) {
    UniqueFd fd = OpenForRead(SegmentPath(folder, files.number, static_cast<Part>(i)));
    uint64_t size = FileSize(fd.get());
    if (size != files.bytes[i] || size < kPadding) ThrowDamaged("a file has another size");
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (mapped == MAP_FAILED) throw Error(Code::kInternal, "the search index cannot be mapped");
    segment->parts_[i] = {static_cast<const char*>(mapped), static_cast<size_t>(size)};
  }
  segment->ReadHeaders();
  return segment;
}

std::shared_ptr<const Segment> Segment::FromBytes(std::array<std::string, kParts> parts) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->memory_ = std::move(parts);
  for (size_t i = 0; i < kParts; ++i) {
    if (segment->memory_[i].size() < kPadding) ThrowDamaged("a part is cut off");
    segment->parts_[i] = segment->memory_[i];
  }
  segment->ReadHeaders();
  return segment;
}

Segment::~Segment() {
  if (!mapped_) return;
  for (std::string_view part : parts_) {
    if (part.data() != nullptr) ::munmap(const_cast<char*>(part.data()), part.size());
  }
}

uint64_t Segment::bytes() const {
  uint64_t bytes = 0;
  for (std::string_view part : parts_) bytes += part.size();
  return bytes;
}

void Segment::ReadHeaders() {
  auto content = [this](Part which) {
    std::string_view bytes = part(which);
    return bytes.substr(0, bytes.size() - kPadding);
  };
  ByteReader docs(content(Part::kDocs));
  if (docs.Raw<uint64_t>() != kSegmentMagic) ThrowDamaged("a header is none");
  if (docs.Raw<uint32_t>() != kSegmentVersion) ThrowDamaged("another version");
  auto documents = docs.Raw<uint32_t>();
  auto text_blocks = docs.Raw<uint32_t>();
  term_count_ = docs.Raw<uint32_t>();
  auto term_blocks = docs.Raw<uint32_t>();
  if (term_blocks != (uint64_t{term_count_} + kTermsPerBlock - 1) / kTermsPerBlock)
    ThrowDamaged("the number of terms");
  auto array = [](ByteReader* in, auto* values, uint64_t count) {
    using Values = std::remove_pointer_t<decltype(values)>;
    using T = decltype((*values)[0]);
    *values = Values(in->Bytes(count * sizeof(T)), static_cast<size_t>(count));
  };
  array(&docs, &ids_, documents);
  array(&docs, &stamps_, documents);
  array(&docs, &deleted_, documents);
  array(&docs, &text_block_of_, documents);
  array(&docs, &text_at_, documents);
  array(&docs, &text_block_at_, text_blocks);
  array(&docs, &text_block_raw_, text_blocks);
  ByteReader terms(content(Part::kTerms));
  term_bytes_ = terms.Bytes(terms.Raw<uint64_t>());
  array(&terms, &term_block_at_, term_blocks);
  for (FuzzyGroup& group : fuzzy_) {
    auto count = terms.Raw<uint32_t>();
    array(&terms, &group.signatures, count);
    array(&terms, &group.ordinals, count);
  }
}

// --- documents

std::optional<size_t> Segment::IndexOf(uint32_t id) const {
  size_t low = 0, high = ids_.size();
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (ids_[middle] < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < ids_.size() && ids_[low] == id ? std::optional(low) : std::nullopt;
}

std::array<std::string, kFields> Segment::ReadTexts(size_t i) const {
  std::array<std::string, kFields> fields;
  uint32_t block = text_block_of_[i], at = text_at_[i];
  if (block >= text_block_at_.size()) ThrowDamaged("a text is nowhere");
  std::string_view texts = part(Part::kTexts);
  uint64_t begin = text_block_at_[block];
  uint64_t end =
      block + 1 < text_block_at_.size() ? text_block_at_[block + 1] : texts.size() - kPadding;
  uint32_t raw_bytes = text_block_raw_[block];
  if (begin > end || end > texts.size() - kPadding || raw_bytes > kMaxRawBlock || at > raw_bytes)
    ThrowDamaged("a text is nowhere");
  std::string raw(raw_bytes, '\0');
  size_t got = ZSTD_decompress(raw.data(), raw.size(), texts.data() + begin, end - begin);
  if (ZSTD_isError(got) || got != raw.size()) ThrowDamaged("a text cannot be unpacked");
  ByteReader in(std::string_view(raw).substr(at));
  for (std::string& field : fields) field = in.Bytes(in.Varint());
  return fields;
}

// --- terms

// Walks the terms of one block.
struct Segment::BlockCursor {
  BlockCursor(const Segment& segment, size_t block)
      : in_(segment.BlockBytes(block)),
        left_(std::min<size_t>(kTermsPerBlock, segment.term_count_ - block * kTermsPerBlock)) {
    entry.ordinal = static_cast<uint32_t>(block * kTermsPerBlock);
    next_postings_ = in_.Varint();
    next_positions_ = in_.Varint();
  }

  bool Next() {
    if (left_-- == 0) return false;
    if (!first_) ++entry.ordinal;
    first_ = false;
    uint64_t shared = in_.Varint();
    if (shared > entry.term.size()) ThrowDamaged("a term");
    entry.term.resize(static_cast<size_t>(shared));
    uint64_t rest = in_.Varint();
    if (rest > 256) ThrowDamaged("a term");
    entry.term += in_.Bytes(rest);
    uint64_t count = in_.Varint();
    entry.documents = count / 2;
    entry.may_be_meant = count % 2 != 0;
    entry.postings_at = next_postings_;
    entry.positions_at = next_positions_;
    entry.postings_bytes = in_.Varint();
    entry.positions_bytes = in_.Varint();
    next_postings_ += entry.postings_bytes;
    next_positions_ += entry.positions_bytes;
    return true;
  }

  TermEntry entry;

 private:
  ByteReader in_;
  size_t left_;
  bool first_ = true;
  uint64_t next_postings_ = 0, next_positions_ = 0;
};

std::string_view Segment::BlockBytes(size_t block) const {
  uint64_t at = term_block_at_[block];
  if (at > term_bytes_.size()) ThrowDamaged("a block of terms is nowhere");
  return term_bytes_.substr(static_cast<size_t>(at));
}

std::string_view Segment::FirstTermOf(size_t block) const {
  ByteReader in(BlockBytes(block));
  for (int i = 0; i < 3; ++i) in.Varint();  // places, nothing shared
  uint64_t bytes = in.Varint();
  return in.Bytes(bytes);
}

size_t Segment::BlockFor(std::string_view term) const {
  size_t low = 0, high = term_block_at_.size();
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (FirstTermOf(middle) <= term) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<TermEntry> Segment::Find(std::string_view term) const {
  if (term_count_ == 0) return std::nullopt;
  BlockCursor cursor(*this, BlockFor(term));
  while (cursor.Next()) {
    if (cursor.entry.term == term) return std::move(cursor.entry);
    if (cursor.entry.term > term) break;
  }
  return std::nullopt;
}

TermEntry Segment::TermAt(uint32_t ordinal) const {
  if (ordinal >= term_count_) ThrowDamaged("a term is nowhere");
  BlockCursor cursor(*this, ordinal / kTermsPerBlock);
  while (cursor.Next() && cursor.entry.ordinal != ordinal) {
  }
  return std::move(cursor.entry);
}

void Segment::ForEachFrom(std::string_view start,
                          const std::function<bool(const TermEntry&)>& each) const {
  if (term_count_ == 0) return;
  for (size_t block = BlockFor(start); block < term_block_at_.size(); ++block) {
    BlockCursor cursor(*this, block);
    while (cursor.Next()) {
      if (cursor.entry.term < start) continue;
      if (!each(cursor.entry)) return;
    }
  }
}

Segment::Terms::Terms(const Segment& segment) : segment_(segment) {}
Segment::Terms::~Terms() = default;
const TermEntry& Segment::Terms::entry() const { return cursor_->entry; }

bool Segment::Terms::Next() {
  while (!cursor_ || !cursor_->Next()) {
    if (block_ == segment_.term_block_at_.size()) return false;
    cursor_ = std::make_unique<BlockCursor>(segment_, block_++);
  }
  return true;
}

PostingReader Segment::PostingsOf(const TermEntry& term) const {
  std::string_view bytes = part(Part::kPostings);
  uint64_t size = bytes.size() - kPadding;
  if (term.postings_at > size || term.postings_bytes > size - term.postings_at)
    ThrowDamaged("postings are nowhere");
  return PostingReader(bytes.substr(term.postings_at, term.postings_bytes), term.documents);
}

PositionReader Segment::PositionsOf(const TermEntry& term) const {
  std::string_view bytes = part(Part::kPositions);
  uint64_t size = bytes.size() - kPadding;
  if (term.positions_at > size || term.positions_bytes > size - term.positions_at)
    ThrowDamaged("positions are nowhere");
  return PositionReader(bytes.substr(term.positions_at, term.positions_bytes));
}

}  // namespace hearth::search
