#include "parkd/service/announcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/virtual_time.h"
#include "tests/unit/parkd/service/fake_outside.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class AnnouncerTest : public testing::Test {
 protected:
  CallId call() { return legs.dial("101", "*70").call; }
  void say(CallId call, const std::string& prompt = "goodbye", Legs::Answer answer = Legs::Answer::kEarly) {
    announcer.say(call, Announcement{"en", {Announcement::Prompt{prompt}}}, answer, seconds(10), [this] { ++done; });
  }
  std::string session() const { return media.sessions.empty() ? "" : media.sessions.begin()->first; }

  test::VirtualTime time;
  EventLoop loop;
  Steps steps;
  FakeStore store{steps};
  FakeMedia media{steps};
  FakeLegs legs{steps};
  Announcer announcer{loop, media, legs};
  int done = 0;
};

TEST_F(AnnouncerTest, ACallIsAnsweredAndSpokenTo) {
  const CallId id = call();
  say(id);
  steps.settle();
  EXPECT_EQ(legs.calls.at(id).stage, FakeLegs::Call::Stage::kEarly);
  EXPECT_THAT(media.spoken, ElementsAre("goodbye"));
  EXPECT_EQ(done, 0);
}

TEST_F(AnnouncerTest, WhenAllIsSpokenTheSessionIsClosed) {
  say(call());
  steps.settle();
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
  test::pass(loop, seconds(20));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, ItDoesNotSpeakLongerThanAllowed) {
  say(call());
  steps.settle();
  test::pass(loop, seconds(9));
  EXPECT_EQ(done, 0);
  test::pass(loop, seconds(2));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
}

TEST_F(AnnouncerTest, WithoutMediadItIsDoneAtOnce) {
  media.is_away = true;
  say(call());
  steps.settle();
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, WithoutACodecInCommonItIsDoneAtOnce) {
  legs.callers_have_codec = false;
  say(call());
  steps.settle();
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
}

TEST_F(AnnouncerTest, WhatIsStoppedIsNeverDone) {
  const CallId id = call();
  say(id);
  announcer.stop(id);
  steps.settle();
  test::pass(loop, seconds(20));
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(legs.calls.at(id).stage, FakeLegs::Call::Stage::kAsked) << "nobody answers a call that is over";
}

TEST_F(AnnouncerTest, ASecondSentenceTakesThePlaceOfTheFirst) {
  const CallId id = call();
  say(id, "first");
  steps.settle();
  const std::string first = session();
  say(id, "second");
  steps.settle();
  EXPECT_FALSE(announcer.on_played(first));
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, TwoCallsAreSpokenToAtOnce) {
  const CallId one = call();
  const CallId two = call();
  say(one);
  say(two);
  steps.settle();
  EXPECT_EQ(media.sessions.size(), 2U);
  announcer.stop(one);
  EXPECT_EQ(media.sessions.size(), 1U);
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, AnotherSessionIsNoneOfItsBusiness) {
  EXPECT_FALSE(announcer.on_played("park-abc"));
}

TEST_F(AnnouncerTest, WhatFollowsMayBeTheNextSentence) {
  const CallId id = call();
  announcer.say(id, Announcement{"en", {}}, Legs::Answer::kEarly, seconds(10), [this, id] { say(id, "second"); });
  steps.settle();
  EXPECT_TRUE(announcer.on_played(session()));
  steps.settle();
  EXPECT_THAT(media.spoken, ElementsAre("second"));
}

}  // namespace
}  // namespace callpark
