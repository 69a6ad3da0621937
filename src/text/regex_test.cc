#include "text/regex.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

using Pieces = std::vector<std::string>;

Pieces All(std::string_view pattern, std::string_view text) {
  Pieces found;
  Regex::Compile(pattern).ForEachMatch(text, [&](RegexMatch match) {
    found.emplace_back(text.substr(match.begin, match.end - match.begin));
  });
  return found;
}

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

TEST(Regex, SplitsAsGpt2Does) {
  EXPECT_EQ(All(kGpt2, "It's 3 o'clock,   \u00e9t\u00e9!\n\n x"),
            (Pieces{"It", "'s", " 3", " o", "'", "clock", ",", "  ", " \u00e9t\u00e9", "!", "\n\n",
                    " x"}));
}

TEST(Regex, LeavesOutAnEmptyMatchBehindAMatch) {
  EXPECT_EQ(All("a*", "baac"), (Pieces{"", "aa", ""}));
  EXPECT_EQ(All("", "\u00e9"), (Pieces{"", ""}));
}

TEST(Regex, FoldsCaseAsOnigurumaDoes) {
  EXPECT_EQ(All("(?i:'s|'ll)", "'\u017f 'Ll"), (Pieces{"'\u017f", "'Ll"}));
  EXPECT_EQ(All("(?i)ss", "\u00df SS \u017fs \u1e9e"),
            (Pieces{"\u00df", "SS", "\u017fs", "\u1e9e"}));
  EXPECT_EQ(All("(?i)\u00df", "ss"), (Pieces{"ss"}));
  EXPECT_EQ(All("(?i)[\u00df]", "ss"), (Pieces{"ss"}));
}

TEST(Regex, ClassesInALookBehindFoldToSeveralCharacters) {
  EXPECT_EQ(All("(?i)(?<=[\ufb01a])x", "fix ax bx"), (Pieces{"x", "x"}));
  EXPECT_EQ(All("(?i)(?<![\u00dfa])x", "ssx bx"), (Pieces{"x"}));
  EXPECT_EQ(All("(?i)(?<=\ufb01)x", "fix \ufb01x"), (Pieces{"x"})) << "literals do not";
}

TEST(Regex, ARoundThatOnlyChangesAGroupGoesOn) {
  EXPECT_EQ(All("(?:(a|b)|((?<=a)))+\\k<-1>", "baaab"), (Pieces{"baaab"}));
  EXPECT_EQ(All("(?:(.)|((?=a)))+\\2", "bbab"), (Pieces{"bbab"}));
  EXPECT_EQ(All("(?:(?:)|b)*", "bb"), (Pieces{"", "", ""})) << "without references it ends";
}

TEST(Regex, AnIntervalWithPlusIsAnotherRepeat) {
  EXPECT_EQ(All("a{1,2}+a", "aaa"), (Pieces{"aaa"}));  // would fail if it were possessive
  EXPECT_EQ(All("a{3,1}a", "aaa"), Pieces{});          // {3,1} is {1,3} and possessive
  EXPECT_EQ(All("a{2}?b", "b"), (Pieces{"b"}));        // {2}? is (?:a{2})?
}

TEST(Regex, LinesAreAlwaysMany) {
  EXPECT_EQ(All("^.", "a\nb\n"), (Pieces{"a", "b"}));
  EXPECT_EQ(All(".$", "a\nb\n"), (Pieces{"a", "b"}));
  EXPECT_EQ(All(R"(.\Z)", "a\nb\n"), (Pieces{"b"}));
}

TEST(Regex, SetsCombine) {
  EXPECT_EQ(All("[a-w&&[^c-g]z]", "abchz"), (Pieces{"a", "b", "h"}));
  EXPECT_EQ(All("[^a&&b]", "ab"), (Pieces{"a", "b"}));
  EXPECT_EQ(All(R"([\w-%])", "-%a"), (Pieces{"-", "%", "a"}));
  EXPECT_EQ(All(R"(\pL)", "pLa"), (Pieces{"pL"}));  // a property needs its braces
}

TEST(Regex, WordOutsideBracketsTakesSuperscripts) {
  EXPECT_EQ(All(R"(\w)", "\u00b2"), (Pieces{"\u00b2"}));
  EXPECT_EQ(All(R"([\w])", "\u00b2"), Pieces{});
}

TEST(Regex, CutsClustersAsOnigurumaDoes) {
  // Conjuncts come apart, and joiners one behind the other join nothing.
  EXPECT_EQ(All("\\X", "\u0915\u094d\u0937"), (Pieces{"\u0915\u094d", "\u0937"}));
  EXPECT_EQ(All("\\X", "\U0001F44D\u200d\U0001F44D"), (Pieces{"\U0001F44D\u200d\U0001F44D"}));
  EXPECT_EQ(All("\\X", "\U0001F44D\u200d\u200d\U0001F44D"),
            (Pieces{"\U0001F44D\u200d\u200d", "\U0001F44D"}));
  EXPECT_EQ(All("\\X", "\u1100\U00016D63a\u0301\r\n\n\u0301"),
            (Pieces{"\u1100\U00016D63", "a\u0301", "\r\n", "\n", "\u0301"}));
}

TEST(Regex, AClusterSeesWhatStandsBeforeIt) {
  const std::string d = "\U0001F1E9", e = "\U0001F1EA", f = "\U0001F1EB", r = "\U0001F1F7";
  EXPECT_EQ(All("\\X", d + e + f + r + d), (Pieces{d + e, f + r, d}));
  EXPECT_EQ(All("\\G" + d + "|\\X", d + e + f + r), (Pieces{d, e, f + r}));
  EXPECT_EQ(All("(?<=\U0001F44D)\\X", "\U0001F44D\u200d\U0001F44D"), (Pieces{"\u200d\U0001F44D"}));
}

TEST(Regex, ManyIndicatorsAreCutInLinearTime) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "\U0001F1E9";
  EXPECT_EQ(All("\\X", text).size(), 100'000u);  // spends no more than its steps
}

TEST(Regex, SaysWhereAPatternIsWrong) {
  for (const char* bad :
       {"(", ")", "[a", "a**?+(", "*a", R"(\p{Nope})", "[z-a]", R"(\g<1>)", "(?<=a)*", "(?q)",
        R"(\xFF)", "\xFF", R"((?<n>a)\1)", R"(\k<n>)", "[[:nope:]]"}) {
    try {
      Regex::Compile(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << bad;
      EXPECT_NE(error.message().find(" at byte "), std::string::npos) << error.message();
    }
  }
}

TEST(Regex, GivesUpInsteadOfHanging) {
  RegexLimits limits;
  limits.max_steps = 100'000;
  Regex evil = Regex::Compile("(?:a|a)*(?:a|a)*(?:a|a)*b", limits);
  try {
    evil.Find(std::string(60, 'a'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTooLarge);
    EXPECT_NE(error.message().find("steps at byte"), std::string::npos);
  }
  limits.max_stack_bytes = 1000;
  EXPECT_THROW(Regex::Compile("(?:[ab]|a)*c", limits).Find(std::string(1000, 'a')), Error);
}

TEST(Regex, ReadsBytesThatAreNotUtf8AsReplacementCharacters) {
  EXPECT_EQ(All(".", "a\xFF\xE2\x82"), (Pieces{"a", "\xFF", "\xE2", "\x82"}));
  EXPECT_EQ(All(R"(\x{FFFD}+)", "a\xFF\xFEz"), (Pieces{"\xFF\xFE"}));
  EXPECT_EQ(All(R"((?<=\x{FFFD})z)", "a\xFFz"), (Pieces{"z"}));
}

TEST(Regex, LiteralTakesEveryCharacterAsItIs) {
  Regex literal = Regex::Literal("a.(");
  EXPECT_EQ(literal.Find("xa.(a.("), (RegexMatch{1, 4}));
  EXPECT_EQ(literal.Find("xa.(a.(", 2), (RegexMatch{4, 7}));
  EXPECT_EQ(literal.Find("ab("), std::nullopt);
}

TEST(Regex, RefusesThousandsOfDifferentClasses) {
  std::string pattern;
  for (int i = 0; i < 5000; ++i) {
    pattern += "[\\x{" + std::to_string(1000 + i) + "}z]?";
  }
  try {
    Regex::Compile(pattern);
    FAIL() << "each class is kilobytes of tables";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTooLarge) << error.message();
  }
}

}  // namespace
}  // namespace hearth
