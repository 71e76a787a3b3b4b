// A new parkd takes over the calls of an earlier one; mediad restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class TakeOverTest : public testing::Test, public ParkWorld {};

TEST_F(TakeOverTest, O4_MovedMediaSessionIsOfferedToTheCaller) {
  const ParkId id = park();
  const std::string session = media.sessions.begin()->first;
  media.move(session);
  EXPECT_TRUE(conversation(id).on_wire);
  settle();
  EXPECT_EQ(conversation(id).music, media.sessions.at(session).snapshot.local);
  dial("102", "*88101");
  settle();
  EXPECT_EQ(conversation(id).hears, "102");
  end_all();
}

TEST_F(TakeOverTest, MusicThatTheCallerRefusedIsOfferedAgain) {
  const ParkId id = park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  media.move(media.sessions.begin()->first);
  settle();
  phones.caller_reply = FakePhones::Reply::kAccept;
  EXPECT_FALSE(conversation(id).on_wire);
  pass(Duration(5100));
  EXPECT_TRUE(hears_music(id));
  end_all();
}

// ---- recovery ----

TEST_F(TakeOverTest, O4_ParkedCallIsTakenOverAndTheCallerGetsNoRequest) {
  park();
  restart();
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_FALSE(conversation(only_park()).on_wire);
  EXPECT_EQ(media.sessions.size(), 1U);
  EXPECT_TRUE(media.sessions.begin()->second.is_claimed);
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

TEST_F(TakeOverTest, O4_CallTakenOverKeepsItsDeadline) {
  store.park_seconds_max = 60;
  park();
  pass(seconds(50));
  restart();
  pass(seconds(5));
  EXPECT_EQ(service->parked_calls(), 1U);
  pass(seconds(10));
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(TakeOverTest, O4_CallThatWasBeingAdoptedIsParkedAndHearsMusic) {
  refer();
  while (store.rows.empty()) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(only_park()));
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  ASSERT_TRUE(only_row().media);
  EXPECT_EQ(only_row().media->session, media.sessions.begin()->first) << "the next parkd knows of the music";
  end_all();
}

TEST_F(TakeOverTest, O4_ParkedCallWithoutASessionGetsMusic) {
  park();
  store.rows.begin()->second.media.reset();
  media.sessions.clear();
  restart();
  EXPECT_TRUE(hears_music(only_park()));
  EXPECT_TRUE(only_row().media);
  end_all();
}

TEST_F(TakeOverTest, O4_CallThatWasBeingRetrievedIsParkedAndHearsMusic) {
  park();
  dial("102", "*88101");
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(only_park()));
  const CallId call = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

// The music of an earlier parkd would play on under the talk.
TEST_F(TakeOverTest, O4_WhereverParkdDiesInARetrieveATalkHasNoMusic) {
  int talks = 0;
  for (int killed_after = 0; killed_after < 20; ++killed_after) {
    park();
    dial("102", "*88101");
    for (int step = 0; step < killed_after; ++step) steps.next();
    restart();
    const bool is_talk = only_row().state == RowState::kRetrieved;
    EXPECT_EQ(media.sessions.size(), is_talk ? 0U : 1U) << killed_after;
    talks += is_talk ? 1 : 0;
    end_all();
  }
  EXPECT_GT(talks, 0);
  EXPECT_LT(talks, 20);
}

TEST_F(TakeOverTest, O4_TalkingCallIsTakenOverAndEnds) {
  retrieve();
  restart();
  const ParkId id = only_park();
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_TRUE(media.sessions.empty());
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("peer feature-2"));
  end_all();
}

TEST_F(TakeOverTest, O4_MusicComesLaterIfMediadIsAwayAtTheStart) {
  park();
  media.is_away = true;
  restart();
  EXPECT_EQ(service->parked_calls(), 1U);
  media.is_away = false;
  pass(seconds(6));
  EXPECT_TRUE(hears_music(only_park()));
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

TEST_F(TakeOverTest, O4_StartWaitsForTheDatabase) {
  park();
  kill();
  start();
  store.is_away = true;
  bool done = false;
  service->recover([&done] { done = true; });
  pass(seconds(10));
  EXPECT_FALSE(done);
  store.come_back();
  pass(seconds(1));
  EXPECT_TRUE(done);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(TakeOverTest, CallOfAnotherNodeIsTakenOverByItsRetriever) {
  park();
  kill();
  start();  // nothing is loaded
  store.rows.begin()->second.owner = "node-2";
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(only_row().owner, "node-1");
  EXPECT_EQ(conversation(only_park()).hears, "102");
  end_all();
}

}  // namespace
}  // namespace callpark
