#include "parkd/message/via.h"

#include <gtest/gtest.h>

namespace callpark::sip {
namespace {

TEST(Via, HasItsParts) {
  const auto via = parse_via("SIP/2.0/UDP 127.0.0.11:5070;rport=40000;received=127.0.0.12;branch=z9hG4bK1;x");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "127.0.0.11");
  EXPECT_EQ(via->port, 5070);
  EXPECT_EQ(via->branch(), "z9hG4bK1");
  EXPECT_EQ(via->received(), "127.0.0.12");
  EXPECT_EQ(via->rport(), 40000);
  EXPECT_TRUE(via->params.has("X"));
}

// RFC 3581 3: the client puts rport without a value, the server fills it in.
TEST(Via, RportWithoutValueAsksForOne) {
  auto via = parse_via("SIP/2.0/UDP h;rport;branch=z9hG4bK1");
  ASSERT_TRUE(via);
  EXPECT_TRUE(via->has_rport());
  EXPECT_EQ(via->rport(), std::nullopt);
  EXPECT_EQ(via->port, std::nullopt);
  via->params.set("rport", "5060");
  via->params.set("received", "::1");
  EXPECT_EQ(via->to_string(), "SIP/2.0/UDP h;rport=5060;branch=z9hG4bK1;received=::1");
  EXPECT_EQ(parse_via(via->to_string()), *via);
}

TEST(Via, SpaceIsAllowedWhereTheGrammarHasIt) {
  const auto via = parse_via("SIP / 2.0 / TCP  [2001:db8::1] : 5060 ; branch = z9hG4bK1");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->to_string(), "SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bK1");
}

TEST(Via, ListsAreSplit) {
  const auto vias = parse_via_list("SIP/2.0/UDP a;branch=1 ,SIP/2.0/TCP b");
  ASSERT_TRUE(vias);
  ASSERT_EQ(vias->size(), 2U);
  EXPECT_EQ((*vias)[1].host, "b");
}

TEST(Via, WhatIsMalformedIsRefused) {
  for (const std::string_view text :
       {"", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 UDP h", "SIP/2.0/UDPh",
        "SIP/2.0/UDP h:", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;;branch=1", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h x",
        "SIP/2.0/UDP [::1;branch=1", "SIP/2.0/UDP a,", "SIP/2.0/UDP a,SIP/2.0/UDP b"}) {
    EXPECT_FALSE(parse_via(text)) << text;
  }
}

}  // namespace
}  // namespace callpark::sip
