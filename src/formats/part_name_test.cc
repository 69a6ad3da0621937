#include "formats/part_name.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(PartName, TellsThePartsOfAFileOfWeights) {
  std::optional<PartName> part = ParsePartName("onnx/model-00002-of-00003.safetensors");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->stem, "onnx/model");
  EXPECT_EQ(part->number, 2u);
  EXPECT_EQ(part->count, 3u);
  EXPECT_EQ(part->ending, ".safetensors");
}

TEST(PartName, WholeFilesAndImpossibleNumbersAreNoParts) {
  for (const char* path :
       {"", "model.safetensors", "-00001-of-00001", "model-00000-of-00002.bin",
        "model-00003-of-00002.bin", "model-0001-of-0002.bin", "model-00001-to-00002.bin",
        "model-0000x-of-00002.bin", "model-00001-of-00002"}) {
    EXPECT_FALSE(ParsePartName(path)) << path;
  }
}

}  // namespace
}  // namespace hearth
