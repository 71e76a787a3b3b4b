#include "parkd/message/sip_uri.h"

#include <gtest/gtest.h>

namespace callpark::sip {
namespace {

SipUri uri(std::string_view text) {
  const auto parsed = parse_uri(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(SipUri{});
}

TEST(SipUri, HasItsPartsAsWritten) {
  const SipUri u = uri("SIPS:alice:secret@[2001:db8::1]:5061;Transport=tcp;lr;x=%41?Subject=a%20b&Priority=");
  EXPECT_EQ(u.scheme(), "sips");
  EXPECT_TRUE(u.is_sip());
  EXPECT_EQ(u.user(), "alice");
  EXPECT_EQ(u.password_as_written(), "secret");
  EXPECT_EQ(u.host(), "[2001:db8::1]");
  EXPECT_EQ(u.port(), 5061);
  EXPECT_EQ(u.transport(), "tcp");
  EXPECT_TRUE(u.has_lr());
  EXPECT_EQ(u.params().get("X"), "%41");
  EXPECT_EQ(u.header("subject"), "a b");
  EXPECT_EQ(u.header("Priority"), "");
  EXPECT_EQ(u.header("Route"), std::nullopt);
}

TEST(SipUri, IsWrittenLetterByLetterAsItWasRead) {
  for (const std::string_view text :
       {"sip:101@demo.callpark", "sip:demo.callpark", "sip:%2A68@h", "sip:*68@h:5060;lr", "sip:a:@h", "sip:a;b?c/d@h",
        "sip:h;p=;q", "sip:h?a=b&c=d", "sip:127.0.0.1;lr;ftag=1;did=6f2.0c41", "sip:127.0.0.1;lr;ftag=a`%z;did=6f2",
        "sip:127.0.0.1;transport=tcp;thinfo=VG8+/w==;lr", "tel:+44(20)-300;ext=1"}) {
    EXPECT_EQ(uri(text).to_string(), text);
  }
}

TEST(SipUri, AnEmptyUserIsNone) {
  const SipUri u = uri("sip:@127.0.0.1:5060;user=phone");
  EXPECT_EQ(u.user(), "");
  EXPECT_EQ(u.host(), "127.0.0.1");
  EXPECT_EQ(u.to_string(), "sip:127.0.0.1:5060;user=phone");
}

TEST(SipUri, UserIsReadWithoutEscapes) {
  EXPECT_EQ(uri("sip:*68102@h").user(), "*68102");
  EXPECT_EQ(uri("sip:%2368@h").user(), "#68");
  EXPECT_EQ(uri("sip:*68102%23@h").user(), "*68102#");
  EXPECT_EQ(uri("sip:*68102#@h").user(), "*68102#") << "phones send it unescaped";
  EXPECT_EQ(uri("sip:+442030000101@h").user(), "+442030000101");
  EXPECT_EQ(uri("sip:a%40b@h").user(), "a@b");
  EXPECT_EQ(uri("sip:h").user(), "");
}

TEST(SipUri, UserIsEscapedWhereItMustBe) {
  EXPECT_EQ(SipUri("*68", "h").to_string(), "sip:*68@h");
  EXPECT_EQ(SipUri("#1;a@b c", "h", 5062).to_string(), "sip:%231%3Ba%40b%20c@h:5062");
  EXPECT_EQ(SipUri("+44", "h").to_string(), "sip:+44@h");
  EXPECT_EQ(SipUri("", "h").to_string(), "sip:h");
  SipUri u = uri("sip:a@h");
  u.set_user("\r\n");
  EXPECT_EQ(u.to_string(), "sip:%0D%0A@h");
}

TEST(SipUri, HeadersAreEscapedAndUnescaped) {
  SipUri u("102", "h");
  u.set_header("Replaces", "c@h;to-tag=a;from-tag=b");
  EXPECT_EQ(u.to_string(), "sip:102@h?Replaces=c%40h%3Bto-tag%3Da%3Bfrom-tag%3Db");
  EXPECT_EQ(uri(u.to_string()).header("replaces"), "c@h;to-tag=a;from-tag=b");
  EXPECT_EQ(uri("sip:102@h?Replaces=c@h;to-tag=a;from-tag=b").header("Replaces"), "c@h;to-tag=a;from-tag=b")
      << "phones send it unescaped";
  u.clear_headers();
  EXPECT_EQ(u.to_string(), "sip:102@h");
}

TEST(SipUri, OtherSchemesAreKeptWhole) {
  const SipUri u = uri("TEL:+1-201-555-0123;phone-context=x");
  EXPECT_EQ(u.scheme(), "tel");
  EXPECT_FALSE(u.is_sip());
  EXPECT_EQ(u.opaque(), "+1-201-555-0123;phone-context=x");
}

TEST(SipUri, ATelephoneDialsTheUserOrTheNumberOfATelUri) {
  EXPECT_EQ(uri("sip:%2A68102@h").number(), "*68102");
  EXPECT_EQ(uri("sip:john.smith-2@h").number(), "john.smith-2") << "a name has no visual separators";
  EXPECT_EQ(uri("sip:*88-101;phone-context=x@h").number(), "*88101") << "RFC 3261 19.1.6";
  EXPECT_EQ(uri("sip:+44-(20).7946@h;user=phone").number(), "+44207946");
  EXPECT_EQ(uri("sip:john.smith-2@h;user=phone").number(), "john.smith-2");
  EXPECT_EQ(uri("sip:h").number(), "");
  EXPECT_EQ(uri("tel:*68").number(), "*68");
  EXPECT_EQ(uri("tel:%2A68%23").number(), "*68#");
  EXPECT_EQ(uri("tel:+44-(20).7946;ext=1;phone-context=x").number(), "+44207946");
  EXPECT_EQ(uri("tel:102?Replaces=c%40h").number(), "102");
  EXPECT_EQ(uri("tel:;ext=1").number(), "");
  EXPECT_EQ(uri("mailto:a@b").number(), "");
}

TEST(SipUri, WhatIsMalformedIsRefused) {
  for (const std::string_view text : {"",           ":",          "sip",         "sip:",
                                      "sip:@",      "sip:a@",     "sip:a@h:",    "sip:a@h:65536",
                                      "sip:a@h:x",  "sip:a b@h",  "sip:a@h ",    " sip:a@h",
                                      "<sip:a@h>",  "sip:a@h;",   "sip:a@h;;lr", "sip:a@h; lr",
                                      "sip:a@h?",   "sip:a@h?=b", "sip:a@h?b&",  "sip:a%4@h",
                                      "sip:a%zz@h", "sip:[::1@h", "sip:a@[::1",  "sip:a@h\r\n",
                                      "sip:a@b@h",  "1sip:a@h",   "tel:",        "tel:+1 2"}) {
    EXPECT_FALSE(parse_uri(text)) << text;
  }
}

// RFC 3261 19.1.4, its own examples.
TEST(SipUri, EquivalentOnesAreEquivalent) {
  const auto same = [](std::string_view left, std::string_view right) {
    return uri(left).equivalent(uri(right)) && uri(right).equivalent(uri(left));
  };
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                   "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
  EXPECT_TRUE(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                   "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
  EXPECT_TRUE(same("tel:+1", "TEL:+1"));

  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  EXPECT_FALSE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
  EXPECT_FALSE(same("sip:a@h", "sips:a@h"));
  EXPECT_FALSE(same("sip:a@h", "sip:a:@h"));
  EXPECT_FALSE(same("tel:+1", "tel:+2"));
}

TEST(SipUri, AParameterThatStandsTwiceDoesNotMakeItDifferFromItself) {
  const SipUri u = uri("sip:a@h;x=1;x=2");
  EXPECT_TRUE(u.equivalent(u));
}

TEST(SipUri, UnescapeLeavesALonePercentSign) {
  EXPECT_EQ(unescape("100%"), "100%");
  EXPECT_EQ(unescape("%4"), "%4");
  EXPECT_EQ(unescape("%zz%41"), "%zzA");
  EXPECT_EQ(unescape(escape_user("%41")), "%41");
}

}  // namespace
}  // namespace callpark::sip
