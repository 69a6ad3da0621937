#include "formats/onnx/onnx_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string Varint(uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string Int(uint32_t number, uint64_t value) { return Varint(number << 3) + Varint(value); }
std::string Bytes(uint32_t number, const std::string& value) {
  return Varint(number << 3 | 2) + Varint(value.size()) + value;
}

OnnxModel Read(const std::string& file, bool refuse = true) {
  MemorySource source(file);
  OnnxLimits limits;
  limits.refuse_escapes = refuse;
  return ReadOnnx(source, limits);
}

std::string Model(const std::string& graph) {
  return Int(1, 8) + Bytes(2, "maker") + Bytes(7, graph) + Bytes(8, Int(2, 17));
}

std::string Tensor(const std::string& more) {
  return Int(1, 2) + Int(1, 3) + Int(2, 1) + Bytes(8, "w") + more;
}

std::string External(const std::string& location) {
  return Model(Bytes(5, Tensor(Bytes(13, Bytes(1, "location") + Bytes(2, location)) + Int(14, 1))));
}

TEST(OnnxModelTest, ReadsVersionsOperatorsAndInitializers) {
  OnnxModel model =
      Read(Model(Bytes(1, Bytes(4, "Add")) + Bytes(1, Bytes(4, "Add")) +
                 Bytes(1, Bytes(4, "Gemm")) + Bytes(5, Tensor(Bytes(9, std::string(24, 'x'))))));
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.producer, "maker");
  EXPECT_THAT(model.opsets, ElementsAre(Pair("", 17)));
  EXPECT_THAT(model.operators, ElementsAre(Pair("Add", 2), Pair("Gemm", 1)));
  ASSERT_EQ(model.initializers.size(), 1u);
  EXPECT_EQ(model.initializers[0].dtype, "float32");
  EXPECT_EQ(model.initializers[0].elements, 6u);
  EXPECT_EQ(model.initializers[0].data_bytes, 24u);
  EXPECT_EQ(model.parameters, 6u);
}

TEST(OnnxModelTest, ExternalDataStaysBesideTheModel) {
  EXPECT_EQ(Read(External("weights/w.bin")).initializers[0].location, "weights/w.bin");
  for (const char* path :
       {"../w.bin", "/etc/passwd", "a/../../w", "..\\w.bin", "C:\\w.bin", "", "a/.."}) {
    EXPECT_THROW(Read(External(path)), Error) << path;
    EXPECT_EQ(Read(External(path), false).escapes.size(), 1u) << path;
  }
}

TEST(OnnxModelTest, GraphsMayNotNestWithoutEnd) {
  std::string graph = Bytes(1, Bytes(4, "If"));
  for (int i = 0; i < 60; ++i) graph = Bytes(1, Bytes(4, "If") + Bytes(5, Bytes(6, graph)));
  EXPECT_THROW(Read(Model(graph)), Error);
}

TEST(OnnxModelTest, TruncationsAndChangesAreReadOrRefused) {
  std::string file = External("w.bin");
  for (size_t n = 0; n < file.size(); ++n) {
    try {
      Read(file.substr(0, n));
    } catch (const Error&) {
    }
    std::string bad = file;
    bad[n] = static_cast<char>(bad[n] ^ 0x55);
    try {
      Read(bad);
    } catch (const Error&) {
    }
  }
}

TEST(OnnxModelTest, NeedsAVersion) { EXPECT_THROW(Read(Bytes(2, "maker")), Error); }

}  // namespace
}  // namespace hearth
