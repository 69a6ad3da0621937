#include "formats/safetensors/safetensors.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

namespace hearth {
namespace {

std::string WithLength(std::string_view json, size_t data_bytes) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>((json.size() >> (8 * i)) & 0xFF);
  return file + std::string(json) + std::string(data_bytes, 'x');
}

SafetensorsHeader Parse(std::string_view json, size_t data_bytes) {
  std::string file = WithLength(json, data_bytes);
  return ParseSafetensorsHeader(file, file.size());
}

std::string KindOf(std::string_view json, size_t data_bytes) {
  try {
    Parse(json, data_bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return std::string(SafetensorsErrorKind(error));
  }
  return "accepted";
}

constexpr char kGood[] = R"({"__metadata__":{"format":"pt","z":"1"},)"
                         R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
                         R"("a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                         R"("c":{"dtype":"F16","shape":[0,5],"data_offsets":[32,32]}}   )";

TEST(Safetensors, ReadsTensorsInOrderOfTheirDataWithParameterCounts) {
  SafetensorsHeader header = Parse(kGood, 32);
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].elements(), 1u);
  EXPECT_EQ(header.tensors[1].name, "b");
  EXPECT_EQ(header.tensors[1].shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(header.tensors[1].begin, 8u);
  EXPECT_EQ(header.tensors[1].end, 32u);
  EXPECT_EQ(header.data_offset, 8 + std::string_view(kGood).size());
  EXPECT_EQ(header.metadata.size(), 2u);
  EXPECT_EQ(header.metadata[0], std::pair(std::string("format"), std::string("pt")));
  EXPECT_EQ(header.total_parameters, 7u);
  EXPECT_EQ(header.parameters[0], std::pair(std::string("F32"), uint64_t{6}));
  EXPECT_EQ(header.parameters[1], std::pair(std::string("I64"), uint64_t{1}));
}

TEST(Safetensors, AFileWithoutTensorsIsValid) {
  EXPECT_TRUE(Parse("{}", 0).tensors.empty());
  EXPECT_TRUE(Parse(R"({"__metadata__":null})", 0).metadata.empty());
}

TEST(Safetensors, SubByteTypesMustFillWholeBytes) {
  EXPECT_EQ(Parse(R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", 2).total_parameters,
            4u);
  EXPECT_EQ(
      Parse(R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3).total_parameters,
      4u);
}

TEST(Safetensors, EveryRuleOfTheFormatIsCheckedUnderItsName) {
  struct Case {
    const char* json;
    size_t data_bytes;
    const char* kind;
  };
  constexpr char kJson[] = "InvalidHeaderDeserialization";
  const Case cases[] = {
      {"", 0, kJson},
      {"[]", 0, kJson},
      {"{", 0, kJson},
      {"{}{}", 0, kJson},
      {"{\"\xFF\":1}", 0, "InvalidHeader"},
      {R"({"a":1})", 0, kJson},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, kJson},
      {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":{},"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4, kJson},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, kJson},
      {R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, kJson},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1e400}})", 1, kJson},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":"\ud800"}})", 1, kJson},
      {"{\"a\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, kJson},
      {R"({"a":["U8",[1]]})", 1, kJson},
      {R"({"a":["U8",[1],[0,1],0]})", 1, kJson},
      {R"({"__metadata__":{"a":1}})", 0, kJson},
      {R"({"__metadata__":[]})", 0, kJson},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, kJson},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "InvalidOffset"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "InvalidOffset"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
       R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "InvalidOffset"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "TensorInvalidInfo"},
      {R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "MisalignedSlice"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8, "MetadataIncompleteBuffer"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "MetadataIncompleteBuffer"},
      {R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
       "ValidationOverflow"},
      {R"({"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0,
       "ValidationOverflow"},
  };
  for (const Case& test : cases)
    EXPECT_EQ(KindOf(test.json, test.data_bytes), test.kind) << test.json;
}

TEST(Safetensors, WhatTheReferenceToleratesIsAcceptedWithAWarning) {
  EXPECT_TRUE(Parse("{}  ", 0).warnings.empty());
  EXPECT_EQ(Parse(" {}", 0).warnings.size(), 1u);
  EXPECT_EQ(Parse("{}\n", 0).warnings.size(), 1u);
  SafetensorsHeader twice = Parse(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                  1);
  ASSERT_EQ(twice.tensors.size(), 1u);
  EXPECT_EQ(twice.tensors[0].dtype, "U8");
  EXPECT_NE(twice.warnings.at(0).find("appears twice"), std::string::npos);
  SafetensorsHeader list = Parse(R"({"a":[{"U8":null},[1],[0,1]]})", 1);
  EXPECT_EQ(list.tensors[0].bytes(), 1u);
  EXPECT_EQ(list.warnings.size(), 2u);
  SafetensorsHeader extra = Parse(
      R"({"a":{"x":[{"y":123456789012345678901234567890}],"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
      1);
  EXPECT_TRUE(extra.warnings.empty());
}

TEST(Safetensors, NestingIsReadAsDeepAsTheReferenceDoes) {
  auto nested = [](size_t depth) {
    return R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  EXPECT_EQ(Parse(nested(125), 1).tensors.size(), 1u);
  EXPECT_EQ(KindOf(nested(126), 1), "InvalidHeaderDeserialization");
}

TEST(Safetensors, NamesAreUnescaped) {
  SafetensorsHeader header =
      Parse(R"({"\u00e9\ud83d\ude00\n\"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  EXPECT_EQ(header.tensors[0].name, "\u00e9\U0001F600\n\"");
  EXPECT_NE(header.Find("\u00e9\U0001F600\n\""), nullptr);
}

TEST(Safetensors, LengthsThatLieAreRefusedBeforeAnythingIsRead) {
  EXPECT_EQ(SafetensorsHeaderBytes(std::string("\x02\0\0\0\0\0\0\0", 8), 10), 10u);
  EXPECT_THROW(SafetensorsHeaderBytes(std::string("\x03\0\0\0\0\0\0\0", 8), 10), Error);
  EXPECT_THROW(SafetensorsHeaderBytes(std::string(8, '\xFF'), UINT64_MAX), Error);
  EXPECT_THROW(SafetensorsHeaderBytes("\x02", 10), Error);
  EXPECT_THROW(SafetensorsHeaderBytes("", 0), Error);
}

TEST(Safetensors, EveryTruncationIsAnError) {
  std::string file = WithLength(kGood, 32);
  for (size_t n = 0; n < file.size(); ++n) {
    MemorySource source(std::string_view(file).substr(0, n));
    EXPECT_THROW(ReadSafetensorsHeader(source), Error) << n;
  }
}

TEST(Safetensors, DamageNeverThrowsAnythingButError) {
  const std::string file = WithLength(kGood, 32);
  for (size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      MemorySource source(damaged);
      try {
        EXPECT_EQ(ReadSafetensorsHeader(source).data_offset, 8 + std::string_view(kGood).size());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kInvalidArgument);
      }
    }
  }
}

TEST(Safetensors, ReadsFromAFileDescriptor) {
  std::string file = WithLength(kGood, 32);
  char path[] = "/tmp/hearth_safetensors_XXXXXX";
  int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  unlink(path);
  ASSERT_EQ(write(fd, file.data(), file.size()), static_cast<ssize_t>(file.size()));
  FdSource source(fd);
  EXPECT_EQ(source.size_bytes(), file.size());
  EXPECT_EQ(ReadSafetensorsHeader(source).tensors.size(), 3u);
  EXPECT_THROW(source.Read(file.size() - 1, 2), Error);
  close(fd);
}

TEST(SafetensorsIndex, ListsFilesOnceAndReadsTheTotal) {
  SafetensorsIndex index = ParseSafetensorsIndex(
      R"({"metadata":{"total_size":123},"weight_map":{"w2":"m-00002.safetensors",)"
      R"("w1":"m-00001.safetensors","w3":"m-00002.safetensors"}})");
  EXPECT_EQ(index.total_size, 123u);
  EXPECT_EQ(index.files, (std::vector<std::string>{"m-00001.safetensors", "m-00002.safetensors"}));
  EXPECT_EQ(index.weight_map.size(), 3u);
  EXPECT_EQ(index.weight_map[0].first, "w2");
  EXPECT_EQ(ParseSafetensorsIndex(R"({"weight_map":{}})").total_size, 0u);
}

TEST(SafetensorsIndex, RefusesPathsThatLeaveTheRepository) {
  for (const char* file : {"../x", "/etc/passwd", "a/../b", "", "a//b", "a\\\\b"}) {
    EXPECT_THROW(ParseSafetensorsIndex(std::string(R"({"weight_map":{"w":")") + file + "\"}}"),
                 Error)
        << file;
  }
  for (const char* json : {"[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"w":1}})"}) {
    EXPECT_THROW(ParseSafetensorsIndex(json), Error) << json;
  }
}

}  // namespace
}  // namespace hearth
