#include "codec/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (auto [plain, coded] : vectors) {
    EXPECT_EQ(Base64Encode(plain), coded);
    EXPECT_EQ(Base64Decode(coded), plain);
  }
}

TEST(Base64, EveryByteAndLengthSurvives) {
  std::mt19937 random(7);
  for (size_t length = 0; length < 300; ++length) {
    std::string bytes(length, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes) << length;
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes) << length;
  }
}

TEST(Base64, PaddingIsOptionalButNeverPartial) {
  EXPECT_EQ(Base64Decode("Zg"), "f");
  EXPECT_EQ(Base64Decode("Zm8"), "fo");
  for (const char* bad :
       {"Zg=", "Z", "Z===", "====", "=", "Zm9v=", "Zm9vYg=", "Zg==Zg==", "Zm8=x"}) {
    EXPECT_EQ(Base64Decode(bad), std::nullopt) << bad;
  }
}

TEST(Base64, RejectsEveryForeignByteAtEveryPlace) {
  const std::string good = Base64Encode("the quick brown fox jumps over");
  for (size_t at = 0; at + 2 < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      bool in_alphabet = std::isalnum(c) || c == '+' || c == '/';
      std::string text = good;
      text[at] = static_cast<char>(c);
      EXPECT_EQ(Base64Decode(text).has_value(), in_alphabet) << at << " " << c;
    }
  }
  EXPECT_EQ(Base64Decode("Zm9v\nYmFy"), std::nullopt);
  EXPECT_EQ(Base64Decode("-_-_"), std::nullopt);
  EXPECT_EQ(Base64UrlDecode("+/+/"), std::nullopt);
}

TEST(Base64, RejectsUnusedBitsThatAreNotZero) {
  EXPECT_EQ(Base64Decode("Zh=="), std::nullopt);
  EXPECT_EQ(Base64Decode("Zm9="), std::nullopt);
}

TEST(Base64, UrlAlphabetHasNoPaddingAndNoSlash) {
  EXPECT_EQ(Base64UrlEncode("\xFB\xFF\xFE\xFF"), "-__-_w");
  EXPECT_EQ(Base64UrlDecode("-__-_w=="), "\xFB\xFF\xFE\xFF");
}

}  // namespace
}  // namespace hearth
