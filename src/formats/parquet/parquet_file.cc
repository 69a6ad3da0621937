#include "formats/parquet/parquet_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "formats/parquet/internal/parquet_codec.h"
#include "formats/parquet/internal/parquet_schema.h"
#include "formats/parquet/internal/parquet_values.h"
#include "formats/parquet/internal/thrift_compact.h"
#include "text/utf8.h"

namespace hearth {
namespace {

using parquet::Leaf;
using parquet::PageValues;
using parquet::ThriftValue;

constexpr size_t kMaxPageHeaderBytes = 1 << 20;  // statistics of long texts stand in it
constexpr size_t kMaxPages = 10'000;             // read for the head of one column
constexpr uint64_t kMaxRowValues = 1'000'000;    // of the lists of the rows that are read

// Fields of the structs of parquet.thrift.
enum FileField { kSchema = 2, kNumRows, kRowGroups, kKeyValues, kCreatedBy };
enum ChunkField { kFilePath = 1, kMetaData = 3 };
enum MetaField { kCodec = 4, kNumValues, kCompressedSize = 7, kDataPage = 9, kDictionaryPage = 11 };
enum PageField {
  kPageType = 1,
  kPageSize,
  kPageStored,
  kDataHeader = 5,
  kDictionaryHeader = 7,
  kDataHeader2
};
enum PageType { kData, kIndex, kDictionary, kData2 };
enum Encoding {
  kPlain = 0,
  kPlainDictionary = 2,
  kRle = 3,
  kDeltaBinary = 5,
  kDeltaLength,
  kDeltaPrefix,
  kRleDictionary,
  kByteStreamSplit
};

int BitsFor(int level) {
  int bits = 0;
  while (level >> bits != 0) ++bits;
  return bits;
}

uint64_t Checked(int64_t value, const char* what) {
  if (value < 0) throw Error(Code::kInvalidArgument, std::string(what) + " below zero");
  return static_cast<uint64_t>(value);
}

// A value or a list of such, while rows are put together from levels.
struct Cell {
  bool is_list = false;
  Json value;
  std::vector<Cell> items;
};

Json ToJson(Cell&& cell) {
  if (!cell.is_list) return std::move(cell.value);
  Json list = Json::Arr();
  for (Cell& item : cell.items) list.Push(ToJson(std::move(item)));
  return list;
}

// Puts the values of one leaf back into rows (the record assembly of Dremel, for one column).
class RowBuilder {
 public:
  RowBuilder(const Leaf& leaf, size_t rows) : leaf_(leaf), wanted_(rows) {}

  // False when all rows that were wanted are complete, which shows at the start of the next.
  bool Add(uint32_t repetition, uint32_t definition, Json value) {
    if (static_cast<int>(repetition) > leaf_.max_repetition ||
        static_cast<int>(definition) > leaf_.max_definition)
      throw Error(Code::kInvalidArgument, "a level above the highest");
    if (repetition == 0) {
      if (rows_.size() == wanted_) return false;
      rows_.emplace_back();
    } else if (rows_.empty()) {
      throw Error(Code::kInvalidArgument, "a list that goes on before it began");
    }
    if (++values_ > kMaxRowValues)
      throw Error(Code::kTooLarge, "lists of more than a million values in the first rows");
    Cell* at = &rows_.back();
    for (uint32_t level = 1; level < repetition; ++level) at = Last(at);
    int lists = leaf_.max_repetition;
    for (int level = std::max<int>(1, static_cast<int>(repetition)); level <= lists; ++level) {
      bool goes_on = level == static_cast<int>(repetition);
      int there = leaf_.list_definitions[static_cast<size_t>(level - 1)];
      if (static_cast<int>(definition) < there) {
        if (goes_on) throw Error(Code::kInvalidArgument, "an element of a list that is not there");
        at->is_list = static_cast<int>(definition) == there - 1;  // empty, else null
        return true;
      }
      if (goes_on && !at->is_list)
        throw Error(Code::kInvalidArgument, "a list that goes on before it began");
      at->is_list = true;
      at->items.emplace_back();
      at = &at->items.back();
    }
    if (static_cast<int>(definition) == leaf_.max_definition) at->value = std::move(value);
    return true;
  }

  std::vector<Json> Take() {
    std::vector<Json> rows;
    for (Cell& row : rows_) rows.push_back(ToJson(std::move(row)));
    return rows;
  }
  size_t size() const { return rows_.size(); }

 private:
  static Cell* Last(Cell* cell) {
    if (!cell->is_list || cell->items.empty())
      throw Error(Code::kInvalidArgument, "a list that goes on before it began");
    return &cell->items.back();
  }

  const Leaf& leaf_;
  size_t wanted_;
  std::vector<Cell> rows_;
  uint64_t values_ = 0;
};

// Reads the pages of one column chunk into rows.
class ChunkReader {
 public:
  ChunkReader(ByteSource& source, const Leaf& leaf, const ThriftValue& chunk)
      : source_(source), leaf_(leaf), meta_(chunk[kMetaData]) {
    if (!meta_.is_set())
      throw Error(Code::kUnimplemented, "its description is encrypted or lies elsewhere");
    if (!chunk[kFilePath].Text().empty())
      throw Error(Code::kUnimplemented, "its pages lie in another file");
    uint64_t data = Checked(meta_[kDataPage].Int(), "an offset");
    uint64_t dictionary = Checked(meta_[kDictionaryPage].Int(), "an offset");
    at_ = dictionary > 0 ? std::min(dictionary, data) : data;
    uint64_t stored = Checked(meta_[kCompressedSize].Int(), "a size");
    if (at_ > source.size_bytes() || stored > source.size_bytes() - at_)
      throw Error(Code::kInvalidArgument, "its pages lie beyond the end of the file");
    end_ = at_ + stored;
    left_ = Checked(meta_[kNumValues].Int(), "a count");
  }

  // False as soon as the rows are complete.
  bool Read(RowBuilder* rows) {
    for (size_t page = 0; left_ > 0 && at_ < end_; ++page) {
      if (page == kMaxPages)
        throw Error(Code::kTooLarge, "more than 10,000 pages before its first rows");
      if (!Page(rows)) return false;
    }
    return true;
  }

 private:
  bool Page(RowBuilder* rows) {
    std::string head =
        source_.Read(at_, static_cast<size_t>(std::min<uint64_t>(kMaxPageHeaderBytes, end_ - at_)));
    size_t used = 0;
    ThriftValue page = parquet::ParseThrift(head, &used);
    uint64_t size = Checked(page[kPageSize].Int(), "a size"),
             stored = Checked(page[kPageStored].Int(), "a size");
    if (size > kMaxParquetPageBytes || stored > kMaxParquetPageBytes)
      throw Error(Code::kTooLarge, "a page of more than 64 MiB");
    at_ += used;
    if (stored > end_ - at_)
      throw Error(Code::kInvalidArgument, "a page beyond the end of its column");
    std::string bytes = used + stored <= head.size()
                            ? head.substr(used, stored)
                            : source_.Read(at_, static_cast<size_t>(stored));
    at_ += stored;
    switch (page[kPageType].Int(-1)) {
      case kDictionary: {
        std::string plain = parquet::Decompress(meta_[kCodec].Int(), bytes, size);
        size_t count = Count(page[kDictionaryHeader][1].Int());
        dictionary_ = parquet::ReadPlain(plain, leaf_.physical, leaf_.fixed_bytes, count);
        return true;
      }
      case kData:
        return DataPage(page[kDataHeader], parquet::Decompress(meta_[kCodec].Int(), bytes, size),
                        rows);
      case kData2:
        return DataPage2(page[kDataHeader2], bytes, size, rows);
      default:
        return true;  // an index
    }
  }

  static size_t Count(int64_t value) {
    uint64_t count = Checked(value, "a count");
    if (count > kMaxParquetPageBytes) throw Error(Code::kTooLarge, "a page of too many values");
    return static_cast<size_t>(count);
  }

  bool DataPage(const ThriftValue& header, std::string_view bytes, RowBuilder* rows) {
    size_t count = Count(header[1].Int());
    auto levels = [&](int highest, int64_t encoding) {
      std::vector<uint32_t> read(highest == 0 ? 0 : count, 0);
      if (highest == 0) return read;
      if (encoding != kRle) throw Error(Code::kUnimplemented, "levels in the old bit-packed form");
      if (bytes.size() < 4) throw Error(Code::kInvalidArgument, "a page ends in its levels");
      uint32_t length;
      std::memcpy(&length, bytes.data(), 4);
      if (length > bytes.size() - 4)
        throw Error(Code::kInvalidArgument, "a page ends in its levels");
      read = parquet::ReadHybrid(bytes.substr(4, length), BitsFor(highest), count);
      bytes.remove_prefix(4 + length);
      return read;
    };
    std::vector<uint32_t> repetitions = levels(leaf_.max_repetition, header[4].Int(kRle));
    std::vector<uint32_t> definitions = levels(leaf_.max_definition, header[3].Int(kRle));
    return Values(count, repetitions, definitions, header[2].Int(), bytes, rows);
  }

  bool DataPage2(const ThriftValue& header, std::string_view bytes, uint64_t size,
                 RowBuilder* rows) {
    size_t count = Count(header[1].Int());
    uint64_t definition_bytes = Checked(header[5].Int(), "a size"),
             repetition_bytes = Checked(header[6].Int(), "a size");
    if (definition_bytes > bytes.size() || repetition_bytes > bytes.size() - definition_bytes ||
        definition_bytes + repetition_bytes > size)
      throw Error(Code::kInvalidArgument, "a page ends in its levels");
    std::vector<uint32_t> repetitions, definitions;
    if (leaf_.max_repetition > 0)
      repetitions = parquet::ReadHybrid(bytes.substr(0, repetition_bytes),
                                        BitsFor(leaf_.max_repetition), count);
    bytes.remove_prefix(repetition_bytes);
    if (leaf_.max_definition > 0)
      definitions = parquet::ReadHybrid(bytes.substr(0, definition_bytes),
                                        BitsFor(leaf_.max_definition), count);
    bytes.remove_prefix(definition_bytes);
    std::string plain;
    if (header[7].Bool(true)) {
      plain = parquet::Decompress(meta_[kCodec].Int(), bytes,
                                  static_cast<size_t>(size - definition_bytes - repetition_bytes));
      bytes = plain;
    }
    return Values(count, repetitions, definitions, header[4].Int(), bytes, rows);
  }

  bool Values(size_t count, const std::vector<uint32_t>& repetitions,
              const std::vector<uint32_t>& definitions, int64_t encoding, std::string_view bytes,
              RowBuilder* rows) {
    size_t present = count;
    if (leaf_.max_definition > 0)
      present = static_cast<size_t>(std::count(definitions.begin(), definitions.end(),
                                               static_cast<uint32_t>(leaf_.max_definition)));
    std::vector<uint32_t> indices;
    PageValues values;
    bool by_dictionary = encoding == kRleDictionary || encoding == kPlainDictionary;
    if (by_dictionary && present > 0) {
      if (bytes.empty()) throw Error(Code::kInvalidArgument, "a page ends before its values do");
      indices = parquet::ReadHybrid(bytes.substr(1), static_cast<uint8_t>(bytes[0]), present);
    } else if (present > 0) {
      values = Decode(encoding, bytes, present);
      if (values.size() < present)
        throw Error(Code::kInvalidArgument, "a page ends before its values do");
    }
    size_t next = 0;
    for (size_t i = 0; i < count; ++i) {
      uint32_t repetition = repetitions.empty() ? 0 : repetitions[i];
      uint32_t definition = definitions.empty() ? 0 : definitions[i];
      Json value;
      if (static_cast<int>(definition) == leaf_.max_definition) {
        if (by_dictionary && indices[next] >= dictionary_.size())
          throw Error(Code::kInvalidArgument, "a value that its dictionary does not have");
        value = by_dictionary ? parquet::ValueOf(leaf_, dictionary_, indices[next])
                              : parquet::ValueOf(leaf_, values, next);
        ++next;
      }
      if (!rows->Add(repetition, definition, std::move(value))) return false;
    }
    left_ -= std::min<uint64_t>(left_, count);
    return true;
  }

  PageValues Decode(int64_t encoding, std::string_view bytes, size_t count) const {
    bool text = parquet::IsText(leaf_.physical);
    PageValues values;
    switch (encoding) {
      case kPlain:
        return parquet::ReadPlain(bytes, leaf_.physical, leaf_.fixed_bytes, count);
      case kRle: {  // of booleans, behind their length
        if (leaf_.physical != parquet::Physical::kBoolean || bytes.size() < 4) break;
        for (uint32_t bit : parquet::ReadHybrid(bytes.substr(4), 1, count))
          values.bits.push_back(bit);
        return values;
      }
      case kDeltaBinary: {
        if (text) break;
        size_t used = 0;
        for (int64_t value : parquet::ReadDelta(bytes, count, &used))
          values.bits.push_back(static_cast<uint64_t>(value));
        return values;
      }
      case kDeltaLength:
        if (!text) break;
        values.texts = parquet::ReadDeltaLengths(bytes, count);
        return values;
      case kDeltaPrefix:
        if (!text) break;
        values.texts = parquet::ReadDeltaPrefixes(bytes, count);
        return values;
      case kByteStreamSplit:
        return parquet::ReadByteStreamSplit(bytes, leaf_.physical, leaf_.fixed_bytes, count);
      default:
        break;
    }
    throw Error(Code::kUnimplemented,
                "values in encoding " + std::to_string(encoding) + " are not read here");
  }

  ByteSource& source_;
  const Leaf& leaf_;
  const ThriftValue& meta_;
  uint64_t at_ = 0, end_ = 0, left_ = 0;
  PageValues dictionary_;
};

}  // namespace

struct ParquetFile::Impl {
  explicit Impl(ByteSource& bytes) : source(bytes) {}
  ByteSource& source;
  std::string footer;  // what the metadata's texts are views into
  ThriftValue metadata;
  std::vector<Leaf> leaves;
  ParquetSummary summary;
};

ParquetFile::ParquetFile(ByteSource& source) : impl_(std::make_unique<Impl>(source)) {
  uint64_t size = source.size_bytes();
  if (size < 12) throw Error(Code::kInvalidArgument, "This is no Parquet file: it is too short.");
  std::string tail = source.Read(size - 8, 8);
  if (tail.substr(4) == "PARE")
    throw Error(Code::kUnimplemented, "This Parquet file is encrypted.");
  if (tail.substr(4) != "PAR1")
    throw Error(Code::kInvalidArgument,
                "This is no whole Parquet file: it does not end with PAR1.");
  uint32_t length;
  std::memcpy(&length, tail.data(), 4);
  if (length > size - 12)
    throw Error(Code::kInvalidArgument, "The footer of this Parquet file is longer than the file.");
  if (length > kMaxParquetFooterBytes)
    throw Error(Code::kTooLarge, "The footer of this Parquet file is larger than 32 MiB.");
  impl_->footer = source.Read(size - 8 - length, length);
  size_t used = 0;
  impl_->metadata = parquet::ParseThrift(impl_->footer, &used);
  const ThriftValue& file = impl_->metadata;
  impl_->leaves = parquet::ReadSchema(file[kSchema].list());

  ParquetSummary& summary = impl_->summary;
  summary.rows = Checked(file[kNumRows].Int(), "a number of rows");
  summary.created_by = Utf8Lossy(file[kCreatedBy].Text());
  for (const Leaf& leaf : impl_->leaves)
    summary.columns.push_back({.path = leaf.path, .type = leaf.type});
  for (const ThriftValue& item : file[kKeyValues].list())
    summary.metadata.emplace_back(Utf8Lossy(item[1].Text()), Utf8Lossy(item[2].Text()));
  for (const ThriftValue& group : file[kRowGroups].list()) {
    summary.row_group_rows.push_back(Checked(group[3].Int(), "a number of rows"));
    const std::vector<ThriftValue>& chunks = group[1].list();
    if (chunks.size() != impl_->leaves.size())
      throw Error(Code::kInvalidArgument,
                  "This Parquet file is damaged: a row group has another number of columns than "
                  "the schema.");
    for (size_t i = 0; i < chunks.size(); ++i) {
      const ThriftValue& meta = chunks[i][kMetaData];
      summary.columns[i].stored_bytes +=
          static_cast<uint64_t>(std::max<int64_t>(0, meta[kCompressedSize].Int()));
      std::string codec = parquet::CodecName(meta[kCodec].Int());
      if (std::find(summary.codecs.begin(), summary.codecs.end(), codec) == summary.codecs.end())
        summary.codecs.push_back(codec);
    }
  }
}

ParquetFile::~ParquetFile() = default;

const ParquetSummary& ParquetFile::summary() const { return impl_->summary; }

std::vector<Json> ParquetFile::ReadHead(size_t column, size_t count) {
  const Leaf& leaf = impl_->leaves.at(column);
  RowBuilder rows(leaf, count);
  try {
    for (const ThriftValue& group : impl_->metadata[kRowGroups].list()) {
      if (rows.size() >= count) break;
      if (!ChunkReader(impl_->source, leaf, group[1].list()[column]).Read(&rows)) break;
    }
  } catch (const Error& error) {
    throw Error(error.code(), "Column " + leaf.path + " of this Parquet file: " + error.message());
  }
  return rows.Take();
}

}  // namespace hearth
