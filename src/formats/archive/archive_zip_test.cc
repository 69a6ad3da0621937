#include "formats/archive/archive_zip.h"
#include "formats/archive/archive_packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/archive/archive_decode.h"
#include "formats/archive/archive_fixture.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

ZipWalk Walk(const std::string& file) {
  MemorySource source(file);
  return WalkZip(source);
}

std::vector<std::string> Kinds(const ZipWalk& walk) {
  std::vector<std::string> kinds;
  for (const ArchiveProblem& problem : walk.problems) kinds.push_back(problem.kind);
  return kinds;
}

TEST(ArchiveZipTest, AnHonestArchiveHasNoProblems) {
  std::string file = MakeTestZip({{.name = "a", .data = "one"}, {.name = "b", .data = "two"}});
  ZipWalk walk = Walk(file);
  EXPECT_EQ(walk.members.size(), 2u);
  EXPECT_THAT(walk.problems, IsEmpty());
  EXPECT_THAT(walk.gaps, IsEmpty());
  MemorySource source(file);
  std::vector<ZipEntry> entries = ReadZip(source);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(source.Read(entries[1].data_offset, 3), "two");
}

TEST(ArchiveZipTest, FindsMembersThatTheDirectoryLeavesOut) {
  ZipWalk walk = Walk(MakeTestZip({{.name = "a", .data = "one"},
                                   {.name = "hidden", .data = "two", .in_directory = false},
                                   {.name = "b", .data = "x"}}));
  EXPECT_EQ(walk.members.size(), 3u);
  EXPECT_THAT(Kinds(walk), Contains("zip-hidden-member"));
}

TEST(ArchiveZipTest, FindsMembersOfAnArchiveWithoutDirectory) {
  std::string file = MakeTestZip({{.name = "a", .data = "one"}});
  ZipWalk walk = Walk(file.substr(0, file.find("PK\1\2")));
  EXPECT_EQ(walk.members.size(), 1u);
  EXPECT_THAT(Kinds(walk), Contains("zip-no-directory"));
}

TEST(ArchiveZipTest, SeesBothNamesOfAMember) {
  ZipWalk walk = Walk(MakeTestZip({{.name = "readme", .data = "x", .local_name = "data.pkl"}}));
  ASSERT_EQ(walk.members.size(), 1u);
  EXPECT_EQ(walk.members[0].other_name, "data.pkl");
}

TEST(ArchiveZipTest, ReadsAnArchiveBehindOtherBytes) {
  ZipWalk walk = Walk(MakeTestZip({{.name = "a", .data = "one"}}, ""));
  EXPECT_EQ(walk.members[0].header_offset, 0u);
  std::string file = "0123456789" + MakeTestZip({{.name = "a", .data = "one"}});
  walk = Walk(file);
  ASSERT_EQ(walk.members.size(), 1u);
  EXPECT_EQ(walk.members[0].header_offset, 10u);
  EXPECT_THAT(Kinds(walk), Contains("zip-moved-directory"));
  EXPECT_EQ(walk.gaps.front(), (std::pair<uint64_t, uint64_t>(0, 10)));
}

TEST(ArchiveZipTest, EveryTruncationIsRefusedByTheStrictReader) {
  std::string file = MakeTestZip({{.name = "a", .data = "one"}, {.name = "b", .data = "two"}});
  for (size_t n = 0; n < file.size(); ++n) {
    std::string cut = file.substr(0, n);
    MemorySource source(cut);
    EXPECT_THROW(ReadZip(source), Error) << n;
    Walk(cut);
  }
}

TEST(ArchiveDecodeTest, GivesWhatCameBeforeTheBreak) {
  MemorySource whole(std::string_view("\x1f\x8b", 2));
  Unpacked unpacked = Unpack(whole, Packing::kGzip);
  EXPECT_FALSE(unpacked.problem.empty());
  EXPECT_EQ(unpacked.source->size_bytes(), 0u);
}

TEST(ArchiveDecodeTest, StopsAtTheLimit) {
  std::string zeros(4 << 20, '\0');
  std::string packed(compressBound(zeros.size()), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(zeros.data()), zeros.size()),
            Z_OK);
  packed.resize(size);
  MemorySource source(packed);
  Unpacked unpacked = Unpack(source, Packing::kZlib, {.max_bytes = 1 << 20});
  EXPECT_TRUE(unpacked.bomb);
  EXPECT_EQ(Unpack(source, Packing::kZlib).source->size_bytes(), zeros.size());
}

TEST(PackedArchive, AHeadWithoutAnArchiveIsAProblemAndNoCrash) {
  for (std::string head :
       {std::string("Rar!\x1A\x07"), std::string("Rar!\x1A\x07/"),
        std::string("7z\xBC\xAF\x27\x1C"), "Rar!\x1A\x07" + std::string(40, '\xFF')}) {
    MemorySource source(head);
    PackedWalk walk = WalkPackedArchive(source, UnpackLimits{}, [](PackedMember&) { return true; });
    EXPECT_FALSE(walk.problem.empty());
    EXPECT_FALSE(walk.encrypted);
  }
}

}  // namespace
}  // namespace hearth
