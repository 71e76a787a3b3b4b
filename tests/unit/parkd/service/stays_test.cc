#include "parkd/service/stays.h"

#include <gtest/gtest.h>

#include "parkd/service/parked_call_row.h"

namespace callpark {
namespace {

GrantedStay granted(const std::string& parker, const std::string& language = "en") {
  GrantedStay granted;
  granted.stay.parker = parker;
  granted.terms.language = language;
  return granted;
}

TEST(Stays, ProposedStayIsThePresentOneUntilItIsWithdrawn) {
  Stays stays(granted("101", "en"));
  stays.propose(granted("102", "fr"));
  EXPECT_EQ(stays.now().stay.parker, "102");
  stays.settle({park::WithdrawStay{}});
  EXPECT_EQ(stays.now().stay.parker, "101");
  EXPECT_EQ(stays.now().terms.language, "en");
}

TEST(Stays, CommittedStayIsNotWithdrawn) {
  Stays stays(granted("101"));
  stays.propose(granted("102"));
  stays.settle({park::CommitStay{}});
  stays.settle({park::WithdrawStay{}});
  EXPECT_EQ(stays.now().stay.parker, "102");
}

TEST(Stays, FirstStayIsCommittedAsItIs) {
  Stays stays(granted("101"));
  stays.settle({park::CommitStay{}, park::ConcludeReferral{}});
  EXPECT_EQ(stays.now().stay.parker, "101");
}

TEST(Stays, OtherActionsLeaveTheProposal) {
  Stays stays(granted("101"));
  stays.propose(granted("102"));
  stays.settle({park::ClaimOrbit{1}, park::OpenMedia{2}});
  EXPECT_EQ(stays.now().stay.parker, "102");
  stays.settle({park::CloseMedia{}, park::WithdrawStay{}, park::FreeOrbit{}});
  EXPECT_EQ(stays.now().stay.parker, "101");
}

TEST(Stays, ChangeOfTheProposalLeavesTheStayBefore) {
  Stays stays(granted("101"));
  stays.propose(granted("102"));
  stays.now().stay.orbit = "103";
  stays.settle({park::WithdrawStay{}});
  EXPECT_EQ(stays.now().stay.orbit, "");
}

// ---- as a row ----

Stay full_stay() {
  Stay stay;
  stay.parker = "101";
  stay.orbit = "105";
  stay.slot = 2;
  stay.park_group = "sales";
  stay.music_class = "jazz";
  stay.parked_at = WallTime(std::chrono::seconds(1000));
  stay.deadline = WallTime(std::chrono::seconds(2000));
  stay.recall.ring_group = "600";
  stay.recall_deadline = WallTime(std::chrono::seconds(1090));
  stay.retriever = Trunk{"carrier"};
  stay.caller = {"Client", "+4420"};
  stay.sip_call_id = "call-1";
  return stay;
}

ConversationSnapshot dialogs() {
  ConversationSnapshot snapshot;
  snapshot.caller.call_id = "call-1";
  snapshot.caller.remote_identity = {"Client", "+4420"};
  snapshot.peer.emplace().call_id = "peer-1";
  return snapshot;
}

CallValues values() {
  CallValues values;
  values.park_id = ParkId("park-1");
  values.tenant = "demo";
  values.owner = "node-1";
  values.epoch = 7;
  values.media.emplace().session = "park-session";
  return values;
}

TEST(ParkedCallRow, RowAndBackIsTheSameCall) {
  const park::RecallProgress progress{park::RecallTarget::kParker, 2, true};
  const ParkedCallRow row = row_of(values(), RowState::kParked, full_stay(), progress, dialogs());
  EXPECT_EQ(stay_of(row), full_stay());
  EXPECT_EQ(row.state, RowState::kParked);
  EXPECT_EQ(row.recall_progress, progress);
  EXPECT_EQ(row.peer->call_id, "peer-1");
  const CallValues taken_over = values_of(row, "node-2");
  EXPECT_EQ(taken_over.park_id, ParkId("park-1"));
  EXPECT_EQ(taken_over.tenant, "demo");
  EXPECT_EQ(taken_over.owner, "node-2");
  EXPECT_EQ(taken_over.epoch, 7U);
  EXPECT_EQ(taken_over.media->session, "park-session");
}

TEST(ParkedCallRow, TalkWithoutARetrieverIsTheParkers) {
  Stay stay = full_stay();
  stay.retriever.reset();
  EXPECT_EQ(row_of(values(), RowState::kRetrieved, stay, {}, dialogs()).retriever, Party(Extension{"demo", "101"}));
  EXPECT_EQ(row_of(values(), RowState::kParked, stay, {}, dialogs()).retriever, std::nullopt);
}

}  // namespace
}  // namespace callpark
