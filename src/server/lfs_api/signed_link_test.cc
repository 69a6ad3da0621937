#include "server/lfs_api/signed_link.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace hearth::server {
namespace {

class SignedLinkTest : public ::testing::Test {
 protected:
  SignedLinkTest()
      : clock_(FromUnixMillis(1'750'000'000'000)),
        root_(std::filesystem::temp_directory_path() /
              ("hearth-link-" + HexEncode(RandomBytes(8)))),
        hub_({.data = root_, .clock = &clock_}, /*exclusive=*/false) {
    link_.purpose = LinkPurpose::kPart;
    link_.repo_id = 7;
    link_.user_id = 3;
    link_.oid = Sha256Of("weights");
    link_.size_bytes = 1000;
    link_.part = 2;
    link_.expires = ToUnixMillis(clock_.Now()) / 1000 + 60;
  }
  ~SignedLinkTest() override { std::filesystem::remove_all(root_); }

  // The request that a client makes by following `target`.
  static net::Request Follow(const std::string& target) {
    net::Request request;
    request.method = "PUT";
    request.raw_target = target;
    size_t query = target.find('?');
    request.raw_path = target.substr(0, query);
    request.raw_query = target.substr(query + 1);
    std::vector<std::string_view> parts = Split(request.raw_path, '/');
    request.captures.emplace_back("oid", parts.at(4));
    if (parts.size() > 5) request.captures.emplace_back("part", parts[5]);
    return request;
  }

  std::string Refusal(const std::string& target, LinkPurpose purpose = LinkPurpose::kPart) {
    try {
      CheckLink(hub_, Follow(target), purpose, clock_.Now());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kForbidden);
      return error.message();
    }
    return "accepted";
  }

  static std::string Replaced(std::string text, const std::string& from, const std::string& to) {
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  ManualClock clock_;
  std::filesystem::path root_;
  hub::Hub hub_;
  SignedLink link_;
};

TEST_F(SignedLinkTest, ComesBackAsItWasMade) {
  SignedLink back =
      CheckLink(hub_, Follow(MakeLink(hub_, link_)), LinkPurpose::kPart, clock_.Now());
  EXPECT_EQ(back.repo_id, 7);
  EXPECT_EQ(back.user_id, 3);
  EXPECT_EQ(back.oid, link_.oid);
  EXPECT_EQ(back.size_bytes, 1000u);
  EXPECT_EQ(back.part, 2);
}

TEST_F(SignedLinkTest, AnyAlterationIsRefused) {
  std::string target = MakeLink(hub_, link_);
  std::string signature = target.substr(target.find("signature=") + 10);
  std::string broken = signature;
  broken[0] = broken[0] == 'a' ? 'b' : 'a';
  for (const std::string& altered : {
           Replaced(target, "repo=7", "repo=8"),
           Replaced(target, "user=3", "user=4"),
           Replaced(target, "size=1000", "size=1001"),
           Replaced(target, "/2?", "/3?"),
           Replaced(target, link_.oid.Hex(), Sha256Of("other").Hex()),
           Replaced(target, "expires=17", "expires=27"),
           Replaced(target, signature, broken),
           Replaced(target, "signature=" + signature, "signature="),
           Replaced(target, "&signature=" + signature, ""),
           Replaced(target, "size=1000", "size=-1"),
           Replaced(target, "/2?", "/99999999999999999999?"),
       }) {
    EXPECT_EQ(Refusal(altered), "This link is not valid: ask the LFS batch for a new one")
        << altered;
  }
}

TEST_F(SignedLinkTest, IsGoodForItsOwnPurposeOnly) {
  link_.purpose = LinkPurpose::kUpload;
  link_.part = 0;
  std::string target = Replaced(MakeLink(hub_, link_), "/upload/", "/download/");
  EXPECT_NE(Refusal(target, LinkPurpose::kDownload), "accepted");
}

TEST_F(SignedLinkTest, Expires) {
  std::string target = MakeLink(hub_, link_);
  clock_.Advance(std::chrono::seconds(60));
  EXPECT_EQ(Refusal(target), "accepted");
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Refusal(target), "This link has expired: ask the LFS batch for a new one");
}

}  // namespace
}  // namespace hearth::server
