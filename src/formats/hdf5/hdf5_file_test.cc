// Small files of both forms, built field by field; files of the library itself are in
// tests/formats.
#include "formats/hdf5/hdf5_file.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "formats/archive/archive_fixture.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kNowhere = ~uint64_t{0};

std::string Little(uint64_t value, int bytes) {
  std::string out;
  AppendLittle(&out, value, bytes);
  return out;
}

std::string FloatType() {
  return "\x11" + Little(0x1F20, 3) + Little(4, 4) + Little(0, 2) + Little(32, 2) + "\x17\x08" +
         Little(0, 1) + "\x17" + Little(127, 4);
}
std::string Space(std::vector<uint64_t> dims) {
  std::string out = Little(2, 1) + Little(dims.size(), 1) + Little(0, 1) + Little(1, 1);
  for (uint64_t dim : dims) out += Little(dim, 8);
  return out;
}
std::string Contiguous(uint64_t address, uint64_t bytes) {
  return "\x03\x01" + Little(address, 8) + Little(bytes, 8);
}

// An object header of version 2 around messages.
std::string NewObject(const std::vector<std::pair<int, std::string>>& messages) {
  std::string body;
  for (const auto& [kind, text] : messages)
    body += Little(static_cast<uint64_t>(kind), 1) + Little(text.size(), 2) + Little(0, 1) + text;
  return "OHDR" + Little(2, 1) + Little(2, 1) + Little(body.size(), 4) + body + Little(0, 4);
}
std::string HardLink(const std::string& name, uint64_t address) {
  return Little(1, 1) + Little(0, 1) + Little(name.size(), 1) + name + Little(address, 8);
}

// A superblock of version 2 whose root is at 48; objects lie every 256 bytes after it.
std::string NewFile(const std::string& root, const std::vector<std::string>& objects) {
  std::string file = "\x89HDF\r\n\x1a\n" + Little(2, 1) + Little(8, 1) + Little(8, 1) +
                     Little(0, 1) + Little(0, 8) + Little(kNowhere, 8) + Little(4096, 8) +
                     Little(48, 8) + Little(0, 4);
  file += root;
  for (size_t i = 0; i < objects.size(); ++i) {
    file.resize(512 + 256 * i);
    file += objects[i];
  }
  file.resize(4096);
  return file;
}
std::string Dataset(uint64_t rows, uint64_t columns) {
  return NewObject(
      {{1, Space({rows, columns})}, {3, FloatType()}, {8, Contiguous(2048, 4 * rows * columns)}});
}

// The old form: a superblock of version 0, a symbol table of one dataset.
std::string OldFile() {
  std::string file = "\x89HDF\r\n\x1a\n" + Little(0, 5) + "\x08\x08" + Little(0, 1) + Little(4, 2) +
                     Little(16, 2) + Little(0, 4);
  file += Little(0, 8) + Little(kNowhere, 8) + Little(4096, 8) + Little(kNowhere, 8);
  file += Little(0, 8) + Little(96, 8) + Little(0, 24);
  auto old_object = [](const std::vector<std::pair<int, std::string>>& messages) {
    std::string body;
    for (auto [kind, text] : messages) {
      text.resize((text.size() + 7) / 8 * 8);
      body += Little(static_cast<uint64_t>(kind), 2) + Little(text.size(), 2) + Little(0, 4) + text;
    }
    return Little(1, 2) + Little(messages.size(), 2) + Little(1, 4) + Little(body.size(), 4) +
           Little(0, 4) + body;
  };
  file += old_object({{0x11, Little(256, 8) + Little(512, 8)}});
  file.resize(256);
  file += "TREE" + Little(0, 2) + Little(1, 2) + Little(kNowhere, 8) + Little(kNowhere, 8);
  file += Little(0, 8) + Little(768, 8) + Little(8, 8);
  file.resize(512);
  file += "HEAP" + Little(0, 4) + Little(64, 8) + Little(kNowhere, 8) + Little(640, 8);
  file.resize(648);
  file += "weight";
  file.resize(768);
  file += "SNOD" + Little(1, 2) + Little(1, 2) + Little(8, 8) + Little(1024, 8) + Little(0, 24);
  file.resize(1024);
  file += old_object(
      {{1, "\x01\x01" + Little(0, 6) + Little(5, 8)}, {3, FloatType()}, {8, Contiguous(2048, 20)}});
  file.resize(4096);
  return file;
}

Hdf5File Read(const std::string& bytes, const Hdf5Limits& limits = {}) {
  MemorySource source(bytes);
  return ReadHdf5(source, limits);
}

TEST(Hdf5File, ListsDatasetsOfTheNewForm) {
  std::string file = NewFile(NewObject({{6, HardLink("a", 512)}, {6, HardLink("g", 768)}}),
                             {Dataset(3, 4), NewObject({{6, HardLink("b", 1024)}}), Dataset(2, 2)});
  Hdf5File read = Read(file);
  ASSERT_THAT(read.datasets, SizeIs(2));
  EXPECT_EQ(read.datasets[0].name, "a");
  EXPECT_EQ(read.datasets[0].dtype, "float32");
  EXPECT_THAT(read.datasets[0].shape, ElementsAre(3, 4));
  EXPECT_EQ(read.datasets[0].bytes, 48u);
  EXPECT_EQ(read.datasets[0].offset, 2048u);
  EXPECT_EQ(read.datasets[1].name, "g/b");
  EXPECT_EQ(read.groups, 2u);
  EXPECT_THAT(read.warnings, IsEmpty());
}

TEST(Hdf5File, ListsDatasetsOfTheOldForm) {
  Hdf5File read = Read(OldFile());
  ASSERT_THAT(read.datasets, SizeIs(1));
  EXPECT_EQ(read.datasets[0].name, "weight");
  EXPECT_THAT(read.datasets[0].shape, ElementsAre(5));
  EXPECT_EQ(read.datasets[0].layout, "contiguous");
}

TEST(Hdf5File, EndsOnCyclesAndSecondNames) {
  // The group names itself, the root, and the dataset once more.
  std::string group =
      NewObject({{6, HardLink("me", 768)}, {6, HardLink("up", 48)}, {6, HardLink("again", 512)}});
  Hdf5File read = Read(NewFile(NewObject({{6, HardLink("a", 512)}, {6, HardLink("g", 768)}}),
                               {Dataset(1, 1), group}));
  ASSERT_THAT(read.datasets, SizeIs(2));
  EXPECT_EQ(read.datasets[1].name, "g/again");
  EXPECT_EQ(read.datasets[1].same_as, "a");
  EXPECT_EQ(read.groups, 2u);
}

TEST(Hdf5File, OneDamagedDatasetLeavesTheOthers) {
  std::string far =
      NewObject({{1, Space({9, 9})}, {3, FloatType()}, {8, Contiguous(1 << 20, 324)}});
  std::string huge = NewObject({{1, Space({uint64_t{1} << 40, uint64_t{1} << 40})},
                                {3, FloatType()},
                                {8, Contiguous(2048, 4)}});
  Hdf5File read = Read(NewFile(NewObject({{6, HardLink("far", 512)},
                                          {6, HardLink("huge", 768)},
                                          {6, HardLink("good", 1024)},
                                          {6, HardLink("nowhere", 1 << 30)}}),
                               {far, huge, Dataset(2, 3)}));
  ASSERT_THAT(read.datasets, SizeIs(1));
  EXPECT_EQ(read.datasets[0].name, "good");
  EXPECT_THAT(read.warnings, SizeIs(3));
}

TEST(Hdf5File, LimitsHold) {
  std::string file = NewFile(NewObject({{6, HardLink("a", 512)}, {6, HardLink("b", 768)}}),
                             {Dataset(1, 1), Dataset(1, 1)});
  for (Hdf5Limits limits : {Hdf5Limits{.max_objects = 1}, Hdf5Limits{.max_links = 1},
                            Hdf5Limits{.max_read_bytes = 100}}) {
    try {
      Read(file, limits);
      FAIL() << "passed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kTooLarge);
    }
  }
}

TEST(Hdf5File, CutAndDamagedFilesAreErrorsOrWarnings) {
  for (const std::string& file :
       {OldFile(), NewFile(NewObject({{6, HardLink("a", 512)}}), {Dataset(3, 4)})}) {
    for (size_t n = 0; n < 1400; ++n) {
      try {
        Hdf5File read = Read(file.substr(0, n));
        EXPECT_THAT(read.datasets, IsEmpty()) << "the data is cut off";
      } catch (const Error&) {
      }
    }
    for (size_t at = 0; at < 1400; ++at) {
      for (int change : {1, 0x80, 0xFF}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ change);
        try {
          Read(damaged);
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(Hdf5File, FindsTheSuperblockBehindAUserBlock) {
  EXPECT_TRUE(LooksLikeHdf5(std::string(512, 'x') + OldFile()));
  EXPECT_FALSE(LooksLikeHdf5(std::string(511, 'x') + OldFile()));
  Hdf5File read = Read(std::string(2048, 'x') + OldFile());
  ASSERT_THAT(read.datasets, SizeIs(1));
  EXPECT_EQ(read.superblock_offset, 2048u);
  EXPECT_EQ(read.datasets[0].offset, 4096u);
}

}  // namespace
}  // namespace hearth
