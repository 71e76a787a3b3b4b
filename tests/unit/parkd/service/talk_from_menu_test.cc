// A call that talks and was never parked: it comes from a menu.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class TalkFromMenuTest : public testing::Test, public ParkWorld {
 protected:
  /// A caller from outside talks to 102, which the menu 400 has called; a new parkd goes on with the call.
  ParkId talk(bool has_segment = true) {
    ParkedCallRow row;
    row.park_id = make_park_id();
    row.tenant = "demo.callpark";
    row.state = RowState::kRetrieved;
    row.caller.call_id = "menu-call";
    row.caller.remote_identity = {"Caller", "+442030000999"};
    row.peer.emplace().call_id = "target-call";
    row.retriever = Extension{"demo.callpark", "102"};
    row.owner = "node-1";
    if (has_segment) {
      row.parker = "400";
      row.segment = Segment{};
    }
    row.parked_at = row.deadline = wall_now();
    store.rows[row.park_id] = row;
    restart();
    EXPECT_TRUE(talks_to(row.park_id, "102"));
    return row.park_id;
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const ParkEvent& event : events.all) kinds.emplace_back(name_of(event.kind));
    return kinds;
  }
};

TEST_F(TalkFromMenuTest, F6_NothingIsRecordedOfACallThatIsNeverParked) {
  for (const PartyEnd party : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    const ParkId id = talk(party == PartyEnd::kPeer);
    hang_up(id, party);
    settle();
    EXPECT_TRUE(store.rows.empty());
    EXPECT_THAT(kinds(), IsEmpty());
    EXPECT_FALSE(store.segments.has(id));
  }
  end_all();
}

TEST_F(TalkFromMenuTest, F6_TheRecordsBeginWithTheFirstPark) {
  const ParkId id = talk();
  pass(seconds(40));
  refer_of_peer(id, "102", "*68");
  settle();
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "102");
  EXPECT_EQ(only_row().parker, "102");
  hang_up(id, PartyEnd::kPeer);
  pass(seconds(20));
  dial("103", "*88102");
  settle();
  ASSERT_TRUE(talks_to(id, "103"));
  pass(seconds(30));
  restart();
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(kinds(), ElementsAre("parked", "retrieved", "ended"));
  EXPECT_EQ(events.all.front().caller.number, "+442030000999");
  EXPECT_EQ(store.segments.words(id), "talk_before 102 parked, parked 20 retrieved, talk_after 103 30 hung_up");
  end_all();
}

TEST_F(TalkFromMenuTest, F6_ACallerThatIsAnExtensionMayParkItsOtherParty) {
  const ParkId id = talk();
  conversation(id).caller.user = "106";
  refer_of_party(id, PartyEnd::kCaller, "106", "*68");
  settle();
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "106");
  hang_up(id, PartyEnd::kPeer);
  settle();
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(kinds(), ElementsAre("parked", "gave_up"));
  EXPECT_EQ(store.segments.words(id), "talk_before 106 parked, parked 0 gave_up");
  end_all();
}

TEST_F(TalkFromMenuTest, F6_AParkThatFailsLeavesNoRecord) {
  refer("103", "*68");
  settle();
  events.all.clear();
  const ParkId other = only_park();
  const ParkId id = talk();
  const ReferralId refused = refer_of_peer(id, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refused), 486);
  EXPECT_TRUE(talks_to(id, "102"));
  restart();
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_FALSE(store.segments.has(id));
  hang_up(other, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(kinds(), ElementsAre("gave_up"));
  end_all();
}

TEST_F(TalkFromMenuTest, F6_ItsPartyIsTransferredAsThatOfARetrievedCall) {
  const ParkId id = talk();
  const ReferralId transfer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(transfer), 200);
  EXPECT_TRUE(talks_to(id, "104"));
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(retriever_of(only_row()), "104");
  EXPECT_EQ(only_row().parker, "400");
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(kinds(), IsEmpty());
  end_all();
}

// The first park fails when the caller has been adopted; then parkd is killed.
TEST_F(TalkFromMenuTest, L4_ACallWhoseFirstParkHasFailedHasNoRecordAfterANewParkd) {
  refer();
  while (phones.conversations.empty() || !only_conversation().on_wire) ASSERT_TRUE(steps.next());
  while (!only_conversation().hears.starts_with("music")) ASSERT_TRUE(steps.next());
  store.is_away = true;
  settle();
  store.come_back();
  settle();
  const ParkId id = only_park();
  ASSERT_EQ(only_row().state, RowState::kRetrieved);
  restart();
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_FALSE(store.segments.has(id));
  end_all();
}

}  // namespace
}  // namespace callpark
