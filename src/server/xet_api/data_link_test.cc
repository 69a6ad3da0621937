#include "server/xet_api/data_link.h"

#include <gmock/gmock.h>

#include <set>

#include "base/error.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/xet_fixture.h"

namespace hearth::server {
namespace {

using ::testing::ElementsAre;

TEST(ByteSpans, AreReadAndWrittenStrictly) {
  EXPECT_THAT(ParseSpans("0-0"), ElementsAre(ByteSpan{0, 1}));
  EXPECT_THAT(ParseSpans("5-9, 20-29"), ElementsAre(ByteSpan{5, 10}, ByteSpan{20, 30}));
  EXPECT_EQ(WriteSpans({{5, 10}, {20, 30}}), "5-9,20-29");
  for (const char* text : {"", "-", "5-", "-5", "9-5", "a-b", "1-2,", ",1-2", "1-2-3", "+1-2",
                           "0-18446744073709551615", "0-99999999999999999999", "1 - 2"}) {
    EXPECT_THROW(ParseSpans(text), Error) << text;
  }
}

TEST(ByteSpans, AreLimitedInNumber) {
  std::string text = "0-0";
  for (size_t i = 1; i < kMaxLinkRanges; ++i) text += "," + std::to_string(i) + "-9999";
  EXPECT_EQ(ParseSpans(text).size(), kMaxLinkRanges);
  EXPECT_THROW(ParseSpans(text + ",1-1"), Error);
}

TEST(ByteSpans, EachMustLieInOneThatIsAllowed) {
  std::vector<ByteSpan> allowed = {{10, 20}, {20, 30}, {50, 60}};
  EXPECT_TRUE(AllCovered({{10, 20}}, allowed));
  EXPECT_TRUE(AllCovered({{50, 60}, {12, 15}}, allowed));
  EXPECT_FALSE(AllCovered({{9, 20}}, allowed));
  EXPECT_FALSE(AllCovered({{10, 20}, {30, 50}}, allowed));
  EXPECT_FALSE(AllCovered({{55, 61}}, allowed));
}

TEST(FileRanges, FollowTheProtocol) {
  auto read = [](const std::string& header, uint64_t size) {
    FileRange range = ParseFileRange(&header, size);
    return std::pair{range.start, range.end};
  };
  EXPECT_EQ(read("bytes=0-99", 1000), std::pair(uint64_t{0}, uint64_t{100}));
  EXPECT_EQ(read("bytes=990-5000", 1000), std::pair(uint64_t{990}, uint64_t{1000}));
  EXPECT_EQ(read("bytes=7-", 1000), std::pair(uint64_t{7}, uint64_t{1000}));
  EXPECT_EQ(read("bytes=0-18446744073709551615", 1000), std::pair(uint64_t{0}, uint64_t{1000}));
  EXPECT_EQ(read("bytes=0-0", 0), std::pair(uint64_t{0}, uint64_t{0}));
  FileRange whole = ParseFileRange(nullptr, 1000);
  EXPECT_EQ(whole.end, 1000u);
  auto fault = [&](const std::string& header, uint64_t size) {
    try {
      read(header, size);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  EXPECT_EQ(fault("bytes=1000-1001", 1000), Code::kRangeNotSatisfiable);
  EXPECT_EQ(fault("bytes=1-1", 0), Code::kRangeNotSatisfiable);
  for (const char* header : {"", "bytes=", "bytes=-5", "bytes=5-4", "bytes=a-b", "lines=0-1",
                             "bytes=0-1,3-4", "-bytes=1", "bytes=1-2-"}) {
    EXPECT_EQ(fault(header, 1000), Code::kInvalidArgument) << header;
  }
}

class DataLinkTest : public XetFixture {
 protected:
  storage::XetHash xorb_ = storage::HashChunk("x");
  std::string Make() {
    return MakeDataLink(*hub_, "http://hub.test/xet/s", xorb_, {{0, 10}, {20, 30}});
  }
  std::vector<ByteSpan> Follow(const std::string& link) {
    net::Request request;
    request.raw_query = link.substr(link.find('?') + 1);
    DataLink followed = CheckDataLink(*hub_, request, xorb_);
    EXPECT_EQ(followed.xorb, storage::XorbForm(xorb_));
    return followed.spans;
  }
};

TEST_F(DataLinkTest, AllowsWhatItWasMadeFor) {
  EXPECT_THAT(Follow(Make()), ElementsAre(ByteSpan{0, 10}, ByteSpan{20, 30}));
}

TEST_F(DataLinkTest, StaysTheSameForSomeMinutesAndLivesAnHour) {
  clock_.Advance(std::chrono::seconds(1));  // just after a round time
  std::string link = Make();
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Make(), link);
  clock_.Advance(kDataLinkLifetime - std::chrono::seconds(1));
  EXPECT_NO_THROW(Follow(link));
  clock_.Advance(kDataLinkRounding + std::chrono::seconds(1));
  EXPECT_THROW(Follow(link), Error);
  EXPECT_NO_THROW(Follow(Make()));
}

TEST_F(DataLinkTest, NamesAFormThatOnlyTheHubCanRead) {
  std::set<std::string> tags;
  for (int number : {0, 1, 2, 300, 65535}) {
    storage::XorbForm xorb(xorb_, static_cast<uint16_t>(number));
    std::string link = MakeDataLink(*hub_, "http://hub.test/xet/s", xorb, {{0, 10}});
    net::Request request;
    request.raw_query = link.substr(link.find('?') + 1);
    EXPECT_EQ(CheckDataLink(*hub_, request, xorb_).xorb, xorb);
    std::string tag = *request.QueryParam("f");
    EXPECT_EQ(tag.size(), 20u);
    // Neither half repeats, as one of a plain number would.
    EXPECT_TRUE(tags.insert(tag.substr(0, 16)).second);
  }
}

TEST_F(DataLinkTest, AnyChangeEndsIt) {
  std::string link = Make();
  for (size_t i = link.find('?') + 1; i < link.size(); ++i) {
    std::string changed = link;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_THROW(Follow(changed), Error) << changed;
  }
  EXPECT_THROW(Follow("?"), Error);
  storage::XetHash other = storage::HashChunk("y");
  net::Request request;
  request.raw_query = link.substr(link.find('?') + 1);
  EXPECT_THROW(CheckDataLink(*hub_, request, other), Error);
}

}  // namespace
}  // namespace hearth::server
