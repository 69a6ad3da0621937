#include <fcntl.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <unistd.h>

#include "base/error.h"
#include "storage/xet/internal/test_xorb_store.h"
#include "storage/xet/reconstruction.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using internal::SplitMixBytes;

std::string Rebuild(XorbStore& store, const std::shared_ptr<const TermSource>& source,
                    uint64_t start, uint64_t end, size_t wanted = 1 << 20) {
  XetReader reader(store, source, start, end);
  std::string out;
  for (;;) {
    size_t before = out.size();
    if (!reader.Next(&out, wanted)) return out;
    if (out.size() == before) throw std::logic_error("Next gave nothing");
  }
}

// A file of text, floats and random bytes over four xorbs: raw, LZ4, grouped and mixed, with terms
// that repeat, jump back and leave chunks out.
class ReaderTest : public testing::Test {
 protected:
  ReaderTest() {
    AddXorb(SplitMixBytes(31, 900000), XorbScheme::kNone);
    AddXorb(internal::TextRows(60000), XorbScheme::kLz4);
    AddXorb(internal::SmallFloats(32, 400000), XorbScheme::kBg4Lz4);
    AddXorb(internal::TextRows(9000) + SplitMixBytes(33, 400000) + internal::TextRows(9000),
            XorbScheme::kLz4);
    for (int round = 0; round < 2; ++round) {
      for (size_t i = 0; i < indexes_.size(); ++i) {
        auto count = static_cast<uint32_t>(indexes_[i]->chunks.size());
        AddTerm(i, 0, count);
        AddTerm(i, 1, 2);
        AddTerm((i + 1) % 4, 2, 5);
        AddTerm(i, count - 1, count);
      }
    }
    source_ = MakeTermSource(terms_);
  }

  void AddXorb(const std::string& bytes, XorbScheme scheme) {
    chunks_.push_back(internal::Chunks(bytes));
    internal::Packed packed = internal::PackAll(chunks_.back(), scheme);
    indexes_.push_back(
        store_->PutUploaded(internal::Spool(*store_, packed.body), packed.hash).index);
  }

  void AddTerm(size_t xorb, uint32_t start, uint32_t end) {
    terms_.push_back(internal::TermOf(*indexes_[xorb], start, end));
    for (uint32_t i = start; i < end; ++i) bytes_ += chunks_[xorb][i];
  }

  fs::path FileOf(size_t xorb) const {
    std::string text = indexes_[xorb]->hash.Text();
    return folder_.path() / text.substr(0, 2) / text.substr(2, 2) / text;
  }

  internal::TestFolder folder_;
  std::unique_ptr<XorbStore> store_ = XorbStore::OpenLocal(folder_.path());
  std::vector<std::vector<std::string>> chunks_;
  std::vector<XorbIndexPtr> indexes_;
  std::vector<XetTerm> terms_;
  std::string bytes_;
  std::shared_ptr<const TermSource> source_;
};

TEST_F(ReaderTest, TheWholeFileIsTheSourceInPiecesOfAnySize) {
  ASSERT_EQ(source_->size_bytes(), bytes_.size());
  for (size_t wanted : {size_t{1}, size_t{1000}, size_t{200000}, size_t{1} << 20, bytes_.size()}) {
    EXPECT_TRUE(Rebuild(*store_, source_, 0, bytes_.size(), wanted) == bytes_) << wanted;
  }
}

TEST_F(ReaderTest, RandomRangesAreThoseOfTheSource) {
  std::string random = SplitMixBytes(77, 300 * 16);
  for (int i = 0; i < 300; ++i) {
    uint64_t numbers[2];
    std::memcpy(numbers, random.data() + i * 16, 16);
    uint64_t start = numbers[0] % bytes_.size();
    // Short, medium and long ones.
    uint64_t limit = i % 3 == 0 ? 100 : i % 3 == 1 ? 200000 : bytes_.size();
    uint64_t end = std::min<uint64_t>(bytes_.size(), start + 1 + numbers[1] % limit);
    size_t wanted = i % 2 == 0 ? 1 << 20 : 65536;
    ASSERT_TRUE(Rebuild(*store_, source_, start, end, wanted) ==
                std::string_view(bytes_).substr(start, end - start))
        << start << "-" << end;
  }
}

TEST_F(ReaderTest, XorbsOfThousandsOfTinyChunksAreRead) {
  std::vector<std::string> chunks;
  std::string bytes;
  std::string random = SplitMixBytes(6, kXorbMaxChunks * 3);
  for (size_t i = 0; i < kXorbMaxChunks; ++i) {
    chunks.push_back(random.substr(3 * i, 1 + i % 3));
    bytes += chunks.back();
  }
  internal::Packed packed = internal::PackAll(chunks, XorbScheme::kLz4);
  XorbIndexPtr index =
      store_->PutUploaded(internal::Spool(*store_, packed.body), packed.hash).index;
  auto source = MakeTermSource({internal::TermOf(*index, 0, kXorbMaxChunks)});
  EXPECT_TRUE(Rebuild(*store_, source, 0, bytes.size()) == bytes);
  EXPECT_TRUE(Rebuild(*store_, source, 7, 9999) == bytes.substr(7, 9992));
}

TEST_F(ReaderTest, PiecesAreAboutAsLargeAsWantedAndKeepWhatIsThere) {
  XetReader reader(*store_, source_, 0, bytes_.size());
  std::string out = "before";
  ASSERT_TRUE(reader.Next(&out, 300000));
  EXPECT_EQ(out.substr(0, 6), "before");
  EXPECT_GE(out.size(), 300000u);
  EXPECT_LT(out.size(), 300000u + (128 << 10) + 6);
}

TEST_F(ReaderTest, EmptyRangesEndAtOnce) {
  std::string out;
  EXPECT_FALSE(XetReader(*store_, source_, 5, 5).Next(&out));
  EXPECT_FALSE(XetReader(*store_, MakeTermSource({}), 0, 0).Next(&out));
  EXPECT_TRUE(out.empty());
  EXPECT_THROW(XetReader(*store_, source_, 0, bytes_.size() + 1), Error);
}

TEST_F(ReaderTest, AReaderGoesOnAfterItsXorbWasMovedOut) {
  XetReader reader(*store_, source_, 0, chunks_[0][0].size() * 2);
  std::string out;
  ASSERT_TRUE(reader.Next(&out, 1));
  ASSERT_TRUE(store_->MoveOut(indexes_[0]->hash, folder_.path() / "tmp" / "away"));
  fs::remove(folder_.path() / "tmp" / "away");
  while (reader.Next(&out, 1)) {
  }
  EXPECT_TRUE(out == bytes_.substr(0, chunks_[0][0].size() * 2));
  EXPECT_THROW(Rebuild(*store_, source_, 0, 1), Error);
}

// A record that is compressed although that gains nothing: as long as a stored one.
std::string RecordAsLongAsItsChunk(std::string* chunk) {
  for (size_t zeros = 0;; ++zeros) {
    *chunk = SplitMixBytes(5, 400) + std::string(zeros, 'z');
    std::string frame(LZ4F_compressFrameBound(chunk->size(), nullptr), '\0');
    frame.resize(
        LZ4F_compressFrame(frame.data(), frame.size(), chunk->data(), chunk->size(), nullptr));
    if (frame.size() != chunk->size()) continue;
    std::string record;
    PackXorbChunk(std::string(frame.size(), 'x'), XorbScheme::kNone, record);
    record.resize(kXorbHeaderBytes);
    record[4] = static_cast<char>(XorbScheme::kLz4);
    record[1] = record[5];
    record[2] = record[6];
    return record + frame;
  }
}

TEST_F(ReaderTest, CompressedRecordsAsLongAsTheirChunkAreRead) {
  std::string chunk;
  std::string record = RecordAsLongAsItsChunk(&chunk);
  XorbIndexPtr index =
      store_->PutUploaded(internal::Spool(*store_, record), HashChunk(chunk)).index;
  auto source = MakeTermSource({internal::TermOf(*index, 0, 1)});
  EXPECT_EQ(Rebuild(*store_, source, 0, chunk.size()), chunk);
  EXPECT_EQ(Rebuild(*store_, source, 7, chunk.size() - 9), chunk.substr(7, chunk.size() - 16));
}

TEST_F(ReaderTest, DamagedRecordsAreReportedAndGiveNothing) {
  for (size_t xorb = 0; xorb < 3; ++xorb) {
    auto source = MakeTermSource({internal::TermOf(*indexes_[xorb], 0, 3)});
    fs::permissions(FileOf(xorb), fs::perms::owner_write, fs::perm_options::add);
    UniqueFd file(::open(FileOf(xorb).c_str(), O_RDWR | O_CLOEXEC));
    // Each byte of the second record's header; for compressed ones the frame's first bytes too.
    uint32_t record = indexes_[xorb]->chunks[0].record_end;
    for (uint32_t at = record; at < record + (xorb == 0 ? 8 : 14); ++at) {
      char byte;
      ReadExactAt(file.get(), at, &byte, 1);
      char flipped = static_cast<char>(byte ^ 0x81);
      ASSERT_EQ(::pwrite(file.get(), &flipped, 1, at), 1);
      std::string out = "before";
      try {
        XetReader(*store_, source, 0, source->size_bytes()).Next(&out, 1 << 20);
        ADD_FAILURE() << "xorb " << xorb << " byte " << at - record;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kInternal);
      }
      EXPECT_EQ(out, "before");
      ASSERT_EQ(::pwrite(file.get(), &byte, 1, at), 1);
    }
    EXPECT_EQ(Rebuild(*store_, source, 0, 100).size(), 100u);
  }
}

TEST_F(ReaderTest, AFileCutShortIsReported) {
  auto source = MakeTermSource({internal::TermOf(*indexes_[0], 0, 5)});
  XetReader reader(*store_, source, 0, source->size_bytes());
  std::string out;
  ASSERT_TRUE(reader.Next(&out, 1));
  fs::permissions(FileOf(0), fs::perms::owner_write, fs::perm_options::add);
  fs::resize_file(FileOf(0), indexes_[0]->chunks[2].record_end + 100);
  try {
    while (reader.Next(&out, 1)) {
    }
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
  }
  EXPECT_TRUE(bytes_.starts_with(out));
}

TEST_F(ReaderTest, TermsThatContradictTheirXorbAreReported) {
  XetTerm good = internal::TermOf(*indexes_[0], 0, 3);
  std::vector<XetTerm> lies(3, good);
  lies[0].chunk_end = 9999;
  lies[1].unpacked_bytes -= 1;
  lies[2].chunk_start = 3;
  for (const XetTerm& lie : lies) {
    EXPECT_THROW(Rebuild(*store_, MakeTermSource({lie}), 0, 100), Error);
  }
}

TEST_F(ReaderTest, MissingXorbsAreReported) {
  ASSERT_TRUE(store_->MoveOut(indexes_[1]->hash, folder_.path() / "tmp" / "away"));
  try {
    Rebuild(*store_, source_, 0, bytes_.size());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
  }
}

}  // namespace
}  // namespace hearth::storage
