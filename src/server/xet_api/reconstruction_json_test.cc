#include "server/xet_api/reconstruction_json.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "server/xet_api/data_link.h"

namespace hearth::server {
namespace {

using storage::XetHash;
using storage::XetTerm;
using storage::XorbRange;

constexpr char kFirst[] = "efe1cadb764676e18aaf60445e99431ed15ab35d3c83c768aaa6e615fd255dc8";
constexpr char kSecond[] = "3763adda41405d497b545bd03836f99240e5c3dcbb80fa06e213c1d68be8f269";

XetHash Hash(const char* text) { return *XetHash::FromText(text); }

std::string Link(const storage::XorbForm&, const std::vector<XorbRange>&) { return "link"; }

// The recorded answer to bytes 100000-150000 of a file of five terms, which the stock client
// rebuilt without a fault.
storage::Reconstruction RecordedPlan() {
  storage::Reconstruction plan;
  plan.offset_into_first_range = 18408;
  plan.terms = {
      {Hash(kFirst), 30112, 4, 5},
      {Hash(kSecond), 19500, 1, 3},
      {Hash(kFirst), 30112, 4, 5},
  };
  plan.xorbs = {
      {Hash(kSecond), {{1, 3, 9008, 28524}}},
      {Hash(kFirst), {{4, 5, 43900, 73259}}},
  };
  return plan;
}

// A and B stand for the two xorbs.
std::string Expected(std::string text) {
  for (const auto& [mark, hash] : {std::pair("AAAA", kFirst), std::pair("BBBB", kSecond)}) {
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
      text.replace(at, 4, hash);
    }
  }
  return text;
}

TEST(ReconstructionJson, Version2IsTheRecordedOne) {
  EXPECT_EQ(ReconstructionV2(RecordedPlan(), Link),
            Expected(R"({"offset_into_first_range":18408,"terms":[)"
                     R"({"hash":"AAAA","unpacked_length":30112,"range":{"start":4,"end":5}},)"
                     R"({"hash":"BBBB","unpacked_length":19500,"range":{"start":1,"end":3}},)"
                     R"({"hash":"AAAA","unpacked_length":30112,"range":{"start":4,"end":5}}],)"
                     R"("xorbs":{"BBBB":[{"url":"link","ranges":[{"chunks":{"start":1,"end":3},)"
                     R"("bytes":{"start":9008,"end":28523}}]}],)"
                     R"("AAAA":[{"url":"link","ranges":[{"chunks":{"start":4,"end":5},)"
                     R"("bytes":{"start":43900,"end":73258}}]}]}})"));
}

TEST(ReconstructionJson, Version1IsTheRecordedOne) {
  EXPECT_EQ(ReconstructionV1(RecordedPlan(), Link),
            Expected(R"({"offset_into_first_range":18408,"terms":[)"
                     R"({"hash":"AAAA","unpacked_length":30112,"range":{"start":4,"end":5}},)"
                     R"({"hash":"BBBB","unpacked_length":19500,"range":{"start":1,"end":3}},)"
                     R"({"hash":"AAAA","unpacked_length":30112,"range":{"start":4,"end":5}}],)"
                     R"("fetch_info":{"BBBB":[{"range":{"start":1,"end":3},)"
                     R"("url":"link","url_range":{"start":9008,"end":28523}}],)"
                     R"("AAAA":[{"range":{"start":4,"end":5},)"
                     R"("url":"link","url_range":{"start":43900,"end":73258}}]}})"));
}

TEST(ReconstructionJson, AnEmptyFileHasNoTerms) {
  EXPECT_EQ(ReconstructionV2({}, Link), R"({"offset_into_first_range":0,"terms":[],"xorbs":{}})");
  EXPECT_EQ(ReconstructionV1({}, Link),
            R"({"offset_into_first_range":0,"terms":[],"fetch_info":{}})");
}

// Clients ask for all ranges of a link at once: there is a limit to that.
TEST(ReconstructionJson, ManyRangesOfAXorbAreSpreadOverLinks) {
  storage::Reconstruction plan;
  std::vector<XorbRange>& ranges = plan.xorbs[Hash(kFirst)];
  for (uint32_t i = 0; i < 2 * kMaxLinkRanges + 1; ++i) {
    ranges.push_back({2 * i, 2 * i + 1, 100ull * i, 100ull * i + 50});
  }
  std::vector<size_t> sizes;
  Json answer = Json::Parse(
      ReconstructionV2(plan, [&](const storage::XorbForm&, const std::vector<XorbRange>& some) {
        sizes.push_back(some.size());
        return "link" + std::to_string(sizes.size());
      }));
  EXPECT_EQ(sizes, (std::vector<size_t>{kMaxLinkRanges, kMaxLinkRanges, 1}));
  const Json& entries = *answer.Find("xorbs")->Find(kFirst);
  ASSERT_EQ(entries.size(), 3u);
  const Json& last = entries.AsArray()->at(2);
  EXPECT_EQ(*last.Find("url")->AsString(), "link3");
  EXPECT_EQ(last.Find("ranges")->AsArray()->at(0).Find("bytes")->IntField("start"), 12800);
  sizes.clear();
  Json old = Json::Parse(ReconstructionV1(plan, [&](const storage::XorbForm&, const auto& some) {
    sizes.push_back(some.size());
    return "link";
  }));
  EXPECT_EQ(old.Find("fetch_info")->Find(kFirst)->size(), 2 * kMaxLinkRanges + 1);
  EXPECT_EQ(sizes, std::vector<size_t>(2 * kMaxLinkRanges + 1, 1))
      << "version 1 repeats its link for every range";
}

TEST(ReconstructionJson, ABatchJoinsWhatItsFilesNeedOfAXorb) {
  storage::Reconstruction one, two;
  one.terms = {{Hash(kFirst), 30, 0, 3}};
  one.xorbs[Hash(kFirst)] = {{0, 3, 0, 30}};
  two.terms = {{Hash(kFirst), 20, 2, 4}, {Hash(kFirst), 10, 7, 8}};
  two.xorbs[Hash(kFirst)] = {{2, 4, 20, 40}, {7, 8, 70, 80}};
  Json answer = Json::Parse(ReconstructionBatch({{Hash(kSecond), two}, {Hash(kFirst), one}}, Link));
  EXPECT_EQ(answer.Find("files")->Find(kSecond)->size(), 2u);
  EXPECT_EQ(answer.Find("files")->Find(kFirst)->size(), 1u);
  const Json& parts = *answer.Find("fetch_info")->Find(kFirst);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts.AsArray()->at(0).Dump(),
            R"({"range":{"start":0,"end":4},"url":"link","url_range":{"start":0,"end":39}})");
  EXPECT_EQ(parts.AsArray()->at(1).Find("url_range")->IntField("end"), 79);
}

// Two files of one repository may mean two forms of a xorb: their bytes lie elsewhere.
TEST(ReconstructionJson, FormsOfAXorbAreListedUnderItsHash) {
  storage::Reconstruction one, two;
  one.terms = {{Hash(kFirst), 30, 0, 3}};
  one.xorbs[Hash(kFirst)] = {{0, 3, 0, 30}};
  two.terms = {{Hash(kFirst), 20, 2, 4, 1}};
  two.xorbs[storage::XorbForm(Hash(kFirst), 1)] = {{2, 4, 90, 180}};
  std::vector<uint16_t> linked;
  auto link = [&](const storage::XorbForm& xorb, const std::vector<XorbRange>&) {
    linked.push_back(xorb.number);
    return "link";
  };
  Json answer = Json::Parse(ReconstructionBatch({{Hash(kSecond), two}, {Hash(kFirst), one}}, link));
  EXPECT_EQ(answer.Find("fetch_info")->size(), 1u);
  const Json& parts = *answer.Find("fetch_info")->Find(kFirst);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts.AsArray()->at(0).Find("url_range")->IntField("end"), 29);
  EXPECT_EQ(parts.AsArray()->at(1).Find("url_range")->IntField("start"), 90);
  EXPECT_EQ(linked, (std::vector<uint16_t>{0, 1}));
}

}  // namespace
}  // namespace hearth::server
