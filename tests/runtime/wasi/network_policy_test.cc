// What NetworkPolicy's rules mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fermata/wasi/network.h"
#include "runtime/wasi/network_address.h"

namespace fermata::wasi {
namespace {

using testing::HasSubstr;

NetworkAddress At(absl::string_view text, uint16_t port) {
  NetworkAddress address;
  EXPECT_TRUE(ParseAddress(text, address)) << text;
  address.port = port;
  return address;
}

NetworkPolicy Allowing(absl::string_view rules) {
  NetworkPolicy policy;
  const absl::Status status = policy.Allow(rules);
  EXPECT_TRUE(status.ok()) << status;
  return policy;
}

TEST(NetworkPolicyTest, NothingIsAllowedAtFirst) {
  const NetworkPolicy none;
  EXPECT_TRUE(none.empty());
  for (const char* text : {"127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(none.AllowsConnect(At(text, 80))) << text;
    EXPECT_FALSE(none.AllowsListen(At(text, 0))) << text;
    EXPECT_FALSE(none.AllowsGroup(At(text, 0))) << text;
    EXPECT_FALSE(none.AllowsLiteral(At(text, 0))) << text;
  }
  EXPECT_FALSE(none.AllowsName("localhost"));
}

TEST(NetworkPolicyTest, AddressesAndPorts) {
  const NetworkPolicy policy = Allowing("127.0.0.1:8000-8100, 10.1.0.0/15:*");
  EXPECT_TRUE(policy.AllowsConnect(At("127.0.0.1", 8000)));
  EXPECT_TRUE(policy.AllowsListen(At("127.0.0.1", 8100)));
  EXPECT_FALSE(policy.AllowsConnect(At("127.0.0.1", 7999)));
  EXPECT_FALSE(policy.AllowsConnect(At("127.0.0.1", 8101)));
  EXPECT_FALSE(policy.AllowsListen(At("127.0.0.1", 0))) << "a port from elsewhere";
  EXPECT_FALSE(policy.AllowsConnect(At("127.0.0.2", 8000)));
  EXPECT_TRUE(policy.AllowsConnect(At("10.0.255.255", 1)));
  EXPECT_TRUE(policy.AllowsListen(At("10.1.2.3", 0)));
  EXPECT_FALSE(policy.AllowsConnect(At("10.2.0.0", 1)));
  EXPECT_FALSE(policy.AllowsConnect(At("::1", 8000)));
  EXPECT_TRUE(policy.AllowsLiteral(At("127.0.0.1", 1))) << "of some port";
  EXPECT_FALSE(policy.AllowsName("localhost"));
}

TEST(NetworkPolicyTest, Ipv6) {
  const NetworkPolicy policy = Allowing("[::1]:80,fd00::/8,[fe80::/10]:1-2,[2001:db8::]/33:5");
  EXPECT_TRUE(policy.AllowsConnect(At("::1", 80)));
  EXPECT_FALSE(policy.AllowsConnect(At("::1", 81)));
  EXPECT_TRUE(policy.AllowsConnect(At("fdff::1", 9)));
  EXPECT_FALSE(policy.AllowsConnect(At("fc00::1", 9)));
  EXPECT_TRUE(policy.AllowsConnect(At("febf::1", 2)));
  EXPECT_FALSE(policy.AllowsConnect(At("fec0::1", 2)));
  EXPECT_TRUE(policy.AllowsConnect(At("2001:db8:7fff::", 5)));
  EXPECT_FALSE(policy.AllowsConnect(At("2001:db8:8000::", 5)));
  EXPECT_FALSE(policy.AllowsConnect(At("127.0.0.1", 80)));
}

// ::ffff:a.b.c.d is a.b.c.d, in rules and in addresses.
TEST(NetworkPolicyTest, MappedAddressesAreIpv4) {
  const NetworkPolicy ipv6 = Allowing("[::]/0:*");
  EXPECT_TRUE(ipv6.AllowsConnect(At("2001:db8::1", 1)));
  EXPECT_FALSE(ipv6.AllowsConnect(At("::ffff:127.0.0.1", 1)));
  EXPECT_FALSE(ipv6.AllowsListen(At("::ffff:0.0.0.0", 1)));
  const NetworkPolicy ipv4 = Allowing("127.0.0.0/8:*");
  EXPECT_TRUE(ipv4.AllowsConnect(At("::ffff:127.0.0.1", 1)));
  EXPECT_FALSE(ipv4.AllowsConnect(At("::ffff:128.0.0.1", 1)));
  const NetworkPolicy mapped = Allowing("[::ffff:10.0.0.0/104]:7");
  EXPECT_TRUE(mapped.AllowsConnect(At("10.255.0.1", 7)));
  EXPECT_FALSE(mapped.AllowsConnect(At("11.0.0.1", 7)));
}

TEST(NetworkPolicyTest, AnyAddressMeansThisMachineOrAll) {
  const NetworkPolicy loopback = Allowing("127.0.0.1,::1");
  EXPECT_TRUE(loopback.AllowsConnect(At("0.0.0.0", 1)));
  EXPECT_TRUE(loopback.AllowsConnect(At("::", 1)));
  EXPECT_TRUE(loopback.AllowsConnect(At("::ffff:0.0.0.0", 1)));
  EXPECT_FALSE(loopback.AllowsListen(At("0.0.0.0", 1)));
  EXPECT_FALSE(loopback.AllowsListen(At("::", 1)));
  const NetworkPolicy any = Allowing("0.0.0.0:80");
  EXPECT_TRUE(any.AllowsListen(At("0.0.0.0", 80)));
  EXPECT_FALSE(any.AllowsConnect(At("0.0.0.0", 80))) << "that is 127.0.0.1";
}

TEST(NetworkPolicyTest, OneDirection) {
  const NetworkPolicy policy = Allowing("connect:127.0.0.1:*,listen:*:80,listen:224.0.0.1");
  EXPECT_TRUE(policy.AllowsConnect(At("127.0.0.1", 5)));
  EXPECT_FALSE(policy.AllowsListen(At("127.0.0.1", 5)));
  EXPECT_TRUE(policy.AllowsListen(At("::", 80)));
  EXPECT_FALSE(policy.AllowsConnect(At("10.0.0.1", 80)));
  EXPECT_TRUE(policy.AllowsGroup(At("224.0.0.1", 0)));
  EXPECT_FALSE(Allowing("connect:*").AllowsGroup(At("224.0.0.1", 0)));
  EXPECT_FALSE(policy.AllowsName("example.org"));
}

TEST(NetworkPolicyTest, Names) {
  const NetworkPolicy policy = Allowing("example.org,*.Example.NET.,resolve:localhost");
  for (const char* name : {"example.org", "EXAMPLE.org", "example.org.", "a.example.net",
                           "a.b.example.net.", "localhost"}) {
    EXPECT_TRUE(policy.AllowsName(name)) << name;
  }
  for (const char* name : {"www.example.org", "example.net", ".example.net", "badexample.net",
                           "example.org.evil", "", ".", "example.org.."}) {
    EXPECT_FALSE(policy.AllowsName(name)) << name;
  }
  EXPECT_FALSE(policy.AllowsConnect(At("127.0.0.1", 80))) << "names give no addresses";
}

TEST(NetworkPolicyTest, Everything) {
  const NetworkPolicy all = Allowing("*");
  EXPECT_TRUE(all.AllowsConnect(At("8.8.8.8", 1)) && all.AllowsListen(At("::", 0)) &&
              all.AllowsName("example.org"));
  const NetworkPolicy addresses = Allowing("*:443");
  EXPECT_TRUE(addresses.AllowsConnect(At("::ffff:8.8.8.8", 443)));
  EXPECT_FALSE(addresses.AllowsConnect(At("8.8.8.8", 444)));
  EXPECT_FALSE(addresses.AllowsName("example.org"));
  const NetworkPolicy names = Allowing("resolve:*");
  EXPECT_TRUE(names.AllowsName("example.org"));
  EXPECT_FALSE(names.AllowsConnect(At("127.0.0.1", 1)));
}

TEST(NetworkPolicyTest, WhatIsNoRule) {
  for (const char* text : {"",
                           ",",
                           "127.0.0.1,",
                           "300.1.1.1",
                           "10.0.0",
                           "10.0.0.0/33",
                           "10.0.0.0/",
                           "10.0.0.0/-1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:2-1",
                           "127.0.0.1:1-",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1:1-2-3",
                           "[::1",
                           "[::1]x",
                           "[127.0.0.1]:1",
                           "[::1/129]",
                           "::1/200",
                           ":80",
                           "*:",
                           "*:x",
                           "exa mple.org",
                           "*.",
                           "*example.org",
                           "a.*.org",
                           "resolve:",
                           "resolve:127.0.0.1",
                           "connect:example.org",
                           "listen:",
                           "fe80::1%lo"}) {
    NetworkPolicy policy;
    EXPECT_FALSE(policy.Allow(text).ok()) << text;
    EXPECT_TRUE(policy.empty()) << text;
  }
  NetworkPolicy policy;
  EXPECT_THAT(
      policy.Allow("127.0.0.1,example.org:80").message(),
      HasSubstr("\"example.org:80\": a rule for a name allows resolving it and has no ports"));
  EXPECT_TRUE(policy.empty()) << "all or nothing";
}

}  // namespace
}  // namespace fermata::wasi
