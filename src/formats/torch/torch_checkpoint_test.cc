#include "formats/torch/torch_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "formats/archive/archive_fixture.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Text(std::string_view text) {
  std::string op = "X";
  AppendLittle(&op, text.size(), 4);
  return op.append(text);
}

// A storage of floats with the given key, as torch.save writes it.
std::string Storage(std::string_view key, uint8_t elements) {
  return "(" + Text("storage") + "ctorch\nFloatStorage\n" + Text(key) + Text("cpu") + "K" +
         static_cast<char>(elements) + "tQ";
}

std::string Number(uint8_t value) { return std::string("K") + static_cast<char>(value); }

std::string Rebuild(const std::string& storage, uint8_t offset, const std::string& shape,
                    const std::string& stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + Number(offset) + shape + stride +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

const std::string kTwoByTwo = Number(2) + Number(2) + "\x86";
const std::string kRows = Number(2) + Number(1) + "\x86";
const std::string kColumns = Number(1) + Number(2) + "\x86";

std::string Floats(std::vector<float> values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string Zip(const std::string& pickle, const std::string& data,
                const std::string& order = "little") {
  return MakeTestZip({{.name = "m/data.pkl", .data = pickle},
                      {.name = "m/byteorder", .data = order},
                      {.name = "m/data/0", .data = data}});
}

std::string Dict(const std::string& items) { return "\x80\2}(" + items + "u."; }

Code CodeOf(const std::string& file) {
  MemorySource source(file);
  try {
    TorchCheckpoint::Open(source);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "was accepted";
  return Code::kInternal;
}

TEST(TorchCheckpointTest, ReadsTensorsAndTheirStrides) {
  std::string pickle =
      Dict(Text("a") + Rebuild(Storage("0", 4), 0, kTwoByTwo, kRows) + Text("b") +
           Rebuild(Storage("0", 4), 0, kTwoByTwo, kColumns) + Text("epoch") + Number(7));
  std::string file = Zip(pickle, Floats({1, 2, 3, 4}));
  MemorySource source(file);
  TorchCheckpoint checkpoint = TorchCheckpoint::Open(source);
  ASSERT_EQ(checkpoint.tensors().size(), 2u);
  const TorchTensor& a = checkpoint.tensors()[0];
  const TorchTensor& b = checkpoint.tensors()[1];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype->safetensors, "F32");
  EXPECT_THAT(a.shape, ElementsAre(2, 2));
  EXPECT_TRUE(a.contiguous);
  EXPECT_FALSE(b.contiguous);
  EXPECT_EQ(a.storage, b.storage) << "views of one storage";
  EXPECT_EQ(checkpoint.ReadTensor(a), Floats({1, 2, 3, 4}));
  EXPECT_EQ(checkpoint.ReadTensor(b), Floats({1, 3, 2, 4}));
  EXPECT_EQ(checkpoint.values().Find("epoch")->AsInt(), 7);
}

TEST(TorchCheckpointTest, ReadsPiecesThatAreNotWholeElements) {
  std::string file =
      Zip(Dict(Text("b") + Rebuild(Storage("0", 4), 0, kTwoByTwo, kColumns)), Floats({1, 2, 3, 4}));
  MemorySource source(file);
  TorchCheckpoint checkpoint = TorchCheckpoint::Open(source);
  std::string whole = checkpoint.ReadTensor(checkpoint.tensors()[0]);
  for (size_t begin = 0; begin < 16; ++begin) {
    for (size_t n = 0; begin + n <= 16; ++n) {
      std::string piece(n, '\0');
      checkpoint.ReadTensor(checkpoint.tensors()[0], begin, n, piece.data());
      EXPECT_EQ(piece, whole.substr(begin, n));
    }
  }
}

TEST(TorchCheckpointTest, GivesLittleEndianBytesOfABigEndianFile) {
  std::string big = Floats({1, 2, 3, 4});
  for (size_t i = 0; i < 16; i += 4) std::reverse(big.begin() + i, big.begin() + i + 4);
  std::string file =
      Zip(Dict(Text("a") + Rebuild(Storage("0", 4), 0, kTwoByTwo, kRows)), big, "big");
  MemorySource source(file);
  TorchCheckpoint checkpoint = TorchCheckpoint::Open(source);
  EXPECT_TRUE(checkpoint.big_endian());
  EXPECT_EQ(checkpoint.ReadTensor(checkpoint.tensors()[0]), Floats({1, 2, 3, 4}));
}

TEST(TorchCheckpointTest, RefusesOtherGlobals) {
  std::string file =
      Zip("\x80\2"
          "cos\nsystem\n" +
              Text("id") + "\x85R.",
          Floats({1}));
  MemorySource source(file);
  try {
    TorchCheckpoint::Open(source);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kForbidden);
    EXPECT_THAT(error.message(), HasSubstr("os.system"));
  }
}

TEST(TorchCheckpointTest, RefusesOtherOpcodes) {
  EXPECT_EQ(CodeOf(Zip("\x80\4\x95" + std::string(8, '\0') + "N.", "")), Code::kForbidden);
}

TEST(TorchCheckpointTest, RefusesTensorsThatLeaveTheirStorage) {
  std::string data = Floats({1, 2, 3, 4});
  std::string tensor = Rebuild(Storage("0", 4), 1, kTwoByTwo, kRows);
  EXPECT_EQ(CodeOf(Zip(Dict(Text("a") + tensor), data)), Code::kInvalidArgument);
  std::string larger = Rebuild(Storage("0", 5), 0, kTwoByTwo, kRows);
  EXPECT_EQ(CodeOf(Zip(Dict(Text("a") + larger), data)), Code::kInvalidArgument);
  std::string missing = Rebuild(Storage("1", 4), 0, kTwoByTwo, kRows);
  EXPECT_EQ(CodeOf(Zip(Dict(Text("a") + missing), data)), Code::kInvalidArgument);
}

TEST(TorchCheckpointTest, EveryTruncationIsAnError) {
  std::string file =
      Zip(Dict(Text("a") + Rebuild(Storage("0", 4), 0, kTwoByTwo, kRows)), Floats({1, 2, 3, 4}));
  for (size_t n = 0; n < file.size(); ++n) {
    MemorySource source(std::string_view(file).substr(0, n));
    EXPECT_THROW(TorchCheckpoint::Open(source), Error) << n;
  }
}

TEST(TorchCheckpointTest, EveryChangedByteIsReadOrRefused) {
  std::string file =
      Zip(Dict(Text("a") + Rebuild(Storage("0", 4), 0, kTwoByTwo, kRows)), Floats({1, 2, 3, 4}));
  for (size_t i = 0; i < file.size(); ++i) {
    for (int change : {1, 0x80, 0xFF}) {
      std::string bad = file;
      bad[i] = static_cast<char>(bad[i] ^ change);
      MemorySource source(bad);
      try {
        TorchCheckpoint checkpoint = TorchCheckpoint::Open(source);
        for (const TorchTensor& tensor : checkpoint.tensors()) {
          if (tensor.storage >= 0 && tensor.bytes < 4096) checkpoint.ReadTensor(tensor);
        }
      } catch (const Error&) {
      }
    }
  }
}

TEST(TorchCheckpointTest, ListsThatHoldThemselvesAreRefused) {
  EXPECT_EQ(CodeOf(Zip("\x80\2]q\0h\0a.", "")),
            Code::kInvalidArgument);  // the literal ends at the NUL
  std::string pickle("\x80\2]q\0h\0a.", 9);
  EXPECT_EQ(CodeOf(Zip(pickle, "")), Code::kTooLarge);
}

TEST(TorchCheckpointTest, RefusesArchivesThatContradictThemselves) {
  std::string pickle = Dict("");
  EXPECT_EQ(CodeOf(MakeTestZip({{.name = "m/data.pkl", .data = pickle}}, "before")),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(MakeTestZip({{.name = "m/data.pkl", .data = pickle}}, "", "after")),
            Code::kInvalidArgument);
  EXPECT_EQ(
      CodeOf(MakeTestZip({{.name = "m/data.pkl", .data = pickle, .local_name = "m/other.pkl"}})),
      Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(MakeTestZip(
                {{.name = "m/data.pkl", .data = pickle}, {.name = "m/data.pkl", .data = pickle}})),
            Code::kInvalidArgument);
}

TEST(TorchCheckpointTest, TorchScriptIsAProgramAndNotACheckpoint) {
  EXPECT_EQ(CodeOf(MakeTestZip({{.name = "m/data.pkl", .data = Dict("")},
                                {.name = "m/code/__torch__.py", .data = "pass"}})),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace hearth
