#include "net/internal/trusted_proxies.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::net {
namespace {

Request From(std::string peer, std::initializer_list<Headers::Field> fields) {
  Request request;
  request.peer = std::move(peer);
  request.host = "inner:8080";
  for (const auto& [name, value] : fields) request.headers.Add(name, value);
  return request;
}

TEST(TrustedProxies, MatchesAddressesAndBlocks) {
  TrustedProxies proxies({"10.1.0.0/16", "192.168.1.7", "fd00::/8", "172.16.0.0/12", "unix"});
  for (const char* yes :
       {"10.1.255.1", "192.168.1.7", "fd12::1", "172.31.0.1", "unix", "::ffff:10.1.0.1"}) {
    EXPECT_TRUE(proxies.Trusts(yes)) << yes;
  }
  for (const char* no : {"10.2.0.1", "192.168.1.8", "fe80::1", "172.32.0.1", "", "nonsense"}) {
    EXPECT_FALSE(proxies.Trusts(no)) << no;
  }
  EXPECT_FALSE(TrustedProxies({"127.0.0.1"}).Trusts("unix"));
  EXPECT_TRUE(TrustedProxies({"0.0.0.0/0"}).Trusts("8.8.8.8"));
  EXPECT_FALSE(TrustedProxies({"0.0.0.0/0"}).Trusts("fd00::1"));
  for (const char* bad : {"10.0.0.0/33", "nonsense", "10.0.0.0/", "::/129", ""}) {
    EXPECT_THROW(TrustedProxies({bad}), Error) << bad;
  }
}

TEST(TrustedProxies, StrangersCannotSpeakForOthers) {
  TrustedProxies proxies({"10.0.0.1"});
  Request request = From("8.8.8.8", {{"X-Forwarded-For", "1.1.1.1"},
                                     {"X-Forwarded-Proto", "https"},
                                     {"X-Forwarded-Host", "evil"},
                                     {"Forwarded", "for=1.1.1.1;proto=https;host=evil"}});
  proxies.Apply(&request);
  EXPECT_EQ(request.peer, "8.8.8.8");
  EXPECT_EQ(request.host, "inner:8080");
  EXPECT_FALSE(request.secure);
  EXPECT_FALSE(request.peer_is_trusted_proxy);
}

TEST(TrustedProxies, TakesTheNearestUntrustedHop) {
  TrustedProxies proxies({"10.0.0.0/8"});
  Request request = From("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.9"},
                                      {"X-Forwarded-Proto", "https"},
                                      {"X-Forwarded-Host", "Hub.example"}});
  proxies.Apply(&request);
  EXPECT_EQ(request.peer, "1.2.3.4");  // 6.6.6.6 is what that client claimed
  EXPECT_EQ(request.host, "hub.example");
  EXPECT_TRUE(request.secure);
  EXPECT_TRUE(request.peer_is_trusted_proxy);
}

TEST(TrustedProxies, ReadsForwarded) {
  TrustedProxies proxies({"unix"});
  Request request = From(
      "unix",
      {{"Forwarded", "for=6.6.6.6;proto=http, For=\"[2001:db8::1]:99\";Proto=https;host=\"h:1\""}});
  proxies.Apply(&request);
  EXPECT_EQ(request.peer, "2001:db8::1");
  EXPECT_EQ(request.host, "h:1");
  EXPECT_TRUE(request.secure);
}

TEST(TrustedProxies, IgnoresWhatIsNoAddressOrHost) {
  TrustedProxies proxies({"10.0.0.1"});
  Request request =
      From("10.0.0.1", {{"X-Forwarded-For", "unknown"}, {"X-Forwarded-Host", "a b\"<"}});
  proxies.Apply(&request);
  EXPECT_EQ(request.peer, "10.0.0.1");
  EXPECT_EQ(request.host, "inner:8080");
  Request ported = From("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4:555"}});
  proxies.Apply(&ported);
  EXPECT_EQ(ported.peer, "1.2.3.4");
}

}  // namespace
}  // namespace hearth::net
