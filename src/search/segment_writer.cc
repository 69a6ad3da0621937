#include "search/internal/segment_writer.h"

#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "search/analyzer.h"
#include "text/utf8.h"

namespace hearth::search {
namespace {

constexpr size_t kSpillBytes = 1 << 20;
// Texts are unpacked by the block: larger ones pack better, smaller ones show a snippet sooner.
constexpr size_t kTextBlockBytes = 16 << 10;
constexpr size_t kMaxPositions = 48;  // of one term in one document
// Fields lie this far apart, so that no phrase reaches from one into the next.
constexpr uint32_t kFieldGap = 16;
constexpr float kExtraShare = 0.5f;  // of a part or a joined form, against the word itself

template <typename T>
void PutArray(const std::vector<T>& values, std::string* out) {
  out->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace

void PartSink::Spill() {
  if (!file_ || buffer_.size() < kSpillBytes) return;
  file_->Append(buffer_);
  spilled_ += buffer_.size();
  buffer_.clear();
}

void PartSink::CommitTo(const std::filesystem::path& target) {
  buffer_.append(kPadding, '\0');
  file_->Append(buffer_);
  spilled_ += buffer_.size();
  buffer_.clear();
  file_->CommitTo(target);
}

std::string PartSink::Take() {
  buffer_.append(kPadding, '\0');
  return std::move(buffer_);
}

void PutPositions(const std::vector<uint32_t>& rising, std::string* out) {
  PutVarint(rising.size(), out);
  uint32_t last = 0;
  for (uint32_t position : rising) {
    PutVarint(position - last, out);
    last = position;
  }
}

SegmentWriter::SegmentWriter() : fuzzy_(kMaxFuzzyLength - kMinFuzzyLength + 1) {}

SegmentWriter::SegmentWriter(const std::filesystem::path& folder)
    : folder_(folder),
      postings_(folder),
      positions_(folder),
      texts_(folder),
      fuzzy_(kMaxFuzzyLength - kMinFuzzyLength + 1) {}

// --- documents

void SegmentWriter::AddDocument(const Document& document, bool deleted) {
  ids_.push_back(document.id);
  stamps_.push_back(document.stamp);
  deleted_.push_back(deleted);
  text_block_of_.push_back(static_cast<uint32_t>(text_block_raw_.size()));
  text_at_.push_back(static_cast<uint32_t>(raw_texts_.size()));
  for (size_t f = 0; f < kFields; ++f) {
    std::string_view text = deleted
                                ? std::string_view()
                                : TruncateUtf8Bytes(document.fields[f], kFieldRules[f].max_bytes);
    PutVarint(text.size(), &raw_texts_);
    raw_texts_ += text;
  }
  if (raw_texts_.size() >= kTextBlockBytes) FlushTexts();
}

void SegmentWriter::FlushTexts() {
  if (raw_texts_.empty()) return;
  std::string& out = texts_.buffer();
  text_block_at_.push_back(texts_.size());
  text_block_raw_.push_back(static_cast<uint32_t>(raw_texts_.size()));
  size_t before = out.size();
  out.resize(before + ZSTD_compressBound(raw_texts_.size()));
  size_t packed = ZSTD_compress(out.data() + before, out.size() - before, raw_texts_.data(),
                                raw_texts_.size(), folder_.empty() ? 1 : 3);
  if (ZSTD_isError(packed)) throw Error(Code::kInternal, "texts could not be compressed");
  out.resize(before + packed);
  raw_texts_.clear();
  texts_.Spill();
}

// --- terms

void SegmentWriter::BeginTerm(std::string_view term) {
  if (block_.empty()) {
    block_postings_at_ = postings_.size();
    block_positions_at_ = positions_.size();
  }
  term_ = term;
  posting_start_ = postings_.size();
  position_start_ = positions_.size();
  posting_count_ = 0;
  writer_.emplace(&postings_.buffer());
}

void SegmentWriter::AddPosting(uint32_t id, uint8_t impact, std::string_view positions) {
  writer_->Add(id, impact);
  ++posting_count_;
  positions_.buffer() += positions;
}

void SegmentWriter::EndTerm(bool may_be_meant) {
  writer_->Finish();
  if (posting_count_ == 0) return;
  block_.push_back({term_, posting_count_, postings_.size() - posting_start_,
                    positions_.size() - position_start_, may_be_meant});
  if (may_be_meant) NoteFuzzy(term_, term_count_);
  ++term_count_;
  if (block_.size() == kTermsPerBlock) FlushTermBlock();
  postings_.Spill();
  positions_.Spill();
}

void SegmentWriter::NoteFuzzy(std::string_view term, uint32_t ordinal) {
  std::u32string word;
  size_t letters = 0;
  while (!term.empty()) {
    CodePoint point = DecodeUtf8(term);
    word.push_back(point.value);
    letters += point.value > '9';
    term.remove_prefix(point.length);
  }
  // What is mostly digits is a number or a hash: every other one is near it.
  if (word.size() < kMinFuzzyLength || word.size() > kMaxFuzzyLength || letters * 2 < word.size())
    return;
  FuzzyGroup& group = fuzzy_[word.size() - kMinFuzzyLength];
  PutRaw(SignatureOf(word), &group.signatures);
  PutRaw(ordinal, &group.ordinals);
  ++group.count;
}

void SegmentWriter::FlushTermBlock() {
  if (block_.empty()) return;
  term_block_at_.push_back(term_bytes_.size());
  PutVarint(block_postings_at_, &term_bytes_);
  PutVarint(block_positions_at_, &term_bytes_);
  std::string_view last;
  for (const PendingTerm& entry : block_) {
    size_t shared = 0;
    while (shared < last.size() && shared < entry.term.size() && last[shared] == entry.term[shared])
      ++shared;
    PutVarint(shared, &term_bytes_);
    PutVarint(entry.term.size() - shared, &term_bytes_);
    term_bytes_.append(entry.term, shared, std::string::npos);
    PutVarint(entry.count * 2 + (entry.may_be_meant ? 1 : 0), &term_bytes_);
    PutVarint(entry.posting_bytes, &term_bytes_);
    PutVarint(entry.position_bytes, &term_bytes_);
    last = entry.term;
  }
  block_.clear();
}

// --- the end

std::string SegmentWriter::DocsPart() {
  FlushTexts();
  std::string out;
  PutRaw(kSegmentMagic, &out);
  PutRaw(kSegmentVersion, &out);
  PutRaw(static_cast<uint32_t>(ids_.size()), &out);
  PutRaw(static_cast<uint32_t>(text_block_at_.size()), &out);
  PutRaw(term_count_, &out);
  PutRaw(static_cast<uint32_t>(term_block_at_.size()), &out);
  PutArray(ids_, &out);
  PutArray(stamps_, &out);
  PutArray(deleted_, &out);
  PutArray(text_block_of_, &out);
  PutArray(text_at_, &out);
  PutArray(text_block_at_, &out);
  PutArray(text_block_raw_, &out);
  return out;
}

std::string SegmentWriter::TermsPart() {
  FlushTermBlock();
  std::string out;
  PutRaw(static_cast<uint64_t>(term_bytes_.size()), &out);
  out += term_bytes_;
  PutArray(term_block_at_, &out);
  for (const FuzzyGroup& group : fuzzy_) {
    PutRaw(group.count, &out);
    out += group.signatures;
    out += group.ordinals;
  }
  return out;
}

std::shared_ptr<const Segment> SegmentWriter::FinishInMemory() {
  std::string terms = TermsPart(), docs = DocsPart();
  terms.append(kPadding, '\0');
  docs.append(kPadding, '\0');
  return Segment::FromBytes(
      {std::move(docs), std::move(terms), postings_.Take(), positions_.Take(), texts_.Take()});
}

SegmentFiles SegmentWriter::FinishFiles(uint64_t number) {
  PartSink terms(folder_), docs(folder_);
  terms.buffer() = TermsPart();
  docs.buffer() = DocsPart();
  PartSink* sinks[kParts] = {&docs, &terms, &postings_, &positions_, &texts_};
  SegmentFiles files;
  files.number = number;
  for (size_t i = 0; i < kParts; ++i)
    sinks[i]->CommitTo(SegmentPath(folder_, number, static_cast<Part>(i)));
  for (size_t i = 0; i < kParts; ++i) files.bytes[i] = sinks[i]->size();
  std::shared_ptr<const Segment> written = Segment::Open(folder_, files);
  for (size_t i = 0; i < kParts; ++i)
    files.checksums[i] = ChecksumOf(written->part(static_cast<Part>(i)));
  return files;
}

// --- from documents

namespace {

struct Occurrence {
  uint32_t term;
  uint32_t position;
  float share;  // of BM25's weighted frequency
  bool counts;  // outside of code: the word is one that people may mean
  bool placed;  // has a position
};

// All terms of a batch by number, and the postings in the order of documents.
class Batch {
 public:
  void Add(const Document& document) {
    document_ = document.id;
    found_.clear();
    uint32_t base = 0;
    for (size_t f = 0; f < kFields; ++f) base = AddField(document, static_cast<Field>(f), base);
    std::sort(found_.begin(), found_.end(), [](const Occurrence& a, const Occurrence& b) {
      return a.term != b.term ? a.term < b.term : a.position < b.position;
    });
    for (size_t i = 0; i < found_.size();) i = AddPosting(i);
  }

  void WriteTo(SegmentWriter* writer) {
    std::vector<uint32_t> order(terms_.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [this](uint32_t a, uint32_t b) { return terms_[a].text < terms_[b].text; });
    // Postings by term, those of a term in the order in which they came: rising ids.
    std::vector<size_t> start(terms_.size() + 1);
    for (const Posting& posting : postings_) ++start[posting.term + 1];
    for (size_t i = 0; i + 1 < start.size(); ++i) start[i + 1] += start[i];
    std::vector<uint32_t> by_term(postings_.size());
    std::vector<size_t> next(start.begin(), start.end() - 1);
    for (uint32_t i = 0; i < postings_.size(); ++i) by_term[next[postings_[i].term]++] = i;
    for (uint32_t term : order) {
      writer->BeginTerm(terms_[term].text);
      bool placed = false;
      for (size_t i = start[term]; i < start[term + 1]; ++i)
        placed |= postings_[by_term[i]].positions_bytes > 1;
      for (size_t i = start[term]; i < start[term + 1]; ++i) {
        const Posting& posting = postings_[by_term[i]];
        std::string_view positions =
            std::string_view(positions_).substr(posting.positions_at, posting.positions_bytes);
        writer->AddPosting(posting.id, posting.impact, placed ? positions : std::string_view());
      }
      writer->EndTerm(terms_[term].may_be_meant);
    }
  }

 private:
  struct Term {
    std::string_view text;
    bool may_be_meant = false;
  };
  struct Posting {
    uint32_t term, id;
    uint64_t positions_at;
    uint32_t positions_bytes;
    uint8_t impact;
  };

  uint32_t TermNumber(std::string_view text) {
    auto known = numbers_.find(text);
    if (known != numbers_.end()) return known->second;
    std::string_view kept = Keep(text);
    auto number = static_cast<uint32_t>(terms_.size());
    terms_.push_back({kept, false});
    numbers_.emplace(kept, number);
    return number;
  }
  std::string_view Keep(std::string_view text) {
    constexpr size_t kArena = 64 << 10;
    if (arenas_.empty() || arenas_.back().size() + text.size() > kArena) {
      arenas_.emplace_back();
      arenas_.back().reserve(kArena);
    }
    std::string& arena = arenas_.back();
    arena += text;
    return std::string_view(arena).substr(arena.size() - text.size());
  }

  uint32_t AddField(const Document& document, Field field, uint32_t base) {
    const FieldRule& rule = RuleOf(field);
    std::string_view text = TruncateUtf8Bytes(document[field], rule.max_bytes);
    if (text.empty()) return base;
    bool named = field == Field::kName || field == Field::kFiles;
    list_.Analyze(text, named                   ? AnalyzeMode::kName
                        : field == Field::kCode ? AnalyzeMode::kCode
                                                : AnalyzeMode::kText);
    const std::vector<Token>& tokens = list_.tokens();
    if (tokens.empty()) return base;
    float words = static_cast<float>(tokens.back().position + 1);
    float norm = 1 - rule.length_share + rule.length_share * words / rule.typical_words;
    float share = rule.weight / norm;
    bool placed = field <= Field::kBody;
    for (const Token& token : tokens) {
      found_.push_back({TermNumber(token.term), base + token.position,
                        token.extra ? share * kExtraShare : share, field != Field::kCode, placed});
    }
    return placed ? base + tokens.back().position + kFieldGap : base;
  }

  size_t AddPosting(size_t i) {
    uint32_t term = found_[i].term;
    float weight = 0;
    bool counts = false;
    where_.clear();
    for (; i < found_.size() && found_[i].term == term; ++i) {
      weight += found_[i].share;
      counts |= found_[i].counts;
      uint32_t position = found_[i].position;
      if (found_[i].placed && where_.size() < kMaxPositions &&
          (where_.empty() || where_.back() != position))
        where_.push_back(position);
    }
    auto impact =
        static_cast<uint8_t>(std::clamp(255 * weight / (weight + kSaturation), 1.0f, 255.0f));
    uint64_t at = positions_.size();
    PutPositions(where_, &positions_);
    postings_.push_back(
        {term, document_, at, static_cast<uint32_t>(positions_.size() - at), impact});
    terms_[term].may_be_meant |= counts;
    return i;
  }

  TokenList list_;
  std::vector<Occurrence> found_;
  std::vector<uint32_t> where_;
  uint32_t document_ = 0;
  std::vector<std::string> arenas_;
  std::vector<Term> terms_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::vector<Posting> postings_;
  std::string positions_;
};

}  // namespace

void WriteDocuments(const std::vector<BuildInput>& documents, SegmentWriter* writer) {
  Batch batch;
  for (const BuildInput& input : documents) {
    writer->AddDocument(*input.document, input.deleted);
    if (!input.deleted) batch.Add(*input.document);
  }
  batch.WriteTo(writer);
}

}  // namespace hearth::search
