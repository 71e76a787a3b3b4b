#include "parkd/service/history_fan_out.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using Kind = park::Happening::Kind;

const WallTime kNow{std::chrono::seconds(1000)};

Stay stay_of_client() {
  Stay stay;
  stay.parker = "101";
  stay.orbit = "105";
  stay.park_group = "sales";
  stay.parked_at = kNow - std::chrono::seconds(60);
  stay.retriever = Extension{"demo", "102"};
  stay.caller = {"Client", "+4420"};
  stay.sip_call_id = "call-1";
  return stay;
}

ParkEvent event_of(const park::Happening& happening, const Stay& stay = stay_of_client()) {
  return park_event_of(happening, ParkId("park-1"), "demo", stay, kNow);
}

TEST(HistoryFanOut, L4_EventHasTheValuesOfTheStay) {
  const ParkEvent event = event_of({.kind = Kind::kParked});
  EXPECT_EQ(event.kind, ParkEventKind::kParked);
  EXPECT_EQ(event.park_id, ParkId("park-1"));
  EXPECT_EQ(event.tenant, "demo");
  EXPECT_EQ(event.parked_at, stay_of_client().parked_at);
  EXPECT_EQ(event.at, kNow);
  EXPECT_EQ(event.orbit, "105");
  EXPECT_EQ(event.park_group, "sales");
  EXPECT_EQ(event.parker, "101");
  EXPECT_EQ(event.caller, (PartyIdentity{"Client", "+4420"}));
  EXPECT_EQ(event.sip_call_id, "call-1");
  EXPECT_EQ(event.by, "");
  EXPECT_EQ(event.how, "");
}

TEST(HistoryFanOut, L4_JoinedPartyIsNamedForPeople) {
  EXPECT_EQ(event_of({.kind = Kind::kRetrieved}).by, "102");
  Stay by_trunk = stay_of_client();
  by_trunk.retriever = Trunk{"carrier"};
  EXPECT_EQ(event_of({.kind = Kind::kRetrieved}, by_trunk).by, "trunk carrier");
  EXPECT_EQ(event_of({.kind = Kind::kEnded}).by, "");
  EXPECT_EQ(event_of({.kind = Kind::kGaveUp}).by, "");
}

TEST(HistoryFanOut, L4_RecallHasItsTargetAndEndItsReason) {
  using park::RecallTarget;
  EXPECT_EQ(event_of({.kind = Kind::kRecalled, .target = RecallTarget::kParker}).how, "parker");
  EXPECT_EQ(event_of({.kind = Kind::kRecalled, .target = RecallTarget::kRingGroup}).how, "ring_group");
  EXPECT_EQ(event_of({.kind = Kind::kRecalled, .target = RecallTarget::kFallback}).how, "fallback");
  EXPECT_EQ(event_of({.kind = Kind::kEnded, .reason = park::EndReason::kTimedOut}).how, "timed_out");
  EXPECT_EQ(event_of({.kind = Kind::kEnded, .reason = park::EndReason::kHungUp}).how, "hung_up");
  EXPECT_EQ(event_of({.kind = Kind::kGaveUp, .reason = park::EndReason::kGaveUp}).how, "");
}

}  // namespace
}  // namespace callpark
