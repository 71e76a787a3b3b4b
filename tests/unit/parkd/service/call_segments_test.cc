// The records of a call: its segments, each once, whenever parkd is killed and while the database is away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/recall_scene.h"

namespace callpark {
namespace {

using std::chrono::seconds;

class CallSegmentsTest : public testing::Test, public RecallWorld {
 protected:
  std::string segments(const ParkId& id) const { return store.segments.words(id); }
};

TEST_F(CallSegmentsTest, B4_EachPhaseOfAStayIsASegment) {
  const ParkId id = park();
  pass(seconds(60));
  EXPECT_EQ(segments(id), "") << "the first write after the park carries them";
  dial("102", "*88101");
  pass(seconds(30));
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 60 retrieved");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 60 retrieved, talk_after 102 30 hung_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_EachAttemptOfARecallIsASegment) {
  phones.target_status = 486;
  const ParkId id = park();
  pass(seconds(90));
  phones.target_status = 200;
  pass(seconds(10));
  pass(seconds(10));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, parked 90 recalling, recall 101 0 not_taken, parked 10 recalling, "
            "recall 101 0 recalled, talk_after 101 10 hung_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_CallerThatGivesUpDuringAnAttemptEndsIt) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(100));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 90 recalling, recall 101 10 gave_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_CallThatIsParkedAgainGoesOnWithTheNextNumber) {
  const ParkId id = park();
  dial("102", "*88101");
  pass(seconds(30));
  refer_of_peer(id, "102", "*68");
  pass(seconds(20));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 0 retrieved, talk_after 102 30 parked, parked 20 gave_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_RefusedReparkEndsNoTalk) {
  const ParkId id = retrieve();
  refer("103", "*68105");
  pass(seconds(30));
  const ReferralId again = refer_of_peer(id, "102", "*68105");
  settle();
  EXPECT_EQ(status_of_referral(again), 486);
  pass(seconds(30));
  const std::string before = segments(id);
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(segments(id), before + ", talk_after 102 60 hung_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_RefusedParkHasNoSegments) {
  park();
  refer("101", "*68");
  settle();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  refer("103", "*68");
  settle();
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
  EXPECT_EQ(events.words(), "parked 101, gave_up 101");
}

TEST_F(CallSegmentsTest, B4_SegmentGoesOnInTheNextParkd) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(40));
  restart();
  pass(seconds(60));
  restart();
  pass(seconds(10));
  dial("102", "*88101");
  pass(seconds(20));
  restart();
  pass(seconds(20));
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(segments(id),
            "talk_before 101 parked, parked 90 recalling, recall 101 20 retrieved, talk_after 102 40 hung_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_WhatEndsWhileTheDatabaseIsAwayIsRecordedWithItsTime) {
  const ParkId id = retrieve();
  store.is_away = true;
  pass(seconds(30));
  hang_up(id, PartyEnd::kPeer);
  pass(seconds(300));
  store.come_back();
  settle();
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 0 retrieved, talk_after 102 30 hung_up");
  end_all();
}

TEST_F(CallSegmentsTest, B4_RecallThatCannotBeWrittenIsOneAttempt) {
  const ParkId id = park();
  pass(seconds(80));
  store.is_away = true;
  pass(seconds(60));
  store.come_back();
  pass(seconds(20));
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(segments(id), testing::StartsWith("talk_before 101 parked, parked 90 recalling, recall 101 "));
  EXPECT_EQ(called().size(), 1U);
  end_all();
}

// A row without a segment.
TEST_F(CallSegmentsTest, B4_ParkedCallOfAnOlderParkdIsRecordedFromItsParkOn) {
  const ParkId id = park();
  pass(seconds(40));
  kill();
  store.rows.at(id).segment.reset();
  recover();
  pass(seconds(20));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(segments(id), "talk_before 101 parked, parked 60 gave_up");
  end_all();
}

TEST(CallSegments, B4_ClockThatIsBehindMakesNoNegativeSegment) {
  Stay stay;
  stay.parker = "101";
  const WallTime began{seconds(1000)};
  Segment open;
  open.number = 2;
  open.what = {park::SegmentKind::kParked};
  open.began_at = began;
  CallSegments segments(open);
  segments.follow(park::Recorded::kWaiting, park::State{}, {park::State{}, {park::RemoveRow{park::EndReason::kGaveUp}}},
                  stay, began - seconds(5));
  ASSERT_EQ(segments.ended().size(), 1U);
  EXPECT_EQ(segments.ended().front().ended_at, began);
  EXPECT_FALSE(segments.open());
}

}  // namespace
}  // namespace callpark
