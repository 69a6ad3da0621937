#include "formats/numpy/numpy_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/archive/archive_fixture.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;

std::string Npy(const std::string& header, const std::string& data = "", char version = 1) {
  std::string file = std::string("\x93NUMPY") + version + '\0';
  AppendLittle(&file, header.size(), version == 1 ? 2 : 4);
  return file + header + data;
}

NumpyArray Read(const std::string& file, bool objects = false) {
  MemorySource source(file);
  return ReadNumpyHeader(source, objects);
}

TEST(NumpyArrayTest, ReadsShapeOrderAndType) {
  NumpyArray array =
      Read(Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", std::string(24, 'x')));
  EXPECT_EQ(array.dtype, "float32");
  EXPECT_TRUE(array.fortran_order);
  EXPECT_THAT(array.shape, ElementsAre(2, 3));
  EXPECT_EQ(array.bytes, 24u);
  EXPECT_FALSE(array.big_endian);
}

TEST(NumpyArrayTest, ReadsAllVersions) {
  for (char version : {1, 2, 3}) {
    EXPECT_EQ(
        Read(Npy("{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }", "12345678", version))
            .dtype,
        "int64");
  }
  EXPECT_THROW(Read(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "1234", 4)),
               Error);
}

TEST(NumpyArrayTest, ListsTheFieldsOfRecords) {
  NumpyArray array = Read(
      Npy("{'descr': [('a', '<i4'), ('b', '<f8', (2,))], 'fortran_order': False, 'shape': (1,), }",
          std::string(20, 'x')));
  EXPECT_EQ(array.dtype, "record");
  EXPECT_EQ(array.item_bytes, 20u);
  ASSERT_EQ(array.fields.size(), 2u);
  EXPECT_EQ(array.fields[1].name, "b");
}

TEST(NumpyArrayTest, RefusesObjectsWithTheReason) {
  std::string file = Npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "\x80\4N.");
  try {
    Read(file);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kForbidden);
  }
  EXPECT_TRUE(Read(file, true).has_objects);
}

TEST(NumpyArrayTest, RefusesLies) {
  EXPECT_THROW(Read(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "12345678")),
               Error);
  EXPECT_THROW(
      Read(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }")),
      Error);
  EXPECT_THROW(Read(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }")), Error);
  EXPECT_THROW(Read(Npy("{'descr': '<q4', 'fortran_order': False, 'shape': (), }", "1234")), Error);
  EXPECT_THROW(Read(Npy("__import__('os').system('id')")), Error);
  EXPECT_THROW(Read(Npy("{'descr': '<f4', 'fortran_order': False}", "1234")), Error);
}

TEST(NumpyArrayTest, EveryTruncationIsAnError) {
  std::string file = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678");
  for (size_t n = 0; n < file.size(); ++n) EXPECT_THROW(Read(file.substr(0, n)), Error) << n;
}

TEST(NumpyArrayTest, ReadsArchivesOfArrays) {
  std::string array = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678");
  std::string file = MakeTestZip({{.name = "w.npy", .data = array}});
  MemorySource source(file);
  std::vector<NumpyArray> arrays = ReadNpz(source);
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0].name, "w");
  EXPECT_EQ(source.Read(arrays[0].data_offset, 8), "12345678");
}

}  // namespace
}  // namespace hearth
