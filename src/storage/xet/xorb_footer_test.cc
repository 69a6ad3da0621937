#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/xet/internal/test_xorb_store.h"
#include "storage/xet/internal/xorb_footer.h"
#include "storage/xet/xorb_store.h"

namespace hearth::storage {
namespace {

using internal::ParseXorbFooter;

// kInternal when `footer` is refused as it should be; kConflict when it is accepted.
Code VerdictOn(std::string_view footer, uint64_t body_bytes) {
  try {
    ParseXorbFooter(footer, body_bytes, "test");
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kConflict;
}

TEST(XorbFooter, WhatIsWrittenIsRead) {
  XorbIndex index = internal::RecordedXorb().index;
  XorbIndex back = ParseXorbFooter(WriteXorbFooter(index, 5), index.body_bytes, "test");
  EXPECT_EQ(back.hash, index.hash);
  EXPECT_EQ(back.body_bytes, index.body_bytes);
  EXPECT_EQ(back.unpacked_bytes, index.unpacked_bytes);
  ASSERT_EQ(back.chunks.size(), index.chunks.size());
  for (size_t i = 0; i < index.chunks.size(); ++i) {
    EXPECT_EQ(back.chunks[i].hash, index.chunks[i].hash);
    EXPECT_EQ(back.chunks[i].record_end, index.chunks[i].record_end);
    EXPECT_EQ(back.chunks[i].unpacked_bytes, index.chunks[i].unpacked_bytes);
  }
}

TEST(XorbFooter, EveryTruncationAndEveryOtherBodyLengthIsRefused) {
  XorbIndex index = internal::RecordedXorb().index;
  std::string footer = WriteXorbFooter(index, 0);
  for (size_t bytes = 0; bytes < footer.size(); ++bytes) {
    EXPECT_EQ(VerdictOn(footer.substr(0, bytes), index.body_bytes), Code::kInternal) << bytes;
    EXPECT_EQ(VerdictOn(footer.substr(bytes + 1), index.body_bytes), Code::kInternal) << bytes;
  }
  EXPECT_EQ(VerdictOn(footer, index.body_bytes - 1), Code::kInternal);
  EXPECT_EQ(VerdictOn(footer, index.body_bytes + 1), Code::kInternal);
}

TEST(XorbFooter, FlippedBytesAreRefusedWhereTheyMatter) {
  XorbIndex index = internal::RecordedXorb().index;
  std::string footer = WriteXorbFooter(index, 0);
  size_t ends_at = footer.size() - 4 - 28 - 8 * index.chunks.size();
  size_t nonce_at = footer.size() - 4 - 16;
  for (size_t at = 0; at < footer.size(); ++at) {
    std::string bad = footer;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    // Nothing depends on the nonce and the reserved bytes. Where a record ends between its
    // neighbours is confirmed by its header, when it is read.
    if (at >= nonce_at && at < nonce_at + 16) continue;
    if (at >= ends_at && at < ends_at + 4 * index.chunks.size() && (at - ends_at) % 4 < 2) continue;
    EXPECT_EQ(VerdictOn(bad, index.body_bytes), Code::kInternal) << at;
  }
}

TEST(XorbFooter, OffsetsMustRiseWithinTheirLimits) {
  XorbIndex good = internal::RecordedXorb().index;
  auto refused = [&](auto change) {
    XorbIndex index = good;
    change(index);
    return VerdictOn(WriteXorbFooter(index, 0), index.chunks.back().record_end) == Code::kInternal;
  };
  EXPECT_FALSE(refused([](XorbIndex&) {}));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks[0].record_end = 8; }));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks[1].record_end = i.chunks[0].record_end; }));
  EXPECT_TRUE(
      refused([](XorbIndex& i) { std::swap(i.chunks[1].record_end, i.chunks[2].record_end); }));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks.back().record_end += 300000; }));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks[3].unpacked_bytes = 0; }));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks[3].unpacked_bytes = 131073; }));
  EXPECT_TRUE(refused([](XorbIndex& i) { i.chunks[3].unpacked_bytes += 1; }));  // another hash
  EXPECT_TRUE(refused([](XorbIndex& i) { std::swap(i.chunks[3].hash, i.chunks[4].hash); }));
}

TEST(XorbFooter, FilesOfAnyLengthAreRefusedUnlessTheyEndInAFooter) {
  internal::TestFolder folder;
  XorbBuilder::Built built = internal::RecordedXorb();
  auto read = [&](std::string_view content) {
    TempFile file(folder.path());
    file.Append(content);
    return ReadXorbFooter(file.fd(), "test");
  };
  std::string file = built.body + WriteXorbFooter(built.index, 0);
  EXPECT_EQ(read(file).hash, built.index.hash);
  for (size_t bytes : {size_t{0}, size_t{3}, size_t{100}, built.body.size(), file.size() - 1}) {
    EXPECT_THROW(read(std::string_view(file).substr(0, bytes)), Error) << bytes;
  }
  EXPECT_THROW(read(file + "x"), Error);
  EXPECT_THROW(read(file.substr(1)), Error);
  EXPECT_THROW(read(std::string(1000, '\xff')), Error);
}

}  // namespace
}  // namespace hearth::storage
