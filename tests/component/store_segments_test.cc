// The records for billing: segments of parked calls, written with the row that they are about.
#include <gmock/gmock.h>

#include "tests/component/store_fixture.h"
#include "tests/component/store_relay.h"

namespace callpark::test {
namespace {

using ::testing::HasSubstr;
using Lost = StoreRelay::Lost;

constexpr WallTime kParkedAt{Duration(1700000000123)};

Segment segment(int number, park::SegmentKind kind, WallTime began_at) {
  Segment one;
  one.number = number;
  one.what.kind = kind;
  if (kind == park::SegmentKind::kRecall) one.what.target = park::RecallTarget::kParker;
  if (kind != park::SegmentKind::kTalkBefore) one.began_at = began_at;
  one.parked_at = kParkedAt;
  one.orbit = "102";
  one.parker = "101";
  one.caller_number = "+442030000999";
  one.sip_call_id = "call-1";
  if (kind != park::SegmentKind::kParked) one.party = "104";
  return one;
}

WallTime after(int seconds) {
  return kParkedAt + std::chrono::seconds(seconds);
}

EndedSegment talk_before() {
  return {segment(1, park::SegmentKind::kTalkBefore, {}), kParkedAt, park::SegmentEnd::kParked};
}
EndedSegment parked(int seconds, park::SegmentEnd end = park::SegmentEnd::kRetrieved) {
  return {segment(2, park::SegmentKind::kParked, kParkedAt), after(seconds), end};
}
EndedSegment hook(int number, WallTime from, WallTime to, const std::string& failure = "") {
  const auto end = failure.empty() ? park::SegmentEnd::kAllowed : park::SegmentEnd::kAllowedOnError;
  return {segment(number, park::SegmentKind::kHook, from), to, end, failure};
}
EndedSegment talk_after(int from, int to) {
  return {segment(3, park::SegmentKind::kTalkAfter, after(from)), after(to), park::SegmentEnd::kHungUp};
}

class StoreSegments : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute("DELETE FROM park_segments");
  }
  /// "1 talk_before parked, 2 parked 60000 retrieved"
  static std::string segments(const std::string& park_id) {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', segment, kind, milliseconds, ended) ORDER BY segment "
        "SEPARATOR ', '), '') FROM park_segments WHERE park_id = '" +
        park_id + "'");
  }
  /// A call that was retrieved after `seconds`: its row, as it is to be written.
  ParkedCallRow retrieved(Store& store, const std::string& park_id, int seconds) {
    ParkedCallRow row = park(store, park_id, at("102"));
    row.retriever = extension("104");
    row.segment = segment(3, park::SegmentKind::kTalkAfter, after(seconds));
    row.ended_segments = {talk_before(), parked(seconds)};
    return row;
  }
};

TEST_F(StoreSegments, B4_SegmentIsRecordedWithTheRowThatEndsIt) {
  const auto store = make_store();
  ParkedCallRow row = retrieved(*store, "p1", 60);
  EXPECT_EQ(segments("p1"), "");
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved");
  store->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
  finish_writes(*store);
  EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved, 3 talk_after 15000 hung_up");
  EXPECT_EQ(rows(), "0");
}

TEST_F(StoreSegments, B4_SegmentIsRecordedAsItWas) {
  const auto store = make_store();
  ParkedCallRow row = park(*store, "p1", at("102"));
  EndedSegment attempt{segment(4, park::SegmentKind::kRecall, after(1)), after(3), park::SegmentEnd::kNotTaken};
  attempt.segment.caller_number = "J\xc3\xb6rg \"the\" \\ 'Caller'";
  attempt.segment.sip_call_id = std::string(1000, 'c');
  row.ended_segments = {attempt};
  ASSERT_TRUE(write(*store, row));
  EXPECT_EQ(server().value("SELECT CONCAT_WS('|', park_id, segment, kind, recall_target, began_at, ended_at, "
                           "milliseconds, ended, parked_at, day, tenant, orbit, parker, HEX(caller_number), party, "
                           "LENGTH(call_id)) FROM park_segments"),
            "p1|4|recall|parker|2023-11-14 22:13:21.123|2023-11-14 22:13:23.123|2000|not_taken|"
            "2023-11-14 22:13:20.123|2023-11-14|demo.callpark|102|101|4AC3B67267202274686522205C202743616C6C657227|"
            "104|255");
}

TEST_F(StoreSegments, B4_HookIsRecordedWithWhatItSaid) {
  const auto store = make_store();
  ParkedCallRow row = retrieved(*store, "p1", 60);
  row.ended_segments = {hook(2, after(-1), kParkedAt), hook(4, after(58), after(60), "too_many_in_flight")};
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(
      server().value("SELECT GROUP_CONCAT(CONCAT_WS('|', segment, kind, milliseconds, ended, hook_failure, party) "
                     "ORDER BY segment SEPARATOR ', ') FROM park_segments"),
      "2|hook|1000|allowed||104, 4|hook|2000|allowed_on_error|too_many_in_flight|104");
}

TEST_F(StoreSegments, B4_NextParkdFindsThePermissionOfTheParkInTheRow) {
  Segment open = segment(1, park::SegmentKind::kTalkBefore, {});
  open.park_permission = HookPermission{after(-2), "timeout"};
  {
    const auto store = make_store();
    ParkedCallRow row = park(*store, "p1", at("102"));
    row.segment = open;
    ASSERT_TRUE(write(*store, row));
  }
  const auto store = make_store();
  const auto found = load(*store);
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ(found->front().segment, open);
}

TEST_F(StoreSegments, B4_NextParkdFindsTheOpenSegmentInTheRow) {
  const Segment open = segment(2, park::SegmentKind::kRecall, after(10));
  {
    const auto store = make_store();
    ParkedCallRow row = park(*store, "p1", at("102"));
    row.segment = open;
    ASSERT_TRUE(write(*store, row));
  }
  const auto store = make_store();
  const auto found = load(*store);
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ(found->front().segment, open);
  EXPECT_TRUE(found->front().ended_segments.empty());
}

TEST_F(StoreSegments, B4_SegmentThatIsWrittenAgainIsRecordedOnce) {
  const auto store = make_store();
  ParkedCallRow row = retrieved(*store, "p1", 60);
  store->write_retrieved(row);
  row.ended_segments = {talk_before(), parked(99)};
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved");
}

TEST_F(StoreSegments, B4_ParkdThatHasLostTheRowRecordsNothing) {
  const auto stopped = make_store();
  ParkedCallRow row = retrieved(*stopped, "p1", 60);
  run_for(Duration(2));  // the epoch is the time of the start, in milliseconds
  ASSERT_TRUE(load(*make_store()));
  stopped->write_retrieved(row);
  stopped->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
  finish_writes(*stopped);
  EXPECT_EQ(segments("p1"), "");
  EXPECT_EQ(column("state", "p1"), "parked");
}

TEST_F(StoreSegments, B4_WhichEverRequestOrReplyIsLostEachSegmentIsRecordedOnce) {
  StoreRelay relay(server().socket());
  const auto store = make_store_at(relay.socket());
  int cuts = 0;
  for (const Lost lost : {Lost::kRequest, Lost::kReply}) {
    for (int number = 1;; ++number) {
      ASSERT_LT(number, 100);
      SCOPED_TRACE((lost == Lost::kRequest ? "request " : "reply to ") + std::to_string(number));
      server().execute("DELETE FROM park_segments");
      const ParkedCallRow row = retrieved(*store, "p1", 60);
      relay.cut(lost, number);
      store->write_retrieved(row);
      store->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
      finish_writes(*store);
      EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved, 3 talk_after 15000 hung_up");
      EXPECT_EQ(rows(), "0");
      if (!relay.has_cut()) break;
      ++cuts;
    }
  }
  EXPECT_GE(cuts, 4);
}

TEST_F(StoreSegments, B4_WhatEndsWhileTheDatabaseIsAwayIsRecordedWhenItIsBack) {
  const auto store = make_store();
  ParkedCallRow row = retrieved(*store, "p1", 60);
  for (const bool is_killed : {false, true}) {
    is_killed ? server().kill9() : server().stop();
    if (is_killed) {
      store->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
    } else {
      store->write_retrieved(row);
    }
    run_for(Duration(300));
    EXPECT_EQ(store->waiting_writes(), 1U);
    server().start();
    finish_writes(*store);
  }
  EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved, 3 talk_after 15000 hung_up");
}

// The row goes with its last segment or not at all.
TEST_F(StoreSegments, B4_RowAndSegmentsAreWrittenTogetherOrNotAtAll) {
  const auto store = make_store();
  store->write_retrieved(retrieved(*store, "p1", 60));
  finish_writes(*store);
  server().execute(
      "CREATE TRIGGER refuses BEFORE DELETE ON parked_calls FOR EACH ROW SIGNAL SQLSTATE '45000' "
      "SET MESSAGE_TEXT = 'not now'");
  store->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
  finish_writes(*store);
  server().execute("DROP TRIGGER refuses");
  EXPECT_EQ(column("state", "p1"), "retrieved");
  EXPECT_EQ(segments("p1"), "1 talk_before parked, 2 parked 60000 retrieved");
}

// ---- views ----

class StoreBilling : public StoreSegments {
 protected:
  /// Three stays of two calls on one day: retrieved, given up, recalled by the second attempt.
  void record_day() {
    const auto store = make_store();
    ParkedCallRow row = retrieved(*store, "p1", 60);
    store->write_retrieved(row);
    store->remove(ParkId("p1"), park::EndReason::kHungUp, {talk_after(60, 75)});
    finish_writes(*store);
    park(*store, "p2", at("103"));
    std::vector<EndedSegment> ended{talk_before(), parked(90, park::SegmentEnd::kRecalling)};
    ended.push_back({segment(3, park::SegmentKind::kRecall, after(90)), after(100), park::SegmentEnd::kNotTaken});
    ended.push_back({segment(4, park::SegmentKind::kParked, after(100)), after(110), park::SegmentEnd::kRecalling});
    ended.push_back({segment(5, park::SegmentKind::kRecall, after(110)), after(112), park::SegmentEnd::kRecalled});
    ended.push_back({segment(6, park::SegmentKind::kTalkAfter, after(112)), after(142), park::SegmentEnd::kParked});
    EndedSegment again{segment(7, park::SegmentKind::kParked, after(142)), after(150), park::SegmentEnd::kGaveUp};
    again.segment.parked_at = after(142);
    again.segment.parker = "104";
    ended.push_back(again);
    store->remove(ParkId("p2"), park::EndReason::kGaveUp, ended);
    finish_writes(*store);
  }
};

TEST_F(StoreBilling, B4_EachStayHasItsSecondsItsOutcomeAndTheOneThatAnswered) {
  record_day();
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(CONCAT_WS(' ', park_id, parker, outcome, COALESCE(answered_by, '-'), "
                           "recall_attempts, ROUND(parked_seconds), ROUND(talk_seconds)) ORDER BY park_id, parked_at "
                           "SEPARATOR ', ') FROM billing_calls WHERE tenant = 'demo.callpark' AND day = '2023-11-14'"),
            "p1 101 retrieved 104 0 60 15, p2 101 recalled 104 2 112 30, p2 104 gave_up - 0 8 0");
}

TEST_F(StoreBilling, B4_DayIsTheSumOfItsStays) {
  record_day();
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', tenant, day, parks, retrieved, recalled, gave_up, timed_out, "
                           "recall_attempts, ROUND(parked_seconds), ROUND(talk_seconds)) FROM billing_days"),
            "demo.callpark 2023-11-14 3 1 1 1 0 2 180 45");
}

TEST_F(StoreBilling, B4_TimeOfTheHookIsNeitherParkedNorTalked) {
  const auto store = make_store();
  ParkedCallRow row = retrieved(*store, "p1", 60);
  EndedSegment talk_before = {segment(1, park::SegmentKind::kTalkBefore, {}), after(-3), park::SegmentEnd::kParked};
  EndedSegment waits = {segment(3, park::SegmentKind::kParked, kParkedAt), after(58), park::SegmentEnd::kRetrieved};
  EndedSegment talks = talk_after(60, 75);
  talks.segment.number = 5;
  row.ended_segments = {talk_before, hook(2, after(-3), kParkedAt), waits, hook(4, after(58), after(60), "timeout")};
  store->write_retrieved(row);
  store->remove(ParkId("p1"), park::EndReason::kHungUp, {talks});
  finish_writes(*store);
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', parker, outcome, answered_by, ROUND(parked_seconds), "
                           "ROUND(talk_seconds), ROUND(hook_seconds), hook_failures) FROM billing_calls"),
            "101 retrieved 104 58 15 5 1");
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', parks, retrieved, ROUND(parked_seconds), ROUND(talk_seconds), "
                           "ROUND(hook_seconds), hook_failures) FROM billing_days"),
            "1 1 58 15 5 1");
  EXPECT_THAT(server().value("SELECT line FROM billing_csv"), ::testing::EndsWith(",\"5.0000\",\"1\""));
}

TEST_F(StoreBilling, B4_FieldOfAnExportIsNoFormula) {
  for (const auto& [field, exported] :
       std::vector<std::pair<std::string, std::string>>{{"'=1+1'", "\"'=1+1\""},
                                                        {"'+4420'", "\"'+4420\""},
                                                        {"'-2'", "\"'-2\""},
                                                        {"'@SUM(A1)'", "\"'@SUM(A1)\""},
                                                        {"CONCAT(CHAR(9), '=1')", "\"'\t=1\""},
                                                        {"CONCAT(CHAR(13), '=1')", "\"'\r=1\""},
                                                        {"'a=1'", "\"a=1\""},
                                                        {"'a,\"b\"'", "\"a,\"\"b\"\"\""},
                                                        {"''", "\"\""},
                                                        {"NULL", "\"\""},
                                                        {"12.500", "\"12.500\""}}) {
    // As hexadecimal digits, since the client escapes what it prints.
    std::string hex;
    for (const unsigned char byte : exported) {
      constexpr const char* kDigits = "0123456789ABCDEF";
      hex += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    EXPECT_EQ(server().value("SELECT HEX(csv_field(" + field + "))"), hex) << field;
  }
}

TEST_F(StoreBilling, B4_LineOfAnExportHasAllFieldsOfAStay) {
  record_day();
  EXPECT_EQ(server().value("SELECT line FROM billing_csv WHERE park_id = 'p1'"),
            "\"demo.callpark\",\"2023-11-14\",\"2023-11-14 22:13:20.123\",\"call-1\",\"101\",\"102\","
            "\"'+442030000999\",\"retrieved\",\"104\",\"0\",\"60.0000\",\"15.0000\",\"0.0000\",\"0\"");
}

}  // namespace
}  // namespace callpark::test
