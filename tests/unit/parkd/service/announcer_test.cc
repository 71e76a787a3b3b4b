#include "parkd/service/announcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/virtual_time.h"
#include "tests/unit/parkd/service/fake_billing.h"
#include "tests/unit/parkd/service/fake_flows.h"
#include "tests/unit/parkd/service/fake_media.h"
#include "tests/unit/parkd/service/fake_menus.h"
#include "tests/unit/parkd/service/fake_phones.h"
#include "tests/unit/parkd/service/fake_store.h"
#include "tests/unit/parkd/service/fake_texts.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class AnnouncerTest : public testing::Test {
 protected:
  CallId call() { return phones.feature_call("101", "*70").call; }
  void announce(CallId call, const std::string& prompt = "goodbye", Calls::Answer answer = Calls::Answer::kEarly) {
    announcer.announce(call, Announcement{"en", {Announcement::Prompt{prompt}}}, answer, seconds(10),
                       [this] { ++done; });
  }
  std::string session() const { return media.sessions.empty() ? "" : media.sessions.begin()->first; }

  test::VirtualTime time;
  EventLoop loop;
  Steps steps;
  FakeStore store{steps};
  FakeFlows flows{steps};
  FakeMenus menus{steps, store};
  FakeMedia media{steps};
  FakePhones phones{steps};
  FakeEvents events;
  FakeMessages messages;
  FakeBilling billing{steps};
  Metrics metrics;
  Announcer announcer{{loop, store, flows, menus, events, messages, media, phones, phones, phones, billing, metrics}};
  int done = 0;
};

TEST_F(AnnouncerTest, CallIsAnsweredAndHearsTheAnnouncement) {
  const CallId id = call();
  announce(id);
  steps.settle();
  EXPECT_EQ(phones.calls.at(id).stage, FakePhones::Call::Stage::kEarly);
  EXPECT_THAT(media.played, ElementsAre("goodbye"));
  EXPECT_EQ(done, 0);
}

TEST_F(AnnouncerTest, X7_ACallWithoutAnOfferHearsItFromItsAckOn) {
  phones.has_offer = false;
  const CallId id = call();
  announce(id, "goodbye", Calls::Answer::kFinal);
  ASSERT_TRUE(steps.next());  // mediad's answer
  EXPECT_EQ(phones.calls.at(id).stage, FakePhones::Call::Stage::kAnswered);
  EXPECT_FALSE(media.sessions.at(session()).snapshot.remote) << "it is not known where to send it";
  announcer.connect(id, FakePhones::remote());
  EXPECT_EQ(media.sessions.at(session()).snapshot.remote, FakePhones::remote());
  announcer.connect(CallId{99}, FakePhones::remote());
  announcer.stop(id);
  announcer.connect(id, FakePhones::remote());
}

TEST_F(AnnouncerTest, SessionIsClosedWhenTheAnnouncementIsPlayed) {
  announce(call());
  steps.settle();
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
  test::pass(loop, seconds(20));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, AnnouncementEndsAtItsMaximum) {
  announce(call());
  steps.settle();
  test::pass(loop, seconds(9));
  EXPECT_EQ(done, 0);
  test::pass(loop, seconds(2));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
}

TEST_F(AnnouncerTest, AnnouncementIsDoneAtOnceWithoutMediad) {
  media.is_away = true;
  announce(call());
  steps.settle();
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, AnnouncementIsDoneAtOnceWithoutACodecInCommon) {
  phones.callers_have_codec = false;
  announce(call());
  steps.settle();
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(media.sessions.empty());
}

TEST_F(AnnouncerTest, StoppedAnnouncementIsNeverDone) {
  const CallId id = call();
  announce(id);
  announcer.stop(id);
  steps.settle();
  test::pass(loop, seconds(20));
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(phones.calls.at(id).stage, FakePhones::Call::Stage::kAsked) << "a call that is over is not answered";
}

TEST_F(AnnouncerTest, SecondAnnouncementReplacesTheFirst) {
  const CallId id = call();
  announce(id, "first");
  steps.settle();
  const std::string first = session();
  announce(id, "second");
  steps.settle();
  EXPECT_FALSE(announcer.on_played(first));
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, TwoCallsHearAnnouncementsAtOnce) {
  const CallId one = call();
  const CallId two = call();
  announce(one);
  announce(two);
  steps.settle();
  EXPECT_EQ(media.sessions.size(), 2U);
  announcer.stop(one);
  EXPECT_EQ(media.sessions.size(), 1U);
  EXPECT_TRUE(announcer.on_played(session()));
  EXPECT_EQ(done, 1);
}

TEST_F(AnnouncerTest, OtherSessionsAreNotTheAnnouncers) {
  EXPECT_FALSE(announcer.on_played("park-abc"));
}

TEST_F(AnnouncerTest, AnotherAnnouncementMayFollowTheFirst) {
  const CallId id = call();
  announcer.announce(id, Announcement{"en", {}}, Calls::Answer::kEarly, seconds(10),
                     [this, id] { announce(id, "second"); });
  steps.settle();
  EXPECT_TRUE(announcer.on_played(session()));
  steps.settle();
  EXPECT_THAT(media.played, ElementsAre("second"));
}

}  // namespace
}  // namespace callpark
