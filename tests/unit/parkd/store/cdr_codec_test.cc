#include "parkd/store/cdr_codec.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

Cdr example() {
  Cdr cdr;
  cdr.dialled = "+442030000400";
  cdr.caller_kind = Cdr::Kind::kTrunk;
  cdr.caller_number = "+390212345";
  cdr.caller_name = "=cmd|'/c calc'!A1";
  cdr.caller_withheld = true;
  cdr.caller_trunk = "carrier";
  cdr.callee_kind = Cdr::Kind::kAnnouncement;
  cdr.callee_number = "500";
  cdr.sip_call_id = "a\"b\\c@host";
  return cdr;
}

TEST(CdrCodec, B4_ACdrIsReadAsItWasWritten) {
  const auto read = parse_cdr(write_cdr(example()));
  ASSERT_TRUE(read) << read.error().why;
  EXPECT_EQ(*read, example());
}

TEST(CdrCodec, B4_ItsWordsAreThoseOfTheTable) {
  const Json json = json_of(example());
  EXPECT_EQ(json.at("direction"), "incoming");
  EXPECT_EQ(json.at("caller_kind"), "trunk");
  EXPECT_EQ(json.at("callee_kind"), "announcement");
  EXPECT_EQ(json.at("caller_withheld"), 1);
}

// The database would refuse it for ever, and keep the row of a call that has ended.
TEST(CdrCodec, B4_TextsOfTheNetworkFitIntoTheirColumns) {
  Cdr cdr = example();
  cdr.caller_name.clear();
  for (int i = 0; i < 5000; ++i) cdr.caller_name += "\xd0\xb6\xff";
  cdr.sip_call_id = std::string(9000, 'c');
  const auto read = parse_cdr(write_cdr(cdr));
  ASSERT_TRUE(read);
  std::string name;
  for (int i = 0; i < 32; ++i) name += "\xd0\xb6\xef\xbf\xbd";
  EXPECT_EQ(read->caller_name, name);
  EXPECT_EQ(read->sip_call_id, std::string(255, 'c'));
}

TEST(CdrCodec, B4_ForeignTextIsRefused) {
  std::string text = write_cdr(example());
  EXPECT_FALSE(parse_cdr(text.replace(text.find("\"trunk\""), 7, "\"trink\"")));
  EXPECT_FALSE(parse_cdr("{}"));
  EXPECT_FALSE(parse_cdr(""));
}

}  // namespace
}  // namespace callpark
