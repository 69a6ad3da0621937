#include "server/xet_api/xet_token.h"

#include "base/error.h"
#include "codec/base64.h"
#include "server/xet_api/xet_fixture.h"

namespace hearth::server {
namespace {

class XetTokenTest : public XetFixture {
 protected:
  int64_t NowSeconds() const { return ToUnixMillis(clock_.Now()) / 1000; }
  XetToken Sample() const {
    return {.scope = {.holder = hub::XetHolder::kBucket,
                      .holder_id = 7,
                      .user_id = 3,
                      .may_write = true,
                      .whole_user = false,
                      .token_id = 9},
            .expires = NowSeconds() + 60};
  }
  Code Fault(const std::string& text) const {
    try {
      ParseXetToken(*hub_, text);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;  // was accepted
  }
  std::string Signed(const std::string& payload) const {
    return "hxt_" + Base64UrlEncode(payload) + "." + hub_->Sign("xet-token", payload);
  }
};

TEST_F(XetTokenTest, CarriesItsScope) {
  XetToken token = ParseXetToken(*hub_, MakeXetToken(*hub_, Sample()));
  EXPECT_EQ(token.scope.holder, hub::XetHolder::kBucket);
  EXPECT_EQ(token.scope.holder_id, 7);
  EXPECT_EQ(token.scope.user_id, 3);
  EXPECT_TRUE(token.scope.may_write);
  EXPECT_FALSE(token.scope.whole_user);
  EXPECT_EQ(token.scope.token_id, 9);
  EXPECT_EQ(token.expires, Sample().expires);
}

TEST_F(XetTokenTest, LivesUntilItsEndAndSomeMinutes) {
  XetToken token = Sample();
  clock_.Advance(std::chrono::seconds(60) + kXetTokenGrace);
  EXPECT_NO_THROW(CheckNotExpired(token, clock_.Now()));
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_THROW(CheckNotExpired(token, clock_.Now()), Error);
}

TEST_F(XetTokenTest, EveryChangedOrMissingCharacterIsNoticed) {
  std::string good = MakeXetToken(*hub_, Sample());
  ASSERT_NO_THROW(ParseXetToken(*hub_, good));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Fault(changed), Code::kUnauthenticated) << i;
    EXPECT_EQ(Fault(good.substr(0, i)), Code::kUnauthenticated) << i;
  }
  EXPECT_EQ(Fault(good + "0"), Code::kUnauthenticated);
  EXPECT_EQ(Fault(good + "." + good), Code::kUnauthenticated);
}

TEST_F(XetTokenTest, GarbageIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("hxt_"), std::string("hxt_."), std::string("hf_abc"),
        std::string("hxt_") + std::string(100'000, 'A'), "hxt_" + std::string(5, '\0')}) {
    EXPECT_EQ(Fault(text), Code::kUnauthenticated) << text.size();
  }
}

// What no hub writes is refused even under a good signature.
TEST_F(XetTokenTest, SignedNonsenseIsRefused) {
  EXPECT_NO_THROW(ParseXetToken(*hub_, Signed("0 1 1 1 1 0 5")));
  for (const char* payload :
       {"", "0 1 1 1 1 5", "0 1 1 1 1 0 5 6", "2 1 1 1 1 0 5", "0 -1 1 1 1 0 5", "0  1 1 1 1 5",
        "0 1 x 1 1 0 5", "0 99999999999999999999 1 1 1 0 5"}) {
    EXPECT_EQ(Fault(Signed(payload)), Code::kUnauthenticated) << payload;
  }
}

TEST_F(XetTokenTest, ASignatureForAnotherPurposeIsNoToken) {
  std::string payload = "0 1 1 1 1 0 5";
  EXPECT_EQ(Fault("hxt_" + Base64UrlEncode(payload) + "." + hub_->Sign("xet-data", payload)),
            Code::kUnauthenticated);
}

}  // namespace
}  // namespace hearth::server
