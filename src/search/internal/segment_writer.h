// Writes one segment (format: segment.h): documents and terms in rising order, to files or to
// memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "search/document.h"
#include "search/internal/postings.h"
#include "search/segment.h"

namespace hearth::search {

// A part being written: memory, or a file that takes what has been gathered.
class PartSink {
 public:
  PartSink() = default;
  explicit PartSink(const std::filesystem::path& folder) : file_(TempFile(folder)) {}
  std::string& buffer() { return buffer_; }  // append here, then call Spill now and then
  uint64_t size() const { return spilled_ + buffer_.size(); }
  void Spill();
  // To files: adds the padding and puts the file in place. To memory: the bytes, padded.
  void CommitTo(const std::filesystem::path& target);
  std::string Take();

 private:
  std::string buffer_;
  uint64_t spilled_ = 0;
  std::optional<TempFile> file_;
};

class SegmentWriter {
 public:
  SegmentWriter();  // to memory
  // To files of this folder, which must exist.
  explicit SegmentWriter(const std::filesystem::path& folder);

  // Ids rise; `deleted`: the segment only says that older versions of it are gone.
  void AddDocument(const Document& document, bool deleted);

  // Terms rise bytewise; the ids of each term, too.
  void BeginTerm(std::string_view term);
  // `positions`: the form of PutPositions; "" = none.
  void AddPosting(uint32_t id, uint8_t impact, std::string_view positions);
  void EndTerm(bool may_be_meant);  // whether misspelt words may stand for it

  std::shared_ptr<const Segment> FinishInMemory();
  // Durable when it returns, but nameless until a manifest lists it.
  SegmentFiles FinishFiles(uint64_t number);

 private:
  void FlushTexts();
  void FlushTermBlock();
  void NoteFuzzy(std::string_view term, uint32_t ordinal);
  std::string DocsPart();
  std::string TermsPart();

  std::filesystem::path folder_;
  PartSink postings_, positions_, texts_;

  std::vector<uint32_t> ids_, text_block_of_, text_at_;
  std::vector<uint64_t> stamps_;
  std::vector<uint8_t> deleted_;
  std::vector<uint64_t> text_block_at_;
  std::vector<uint32_t> text_block_raw_;
  std::string raw_texts_;

  struct PendingTerm {
    std::string term;
    uint64_t count, posting_bytes, position_bytes;
    bool may_be_meant;
  };
  std::vector<PendingTerm> block_;
  uint64_t block_postings_at_ = 0, block_positions_at_ = 0;
  std::string term_bytes_;
  std::vector<uint64_t> term_block_at_;
  uint32_t term_count_ = 0;
  struct FuzzyGroup {
    std::string signatures, ordinals;
    uint32_t count = 0;
  };
  std::vector<FuzzyGroup> fuzzy_;

  std::string term_;
  std::optional<PostingWriter> writer_;
  uint64_t posting_start_ = 0, position_start_ = 0;
  uint64_t posting_count_ = 0;
};

// Appends the positions of one term in one document.
void PutPositions(const std::vector<uint32_t>& rising, std::string* out);

// Analyses the documents (rising by id, at most one of each) into the writer.
struct BuildInput {
  const Document* document;
  bool deleted;
};
void WriteDocuments(const std::vector<BuildInput>& documents, SegmentWriter* writer);

}  // namespace hearth::search
