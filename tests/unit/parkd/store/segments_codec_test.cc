#include "parkd/store/segments_codec.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

Segment attempt() {
  Segment segment;
  segment.number = 3;
  segment.what = {park::SegmentKind::kRecall, park::RecallTarget::kRingGroup};
  segment.began_at = WallTime(Duration(1700000000123));
  segment.parked_at = WallTime(Duration(1699999999001));
  segment.orbit = "*7250";
  segment.parker = "101";
  segment.caller_number = "=cmd|'/c calc'!A1";
  segment.sip_call_id = "a\"b\\c@host";
  segment.party = "601";
  return segment;
}

TEST(SegmentsCodec, B4_OpenSegmentIsReadAsItWasWritten) {
  const auto read = parse_segment(write_segment(attempt()));
  ASSERT_TRUE(read.has_value()) << read.error().why;
  EXPECT_EQ(*read, attempt());
}

TEST(SegmentsCodec, B4_UnknownBeginningStaysUnknown) {
  Segment segment = attempt();
  segment.what = {};
  segment.began_at.reset();
  EXPECT_EQ(parse_segment(write_segment(segment)), segment);
}

TEST(SegmentsCodec, B4_EndedSegmentHasItsTimeAndItsEnd) {
  const std::string text =
      write_ended_segments({{attempt(), WallTime(Duration(1700000001456)), park::SegmentEnd::kNotTaken}});
  EXPECT_NE(text.find(R"("ended":"not_taken")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("ended_at":1700000001456)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("kind":"recall")"), std::string::npos) << text;
  EXPECT_EQ(text.front(), '[');
}

TEST(SegmentsCodec, B4_PermissionOfTheParkUnderWayIsReadAsItWasWritten) {
  Segment segment = attempt();
  EXPECT_EQ(write_segment(segment).find("park_permission"), std::string::npos) << "no hook was asked";
  for (const std::string failure : {"", "timeout"}) {
    segment.park_permission = HookPermission{WallTime(Duration(1700000000100)), failure};
    EXPECT_EQ(parse_segment(write_segment(segment)), segment);
  }
}

TEST(SegmentsCodec, B4_EndedHookHasWhatTheHookSaid) {
  Segment hook = attempt();
  hook.what = {park::SegmentKind::kHook};
  const WallTime ended_at(Duration(1700000001456));
  const std::string allowed = write_ended_segments({{hook, ended_at, park::SegmentEnd::kAllowed}});
  EXPECT_NE(allowed.find(R"("kind":"hook")"), std::string::npos) << allowed;
  EXPECT_NE(allowed.find(R"("ended":"allowed")"), std::string::npos) << allowed;
  EXPECT_EQ(allowed.find("hook_failure"), std::string::npos) << allowed;
  const std::string failed = write_ended_segments({{hook, ended_at, park::SegmentEnd::kAllowedOnError, "timeout"}});
  EXPECT_NE(failed.find(R"("ended":"allowed_on_error")"), std::string::npos) << failed;
  EXPECT_NE(failed.find(R"("hook_failure":"timeout")"), std::string::npos) << failed;
}

TEST(SegmentsCodec, B4_F6_TalkFromAMenuIsReadWithItsCdr) {
  Segment talk = attempt();
  EXPECT_EQ(write_segment(talk).find("cdr"), std::string::npos);
  talk.what = {park::SegmentKind::kTalk};
  talk.cdr.emplace().dialled = "400";
  for (const PartyEnd caller : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    talk.cdr_caller = caller;
    EXPECT_EQ(parse_segment(write_segment(talk)), talk);
  }
  const std::string ended =
      write_ended_segments({{talk, WallTime(Duration(1700000001456)), park::SegmentEnd::kCallee}});
  EXPECT_NE(ended.find(R"("kind":"talk")"), std::string::npos) << ended;
  EXPECT_NE(ended.find(R"("ended":"callee")"), std::string::npos) << ended;
  EXPECT_NE(ended.find(R"("cdr":{)"), std::string::npos) << ended;
}

TEST(SegmentsCodec, B4_ForeignTextIsRefused) {
  std::string text = write_segment(attempt());
  EXPECT_FALSE(parse_segment(text.replace(text.find("\"recall\""), 8, "\"rehash\"")).has_value());
  EXPECT_FALSE(parse_segment("{}").has_value());
  EXPECT_FALSE(parse_segment("").has_value());
}

}  // namespace
}  // namespace callpark
