// A parked call is retrieved, by one of its retrievers, or ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class RetrieveTest : public testing::Test, public ParkWorld {};

TEST_F(RetrieveTest, P3_BareCodeRetrievesFromTheOwnExtension) {
  const ParkId id = park();
  const CallId call = dial("101", "*88");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_TRUE(talks_to(id, "101"));
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  EXPECT_EQ(retriever_of(only_row()), "101");
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(service->parked_calls(), 0U);
  EXPECT_EQ(service->calls(), 1U);
  end_all();
}

TEST_F(RetrieveTest, P4_AnyPhoneRetrievesWithTheKey) {
  const ParkId id = park();
  dial("105", "*88101");
  settle();
  EXPECT_EQ(conversation(id).hears, "105");
  end_all();
}

TEST_F(RetrieveTest, S9_RetrieverIsAnsweredAfterTheCallIsWon) {
  park();
  const CallId call = dial("102", "*88101");
  while (phones.calls.count(call) != 0 && phones.calls.at(call).stage == FakePhones::Call::Stage::kAsked) {
    ASSERT_TRUE(steps.next());
  }
  EXPECT_EQ(only_row().state, RowState::kRetrieving);
  EXPECT_EQ(conversation(only_park()).hears, "102");
  end_all();
}

TEST_F(RetrieveTest, S9_EmptyOrbitIsAnnouncedAndRefusedWith404) {
  const CallId call = dial("102", "*88105");
  settle();
  EXPECT_THAT(media.played, ElementsAre("no_call_parked"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

// ---- of a call that is being parked ----

class RetrieveBeforeMusicTest : public RetrieveTest {
 protected:
  /// Everything happens but the answer of the caller.
  void settle_but_caller() {
    while (steps.next_but("caller")) {
    }
  }
  /// The call has its orbit, and the caller has not accepted the music yet.
  void begin_park() {
    refer();
    settle_but_caller();
    ASSERT_EQ(only_row().state, RowState::kAdopting);
  }
};

TEST_F(RetrieveBeforeMusicTest, P4_RetrieverOfACallThatIsBeingParkedWaitsForIt) {
  begin_park();
  const CallId call = dial("102", "*88101");
  settle_but_caller();
  EXPECT_EQ(status_of_call(call), 0);
  EXPECT_EQ(media.played.size(), 0U);
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_TRUE(talks_to(only_park(), "102"));
  end_all();
}

TEST_F(RetrieveBeforeMusicTest, P4_RetrieverMayDialAtAnyMomentOnceTheOrbitIsClaimed) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    begin_park();
    if (HasFatalFailure()) return;
    for (auto moments = random() % 8; moments > 0; --moments) steps.next_of_any(random);
    const CallId call = dial("102", "*88101");
    while (steps.next_of_any(random)) {
    }
    settle();
    ASSERT_EQ(status_of_call(call), 200) << "round " << round;
    end_all();
  }
}

TEST_F(RetrieveBeforeMusicTest, S9_RetrieverOfAParkThatFailsIsRefused) {
  begin_park();
  const CallId call = dial("102", "*88101");
  settle_but_caller();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  settle();
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
}

TEST_F(RetrieveBeforeMusicTest, S9_RetrieverOfAParkThatLastsLongIsRefused) {
  begin_park();
  const CallId call = dial("102", "*88101");
  settle_but_caller();
  test::pass(loop, seconds(5));
  settle_but_caller();
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  end_all();
}

TEST_F(RetrieveBeforeMusicTest, S10_OfTwoRetrieversThatWaitOneWins) {
  begin_park();
  const CallId one = dial("102", "*88101");
  const CallId other = dial("103", "*88101");
  settle();
  media.play_out();
  EXPECT_EQ(status_of_call(one), 200);
  EXPECT_EQ(status_of_call(other), 404);
  end_all();
}

TEST_F(RetrieveBeforeMusicTest, S10_RetrieverThatCancelsWhileItWaitsLeavesTheCallToBeParked) {
  begin_park();
  const CallId call = dial("102", "*88101");
  settle_but_caller();
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(only_park()));
  pass(seconds(5));
  end_all();
}

TEST_F(RetrieveBeforeMusicTest, X43_RetrieverThatWaitsMissesNothing) {
  store.retrieve_misses_max = 1;
  for (int i = 0; i < 3; ++i) {
    begin_park();
    const CallId call = dial("102", "*88101");
    settle();
    ASSERT_EQ(status_of_call(call), 200);
    end_all();
  }
}

TEST_F(RetrieveTest, X43_AfterTooManyEmptyOrbitsAnExtensionFindsNoCallForAMinute) {
  const ParkId id = park();
  store.retrieve_misses_max = 3;
  const auto is_empty_for = [&](const std::string& user, const std::string& number) {
    media.played.clear();
    const CallId call = dial(user, number);
    settle();
    EXPECT_THAT(media.played, ElementsAre("no_call_parked"));
    media.play_out();
    return status_of_call(call);
  };
  for (const std::string orbit : {"*881111", "*881112", "*881113"}) EXPECT_EQ(is_empty_for("102", orbit), 404);
  EXPECT_EQ(is_empty_for("102", "*88101"), 404) << "a call is parked there";
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(is_empty_for("102", "*88"), 404) << "its own orbit is no guess";
  pass(std::chrono::seconds(61));
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(RetrieveTest, X43_AnotherExtensionIsNotLimited) {
  park();
  store.retrieve_misses_max = 1;
  for (int i = 0; i < 5; ++i) dial("102", "*881111");
  settle();
  media.play_out();
  const CallId call = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

TEST_F(RetrieveTest, RetrieverWithoutPermissionHearsTheRefusal) {
  park();
  store.may_retrieve = false;
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_THAT(media.played, ElementsAre("not_permitted"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 403);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(RetrieveTest, S10_SecondOfTwoRetrieversIsRefusedWithin300ms) {
  const ParkId id = park();
  const CallId first = dial("102", "*88101");
  const CallId second = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(first), 200);
  EXPECT_THAT(media.played, ElementsAre("already_picked_up"));
  EXPECT_EQ(status_of_call(second), 0);
  pass(Duration(250));
  EXPECT_EQ(status_of_call(second), 404);
  EXPECT_EQ(conversation(id).hears, "102");
  end_all();
}

TEST_F(RetrieveTest, RetrieverThatCancelsBeforeTheClaimLeavesTheCallParked) {
  const ParkId id = park();
  const CallId call = dial("102", "*88101");
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(id));
  end_all();
}

TEST_F(RetrieveTest, RetrieverThatCancelsDuringTheClaimLeavesTheCallParked) {
  park();
  const CallId call = dial("102", "*88101");
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  const CallId next = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(next), 200);
  end_all();
}

TEST_F(RetrieveTest, X16_RetrieverIsToldThatTheCallerIsNotReached) {
  park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  phones.refusal_of_caller = park::RefusalReason::kNotReached;
  const CallId call = dial("102", "*88101");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 480);
  EXPECT_EQ(only_row().state, RowState::kParked);
  end_all();
}

TEST_F(RetrieveTest, RetrieverThatTheCallerRefusesGets488AndMusicGoesOn) {
  const ParkId id = park();
  const WallTime deadline = only_row().deadline;
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const CallId call = dial("102", "*88101");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 488);
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().deadline, deadline);
  EXPECT_TRUE(hears_music(id));
  phones.caller_reply = FakePhones::Reply::kAccept;
  pass(seconds(6));
  EXPECT_EQ(retriever_of(only_row()), "");
  const CallId again = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(again), 200);
  end_all();
}

TEST_F(RetrieveTest, RefusedRetrieverHearsItsOwnLanguage) {
  store.language_of = {{"101", "en"}, {"102", "fr"}};
  park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  dial("102", "*88101");
  settle();
  EXPECT_THAT(media.languages, testing::ElementsAre("fr"));
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
}

TEST_F(RetrieveTest, RefusedRetrieverHearsItsOwnLanguageAfterARestart) {
  store.language_of = {{"101", "en"}, {"102", "fr"}};
  park();
  restart();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  dial("102", "*88101");
  settle();
  EXPECT_THAT(media.languages, testing::ElementsAre("fr"));
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
}

TEST_F(RetrieveTest, RetrieverThatSendsNoAckLeavesTheCallParked) {
  const ParkId id = park();
  phones.retrievers_acknowledge = false;
  dial("102", "*88101");
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

TEST_F(RetrieveTest, X6_RetrieverThatHangsUpBeforeItsAckLeavesTheCallParkedAndItsDeadlineUnmoved) {
  const ParkId id = park();
  const auto deadline = only_row().deadline;
  pass(std::chrono::seconds(30));
  const CallId call = dial("102", "*88101");
  while (phones.calls.at(call).stage != FakePhones::Call::Stage::kAnswered) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().orbit, "101");
  EXPECT_EQ(only_row().deadline, deadline);
  EXPECT_TRUE(hears_music(id));
  const CallId next = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(next), 200);
  end_all();
}

TEST_F(RetrieveTest, RetrieverWinsACallWhoseWriteIsNotAnsweredYet) {
  refer();
  while (store.rows.empty() || only_row().state != RowState::kParked) ASSERT_TRUE(steps.next());
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  end_all();
}

TEST_F(RetrieveTest, RetrieveDuringTheAnnouncementLetsItPlayOn) {
  const CallId parker = dial_with_held("101", "*70333");
  settle();
  const CallId call = dial("102", "*71333");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(status_of_call(parker), 0);
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(parker), 200);
  EXPECT_EQ(service->calls(), 1U) << "the two still talk";
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(RetrieveTest, RetrieverReparksWhileTheFirstParkerStillListens) {
  const CallId parker = dial_with_held("101", "*70333");
  settle();
  dial("102", "*71333");
  settle();
  conversation(only_park()).peer->holds = true;
  const CallId again = dial("102", "*70105");
  settle();
  EXPECT_EQ(phones.calls.count(again), 1U) << "the end of the first announcement is not that of the second";
  EXPECT_EQ(only_row().orbit, "105");
  phones.end_call(parker);
  phones.end_call(again);
  settle();
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(RetrieveTest, EndOfOneTalkingPartyEndsTheOther) {
  const ParkId id = retrieve();
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_TRUE(store.rows.empty());
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(RetrieveTest, L5_CallThatIsNotRetrievedEndsAtItsDeadline) {
  store.park_seconds_max = 60;
  const ParkId id = park();
  pass(seconds(55));
  EXPECT_EQ(service->parked_calls(), 1U);
  pass(seconds(6));
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  EXPECT_TRUE(store.rows.empty());
  end_all();
}

TEST_F(RetrieveTest, UndoneRetrieveDoesNotMoveTheDeadline) {
  store.park_seconds_max = 60;
  park();
  pass(seconds(50));
  const CallId call = dial("102", "*88101");
  while (phones.calls.count(call) != 0 && only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  pass(seconds(11));
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(RetrieveTest, RefusalsAreCounted) {
  dial("102", "*88105");
  settle();
  EXPECT_NE(metrics.serialise().find(R"(callpark_refusals_total{reason="no_call_parked"} 1)"), std::string::npos);
  end_all();
}

}  // namespace
}  // namespace callpark
