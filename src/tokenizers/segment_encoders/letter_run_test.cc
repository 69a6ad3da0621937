#include "tokenizers/segment_encoders/letter_run.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth::tokenizers {
namespace {

// Every byte as the one that ends a run, at every place around two steps of 16.
TEST(LetterRun, EndsWhereThePlainFormEnds) {
  for (size_t size = 0; size < 50; ++size) {
    for (size_t place = 0; place <= size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, place % 2 == 0 ? 'z' : 'A');
        if (place < size) text[place] = static_cast<char>(byte);
        const auto* begin = reinterpret_cast<const uint8_t*>(text.data());
        const uint8_t* end = begin + size;
        ASSERT_EQ(SkipAsciiLetters(begin, end), internal::SkipRunPlain<IsAsciiLetter>(begin, end))
            << size << " " << place << " " << byte;
        ASSERT_EQ(SkipAlphanumeric(begin, end),
                  internal::SkipRunPlain<IsAsciiAlphanumeric>(begin, end))
            << size << " " << place << " " << byte;
        ASSERT_EQ(SkipAlphanumericOrBeyondAscii(begin, end),
                  internal::SkipRunPlain<IsAlphanumericOrBeyondAscii>(begin, end))
            << size << " " << place << " " << byte;
        ASSERT_EQ(SkipAboveSpace(begin, end), internal::SkipRunPlain<IsAboveSpace>(begin, end))
            << size << " " << place << " " << byte;
      }
    }
  }
}

TEST(LetterRun, TakesLettersAndDigitsOfAsciiAlone) {
  std::string text = "azAZ09_\xC3\xA9";
  const auto* begin = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = begin + text.size();
  EXPECT_EQ(SkipAsciiLetters(begin, end) - begin, 4);
  EXPECT_EQ(SkipAlphanumeric(begin, end) - begin, 6);
  EXPECT_EQ(SkipAlphanumericOrBeyondAscii(begin, end) - begin, 6);
  EXPECT_EQ(SkipAlphanumericOrBeyondAscii(begin + 7, end) - begin, 9);
  EXPECT_EQ(internal::SkipRunPlain<IsAsciiLetter>(begin, end) - begin, 4);
  EXPECT_EQ(internal::SkipRunPlain<IsAsciiAlphanumeric>(begin, end) - begin, 6);
}

}  // namespace
}  // namespace hearth::tokenizers
