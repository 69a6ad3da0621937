#include "runtime/layers.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::runtime {
namespace {

Code CodeOf(const std::string& config) {
  try {
    ParseRope(ModelConfig::Parse(config), 64);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

TEST(Rope, RefusesSharesOfAHeadThatAreNone) {
  for (const char* share : {"-0.5", "0", "1.5", "1e300", "-1e300"}) {
    EXPECT_EQ(CodeOf(R"({"partial_rotary_factor": )" + std::string(share) + "}"),
              Code::kInvalidArgument)
        << share;
  }
  EXPECT_EQ(ParseRope(ModelConfig::Parse(R"({"partial_rotary_factor": 0.25})"), 64)
                .inverse_frequencies.size(),
            8u);
}

TEST(Rope, RefusesTrainedLengthsThatAreNone) {
  for (const char* length : {"0", "-4", "1e300"}) {
    EXPECT_EQ(CodeOf(R"({"rope_scaling": {"rope_type": "longrope", "short_factor": [],
                          "long_factor": [], "original_max_position_embeddings": )" +
                     std::string(length) + "}}"),
              Code::kInvalidArgument)
        << length;
  }
}

}  // namespace
}  // namespace hearth::runtime
