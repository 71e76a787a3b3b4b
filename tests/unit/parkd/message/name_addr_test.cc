#include "parkd/message/name_addr.h"

#include <gtest/gtest.h>

namespace callpark::sip {
namespace {

NameAddr address(std::string_view text) {
  const auto parsed = parse_name_addr(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(NameAddr{});
}

TEST(NameAddr, HasDisplayUriAndParameters) {
  const NameAddr a = address("\"Front \\\"desk\\\"\" <sip:101@h;lr>;tag=abc;expires=30");
  EXPECT_EQ(a.display, "Front \"desk\"");
  EXPECT_EQ(a.uri.to_string(), "sip:101@h;lr");
  EXPECT_EQ(a.tag(), "abc");
  EXPECT_EQ(a.params.get("Expires"), "30");
  EXPECT_EQ(address("Front desk <sip:101@h>").display, "Front desk");
  EXPECT_EQ(address("José <sip:101@h>").display, "José");
  EXPECT_EQ(address("<sip:101@h>").display, "");
}

// RFC 3261 20: without angle brackets the parameters are the header's.
TEST(NameAddr, ParametersWithoutBracketsBelongToTheHeader) {
  const NameAddr a = address("sip:101@h;tag=abc");
  EXPECT_TRUE(a.uri.params().empty());
  EXPECT_EQ(a.tag(), "abc");
  EXPECT_EQ(a.to_string(), "<sip:101@h>;tag=abc");
}

TEST(NameAddr, SpaceIsAllowedAroundSeparators) {
  const NameAddr a = address("  \"a\"\t<sip:101@h> ; tag = abc ;x= \"q;,\" ");
  EXPECT_EQ(a.tag(), "abc");
  EXPECT_EQ(a.params.get("x"), "\"q;,\"");
}

TEST(NameAddr, IsWrittenSoThatItIsReadBack) {
  const NameAddr a{"a \"b\" \\ \r\n,<", SipUri("*68", "h"), {{"tag", "1"}, {"flag", std::nullopt}}};
  EXPECT_EQ(address(a.to_string()), a);
  EXPECT_EQ((NameAddr{"", SipUri("101", "h"), {}}).to_string(), "<sip:101@h>");
}

TEST(NameAddr, TagCanBeSetAndReplaced) {
  NameAddr a = address("<sip:101@h>;x=1");
  EXPECT_EQ(a.tag(), "");
  a.set_tag("one");
  a.set_tag("two");
  EXPECT_EQ(a.to_string(), "<sip:101@h>;x=1;tag=two");
}

TEST(NameAddr, ListsAreSplitAtTheRightCommas) {
  const auto list = parse_name_addr_list("\"a, b\" <sip:1@h;x=a>;p=1 , <sip:a,b@h>, sip:3@h;tag=x");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3U);
  EXPECT_EQ((*list)[0].display, "a, b");
  EXPECT_EQ((*list)[1].uri.user(), "a,b");
  EXPECT_EQ((*list)[2].tag(), "x");
}

TEST(NameAddr, WhatIsMalformedIsRefused) {
  for (const std::string_view text :
       {"", "*", "sip:", "101", "<sip:a@h", "sip:a@h>", "\"a <sip:a@h>", "\"a\" sip:a@h", "a, b <sip:a@h>",
        "< sip:a@h>", "<sip:a@h> x", "<sip:a@h>;", "<sip:a@h>;;tag=1", "<sip:a@h>;tag=\"x", "sip:a@h?Route=x",
        "<sip:a@h>,<sip:b@h>", "a <b> <sip:a@h>", "<<sip:a@h>>"}) {
    EXPECT_FALSE(parse_name_addr(text)) << text;
  }
  for (const std::string_view text : {"", ",", "<sip:a@h>,", ",<sip:a@h>", "<sip:a@h>,,<sip:b@h>"}) {
    EXPECT_FALSE(parse_name_addr_list(text)) << text;
  }
}

}  // namespace
}  // namespace callpark::sip
