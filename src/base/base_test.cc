#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/wake_up.h"

namespace hearth {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("hearth-base-" + RandomAlphanumeric(10));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

bool IsRung(const WakeUp& wake_up) {
  pollfd poll{wake_up.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

TEST(WakeUps, AreHeldBackUntilTheOutermostHoldEnds) {
  auto first = std::make_shared<WakeUp>(), second = std::make_shared<WakeUp>();
  {
    HeldWakeUps outer;
    RingSoon(first);
    {
      HeldWakeUps inner;
      RingSoon(second);
    }
    std::thread([&] { EXPECT_FALSE(IsRung(*first) || IsRung(*second)); }).join();
  }
  EXPECT_TRUE(IsRung(*first) && IsRung(*second));
}

TEST(WakeUps, RingAtOnceWhereAnotherThreadHolds) {
  auto wake_up = std::make_shared<WakeUp>();
  HeldWakeUps held;
  std::thread([&] { RingSoon(wake_up); }).join();
  EXPECT_TRUE(IsRung(*wake_up));
}

TEST(Cpu, TiersRiseFromThePortableOneToTheOneInUse) {
  auto tiers = SupportedTiers();
  ASSERT_FALSE(tiers.empty());
  EXPECT_EQ(tiers.front(), Tier::kPortable);
  EXPECT_EQ(tiers.back(), CpuTier());
  EXPECT_TRUE(std::is_sorted(tiers.begin(), tiers.end()));
  if (CpuTier() < Tier::kAvx512) EXPECT_FALSE(GetCpuExtensions().avx512_vbmi);
}

TEST(Bytes, HexRoundTripsAndRejectsOtherText) {
  std::string raw("\x00\x7f\xff\x10", 4);
  EXPECT_EQ(HexEncode(raw), "007fff10");
  EXPECT_EQ(HexDecode("007FFF10"), raw);
  EXPECT_EQ(HexDecode("0"), std::nullopt);
  EXPECT_EQ(HexDecode("0g"), std::nullopt);
}

TEST(Bytes, SplitKeepsEmptyPieces) {
  EXPECT_EQ(Split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(Split("", ',').size(), 1u);
}

TEST(Bytes, NumbersMustBeWholeAndFit) {
  EXPECT_EQ(ParseUint("18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", "1 ", "18446744073709551616", "0x10"}) {
    EXPECT_EQ(ParseUint(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInt("-42"), -42);
}

TEST(Bytes, CaseIsIgnoredOnlyForAscii) {
  EXPECT_TRUE(AsciiEqualsIgnoreCase("Content-TYPE", "content-type"));
  EXPECT_FALSE(AsciiEqualsIgnoreCase("\xC3\x89", "\xC3\xA9"));
}

TEST(Hash, MatchesPublishedVectors) {
  EXPECT_EQ(Sha256Of("abc").Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Of("").Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231, case 2.
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // `printf hello | git hash-object --stdin`
  EXPECT_EQ(GitBlobOid("hello").Hex(), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");
}

TEST(Hash, ASha256TakesItsBytesInAnySplit) {
  std::string bytes;
  for (int i = 0; i < 400; ++i) bytes += static_cast<char>(i * 37 + i / 7);
  for (size_t first = 0; first <= 130; ++first) {
    Sha256Hasher hasher;
    hasher.Update(std::string_view(bytes).substr(0, first));
    EXPECT_EQ(hasher.PendingBytes(), first % 64);
    Sha256Hasher copy = hasher.Clone();
    hasher.Update(std::string_view(bytes).substr(first));
    EXPECT_EQ(hasher.Finish(), Sha256Of(bytes));
    EXPECT_EQ(copy.Finish(), Sha256Of(std::string_view(bytes).substr(0, first)));
  }
}

TEST(Hash, BlocksThatAKernelTookCountAsTaken) {
  std::string bytes(192, 'x');
  Sha256Hasher kernel;
  kernel.Update(bytes);
  Sha256Hasher hasher;
  std::copy_n(kernel.ChainingWords(), 8, hasher.ChainingWords());
  hasher.NoteBlocks(3);
  hasher.Update("tail");
  EXPECT_EQ(hasher.Finish(), Sha256Of(bytes + "tail"));
}

TEST(Hash, DigestFromHexDemandsTheCanonicalForm) {
  std::string hex(64, 'a');
  EXPECT_EQ(Sha256::FromHex(hex)->Hex(), hex);
  EXPECT_EQ(Sha256::FromHex(std::string(64, 'A')), std::nullopt);
  EXPECT_EQ(Sha256::FromHex(std::string(63, 'a')), std::nullopt);
  EXPECT_EQ(Sha256::FromHex("../" + std::string(61, 'a')), std::nullopt);
}

TEST(Clock, DatesHaveMillisecondsAndZ) {
  TimePoint time = FromUnixMillis(1738314611007);
  EXPECT_EQ(FormatIso8601(time), "2025-01-31T09:10:11.007Z");
  EXPECT_EQ(ParseIso8601("2025-01-31T09:10:11.007Z"), time);
  EXPECT_EQ(ToUnixMillis(*ParseIso8601("2025-01-31T09:10:11Z")), 1738314611000);
  EXPECT_EQ(ParseIso8601("2025-01-31 09:10"), std::nullopt);
  EXPECT_EQ(ParseIso8601("2025-01-31T09:10:11+01:00"), std::nullopt);
  EXPECT_EQ(FormatHttpDate(time), "Fri, 31 Jan 2025 09:10:11 GMT");
}

TEST(Random, IdsAreDistinctAndWellFormed) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string id = NewObjectId();
    EXPECT_EQ(id.size(), 24u);
    EXPECT_TRUE(IsLowerHex(id));
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(RandomAlphanumeric(34).size(), 34u);
}

TEST_F(FileTest, DurableWriteReplacesAndLeavesNoTemporary) {
  auto file = folder_ / "key";
  WriteFileDurably(file, "one", 0600);
  WriteFileDurably(file, "two", 0600);
  EXPECT_EQ(ReadFile(file), "two");
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, ABareNameIsWrittenInTheWorkingFolder) {
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  EXPECT_NO_THROW(WriteFileDurably("bare", "x"));
  std::filesystem::current_path(before);
  EXPECT_EQ(ReadFile(folder_ / "bare"), "x");
}

TEST_F(FileTest, AbandonedTempFileDisappears) {
  { TempFile(folder_).Append("half"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(FileTest, MovedTempFileIsCommittedOnce) {
  TempFile first(folder_);
  first.Append("data");
  TempFile second = std::move(first);
  EXPECT_EQ(second.size(), 4u);
  second.CommitTo(folder_ / "final");
  EXPECT_EQ(ReadFile(folder_ / "final"), "data");
}

TEST_F(FileTest, LimitsAndMissingFilesAreErrorsWithACode) {
  WriteFileDurably(folder_ / "big", std::string(100, 'x'));
  try {
    ReadFile(folder_ / "big", 99);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTooLarge);
  }
  try {
    ReadFile(folder_ / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

TEST(ErrorMapping, DiskFaultsAreTold) {
  for (int number : {ENOSPC, EDQUOT, EROFS}) {
    try {
      ThrowErrno("write", number);
    } catch (const Error& error) {
      EXPECT_EQ(HttpStatus(error.code()), 507);
    }
  }
  EXPECT_EQ(HttpStatus(Code::kPreconditionFailed), 412);
}

TEST(Log, EveryJsonLineParsesWhateverAPeerSent) {
  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("hearth-log-" + RandomAlphanumeric(10));
  log::Configure(log::Level::kInfo, log::Format::kJson, file);
  log::Info("request", {{"agent", std::string("a\"b\\\n\xe9 \xc3\xa9\xff")},
                        {"status", 200},
                        {"ms", 0.25},
                        {"complete", true},
                        {"plain", "text"}});
  log::Debug("too small to be kept");
  log::Configure(log::Level::kInfo, log::Format::kText);  // closes the file
  std::string line = ReadFile(file, 1 << 16);
  std::filesystem::remove(file);
  EXPECT_THAT(line, testing::EndsWith(
                        "\"level\":\"info\",\"message\":\"request\",\"agent\":\"a\\\"b\\\\\\u000a"
                        "\\u00e9 \xc3\xa9\\u00ff\",\"status\":200,\"ms\":0.250,\"complete\":true,"
                        "\"plain\":\"text\"}\n"));
}

}  // namespace
}  // namespace hearth
