// The events of parked calls, and the texts about them to phones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using park::RecallMode;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ParkEventsTest : public testing::Test, public ParkWorld {
 protected:
  AdoptableDialog with_client() {
    AdoptableDialog known = dialog();
    known.caller.remote_identity = {"Client", "+4420"};
    return known;
  }
  /// 101 parks the caller Client with this code, and hangs up.
  ParkId park_client(const std::string& code) {
    Referral referral = phones.referral("101", code, with_client());
    service->on_referral(std::move(referral));
    settle();
    const ParkId id = only_park();
    hang_up(id, PartyEnd::kPeer);
    settle();
    return id;
  }
  /// "101: Client +4420, parked ...", oldest first.
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const TextMessage& message : messages.sent) all.push_back(message.extension + ": " + message.text);
    return all;
  }
};

TEST_F(ParkEventsTest, L4_RetrievedCallHasThreeEventsAndTheParkerGetsAText) {
  const ParkId id = park_client("*68");
  dial("102", "*88101");
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102");
  EXPECT_THAT(texts(), ElementsAre("101: Parked at 101: Client +4420. To pick up, dial *88101",
                                   "101: Client +4420, parked at 101, was picked up by 102."));
  EXPECT_EQ(messages.sent.front().from, "*88101") << "a phone that calls the sender retrieves";
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102, ended hung_up");
  EXPECT_EQ(messages.sent.size(), 2U);
  const ParkEvent& parked = events.all.front();
  EXPECT_EQ(parked.park_id, id);
  EXPECT_EQ(parked.tenant, "demo.callpark");
  EXPECT_EQ(parked.parker, "101");
  EXPECT_EQ(parked.caller, (PartyIdentity{"Client", "+4420"}));
  EXPECT_EQ(parked.sip_call_id, "call-1");
  EXPECT_EQ(metrics.counter("callpark_park_events_total", "", {{"event", "retrieved"}}).value(), 1);
  end_all();
}

TEST_F(ParkEventsTest, EveryCounterIsThereBeforeItsFirstEvent) {
  for (const char* line :
       {"callpark_park_events_total{event=\"recalled\"} 0\n", "callpark_park_seconds_count 0\n",
        "callpark_refusals_total{reason=\"overloaded\"} 0\n", "callpark_refusals_total{reason=\"not_available\"} 0\n",
        "callpark_retrieves_limited_total 0\n"}) {
    EXPECT_THAT(metrics.serialise(), testing::HasSubstr(line));
  }
  park_client("*68");
  EXPECT_THAT(metrics.serialise(), testing::HasSubstr("callpark_park_seconds_count 1\n"));
  end_all();
}

TEST_F(ParkEventsTest, N4_ExtensionOfTheOrbitAndParkerGetTexts) {
  const ParkId id = park_client("*68105");
  EXPECT_THAT(texts(), ElementsAre("105: Parked at 105: Client +4420. To pick up, dial *88105"));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(events.words(), "parked 105, gave_up 105");
  EXPECT_EQ(texts().back(), "101: Client +4420, parked at 105, has hung up.");
  end_all();
}

TEST_F(ParkEventsTest, S5_ParkerGetsATextWithTheRandomOrbit) {
  park_client("*70");
  EXPECT_THAT(texts(), ElementsAre("101: Parked at *1001: Client +4420. To pick up, dial *71*1001"));
  end_all();
}

TEST_F(ParkEventsTest, L4_ParkerGetsNoTextAboutItsOwnRetrieve) {
  park_client("*68105");
  messages.sent.clear();
  dial("101", "*88105");
  settle();
  EXPECT_EQ(events.words(), "parked 105, retrieved 105 by 101");
  EXPECT_THAT(texts(), IsEmpty());
  end_all();
}

TEST_F(ParkEventsTest, L4_RecallOfTheParkerIsAnEventWithoutAText) {
  store.recall.mode = RecallMode::kParkerOnly;
  park_client("*68");
  messages.sent.clear();
  pass(seconds(91));
  EXPECT_EQ(events.words(), "parked 101, recalled 101 by 101 parker");
  EXPECT_THAT(texts(), IsEmpty());
  end_all();
}

TEST_F(ParkEventsTest, L4_ParkerGetsATextAboutARecallToTheRingGroup) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  store.recall.ring_group = "600";
  park_client("*68");
  messages.sent.clear();
  pass(seconds(91));
  EXPECT_EQ(events.words(), "parked 101, recalled 101 by 600 ring_group");
  EXPECT_THAT(texts(), ElementsAre("101: Nobody picked up Client +4420, parked at 101. The call was taken by 600."));
  end_all();
}

TEST_F(ParkEventsTest, L4_ParkerGetsATextAboutACallThatTimedOut) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  store.recall.ring_group = "600";
  phones.status_of["600"] = 480;
  park_client("*68");
  messages.sent.clear();
  pass(seconds(91));
  EXPECT_EQ(events.words(), "parked 101, ended 101 timed_out");
  EXPECT_THAT(texts(), ElementsAre("101: Nobody picked up Client +4420, parked at 101. The call was ended."));
  end_all();
}

TEST_F(ParkEventsTest, S8_RefusedReparkIsNoStayOfItsOwn) {
  const ParkId id = park_client("*68");
  refer("103", "*68105");  // occupies 105
  settle();
  dial("102", "*88101");
  pass(std::chrono::seconds(60));
  const ReferralId again = refer_of_peer(id, "102", "*68105");
  settle();
  EXPECT_EQ(status_of_referral(again), 486);
  hang_up(id, PartyEnd::kCaller);
  settle();
  const auto of = [&](ParkEventKind kind) {
    return *std::find_if(events.all.begin(), events.all.end(),
                         [&](const ParkEvent& event) { return event.park_id == id && event.kind == kind; });
  };
  EXPECT_EQ(of(ParkEventKind::kEnded).parker, of(ParkEventKind::kParked).parker);
  EXPECT_EQ(of(ParkEventKind::kEnded).parked_at, of(ParkEventKind::kParked).parked_at);
  end_all();
}

TEST_F(ParkEventsTest, S12_EndIsRecordedForTheStayWhicheverPartiesTalk) {
  const ParkId id = retrieve_colleague();
  refer_of_party(id, PartyEnd::kCaller, "106", "104");
  settle();
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102, ended hung_up");
  EXPECT_EQ(events.all.back().sip_call_id, events.all.front().sip_call_id)
      << "the Call-ID of the caller that was parked";
  EXPECT_EQ(events.all.back().parker, "101");
  end_all();
}

TEST_F(ParkEventsTest, N4_RefusedParkIsNoEvent) {
  park_client("*68");
  const ReferralId second = refer("101", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  EXPECT_EQ(events.words(), "parked 101");
  EXPECT_EQ(messages.sent.size(), 1U);
  end_all();
}

TEST_F(ParkEventsTest, N4_UndoneRetrieveIsNoEvent) {
  park_client("*68");
  phones.caller_reply = FakePhones::Reply::kRefuse;
  dial("102", "*88101");
  settle();
  phones.caller_reply = FakePhones::Reply::kAccept;
  EXPECT_EQ(events.words(), "parked 101");
  dial("103", "*88101");
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 103");
  end_all();
}

TEST_F(ParkEventsTest, N6_ReparkedCallStillHasItsCaller) {
  const ParkId id = park_client("*68");
  dial("102", "*88101");
  settle();
  messages.sent.clear();
  refer_of_peer(id, "102", "*68");
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102, parked 102");
  EXPECT_THAT(texts(), ElementsAre("102: Parked at 102: Client +4420. To pick up, dial *88102"));
  end_all();
}

TEST_F(ParkEventsTest, N4_TextIsInTheLanguageOfItsExtension) {
  store.language = "es";
  park_client("*68");
  EXPECT_THAT(texts(), ElementsAre("101: Llamada aparcada en 101: Client +4420. Para recuperarla, marque *88101"));
  end_all();
}

TEST_F(ParkEventsTest, N4_NoTextIsSentWhileTheDatabaseIsAway) {
  refer("101", "*68");
  while (events.all.empty()) ASSERT_TRUE(steps.next());
  store.is_away = true;
  settle();
  EXPECT_THAT(texts(), IsEmpty());
  EXPECT_EQ(service->parked_calls(), 1U);
  store.come_back();
  end_all();
}

// The store records again that a row was parked; the new parkd records only what it parks itself.
TEST_F(ParkEventsTest, L4_EventsAreRecordedOnceAcrossARestart) {
  park_client("*68");
  restart();
  EXPECT_EQ(events.words(), "parked 101");
  dial("102", "*88101");
  settle();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102");
  EXPECT_EQ(texts().back(), "101: Client +4420, parked at 101, was picked up by 102.");
  restart();
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102");
  end_all();
}

TEST_F(ParkEventsTest, L4_NextParkdRecordsAParkThatWasNotComplete) {
  refer("101", "*68");
  while (store.rows.empty() || only_conversation().hears != "music") ASSERT_TRUE(steps.next());
  ASSERT_EQ(store.rows.begin()->second.state, RowState::kAdopting);
  restart();
  EXPECT_EQ(events.words(), "parked 101");
  end_all();
}

}  // namespace
}  // namespace callpark
