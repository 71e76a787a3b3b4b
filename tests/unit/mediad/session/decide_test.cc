#include "mediad/session/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callpark::media {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::VariantWith;

const Endpoint kPhone{"127.0.0.11", 4000};
const Codec kCodec{CodecName::kPcmu, 0, 8000, 101};
const Announcement kParked{"en", {Prompt{"call_parked"}, Digits{"*71333"}}, Then::kMusic, 1};

event::MediaGiven connected(PlayNumber number) {
  return {.by = event::MediaGiven::By::kUpdate, .remote = kPhone, .codec = kCodec, .number = number};
}

Session after(Session session, std::initializer_list<event::Event> events) {
  for (const event::Event& event : events) session = decide(session, event).next;
  return session;
}

Session new_session() {
  return Session{.id = "s"};
}

Session announcing() {
  return after(new_session(), {event::PlayAsked{{kParked, "p", 1}}, connected(2)});
}

TEST(SessionDecide, WhatIsAskedForWaitsForTheRemoteAndTheCodec) {
  const Decision asked = decide(new_session(), event::PlayAsked{{Music{"jazz"}, "", 1}});
  EXPECT_THAT(asked.actions, IsEmpty());
  const Decision half = decide(asked.next, event::MediaGiven{.codec = kCodec, .number = 2});
  EXPECT_THAT(half.actions, ElementsAre(VariantWith<action::SetCodec>(action::SetCodec{kCodec})));
  const Decision whole = decide(half.next, event::MediaGiven{.remote = kPhone, .number = 3});
  EXPECT_THAT(whole.actions, ElementsAre(action::Action(action::StartPlay{3, Music{"jazz"}}),
                                         action::Action(action::SetRemote{kPhone})));
  EXPECT_EQ(whole.next.activity, Activity(activity::Continuous{Music{"jazz"}}));
}

TEST(SessionDecide, ASessionWithoutAWishPlaysSilence) {
  const Decision decision = decide(new_session(), connected(1));
  EXPECT_EQ(decision.next.activity, Activity(activity::Continuous{Silence{}}));
}

TEST(SessionDecide, ASpokenListIsReportedAndMusicFollows) {
  const Decision decision = decide(announcing(), event::ListSpoken{2});
  EXPECT_THAT(decision.actions, ElementsAre(action::Action(action::Notify{SessionPlayed{"s", "p", false}})));
  EXPECT_EQ(decision.next.activity, Activity(activity::Continuous{Music{}}));
}

TEST(SessionDecide, WordOfAnotherPlaysEndChangesNothing) {
  const Session session = announcing();
  const Decision decision = decide(session, event::ListSpoken{1});
  EXPECT_THAT(decision.actions, IsEmpty());
  EXPECT_EQ(decision.next, session);
}

TEST(SessionDecide, AReplacedListIsReportedAsInterrupted) {
  const Decision decision = decide(announcing(), event::PlayAsked{{Ringback{}, "", 9}});
  EXPECT_THAT(decision.actions, ElementsAre(action::Action(action::Notify{SessionPlayed{"s", "p", true}}),
                                            action::Action(action::StartPlay{9, Ringback{}})));
}

TEST(SessionDecide, AListThatNeverBeganIsReportedAsInterruptedToo) {
  const Session waiting = after(new_session(), {event::PlayAsked{{kParked, "p", 1}}});
  const Decision decision = decide(waiting, event::PlayAsked{{Music{}, "", 2}});
  EXPECT_THAT(decision.actions, ElementsAre(action::Action(action::Notify{SessionPlayed{"s", "p", true}})));
}

TEST(SessionDecide, TheSameRemoteAndCodecAgainChangeNothing) {
  const Session session = announcing();
  const Decision decision = decide(session, connected(5));
  EXPECT_THAT(decision.actions, IsEmpty());
  EXPECT_EQ(decision.next, session);
}

TEST(SessionDecide, O4_ASessionOutlivesItsOwnerUntilTheClaimTimesOut) {
  const Decision lost = decide(announcing(), event::OwnerLost{});
  EXPECT_THAT(lost.actions, ElementsAre(action::Action(action::StartClaimTimer{})));
  EXPECT_EQ(lost.next.activity, announcing().activity);
  const Decision expired = decide(lost.next, event::ClaimTimedOut{});
  EXPECT_EQ(expired.next.activity, Activity(activity::Ended{}));
  EXPECT_THAT(expired.actions, testing::Contains(action::Action(action::CloseMedia{})));
}

TEST(SessionDecide, O4_OpeningAgainClaimsTheSession) {
  const Session lost = after(announcing(), {event::OwnerLost{}});
  const Decision claimed = decide(lost, event::MediaGiven{.by = event::MediaGiven::By::kOpen});
  EXPECT_THAT(claimed.actions, ElementsAre(action::Action(action::StopClaimTimer{})));
  EXPECT_EQ(claimed.next, announcing());
  EXPECT_THAT(decide(claimed.next, event::ClaimTimedOut{}).actions, IsEmpty()) << "a timer that crossed the claim";
}

TEST(SessionDecide, AnUpdateDoesNotClaim) {
  const Session lost = after(announcing(), {event::OwnerLost{}});
  EXPECT_EQ(decide(lost, connected(5)).next.claim, Claim::kUnclaimed);
}

TEST(SessionDecide, PausingIsOrderedOnce) {
  const event::MediaGiven pause{.by = event::MediaGiven::By::kUpdate, .direction = Direction::kPaused};
  const Decision paused = decide(announcing(), pause);
  EXPECT_THAT(paused.actions, ElementsAre(action::Action(action::SetDirection{Direction::kPaused})));
  EXPECT_THAT(decide(paused.next, pause).actions, IsEmpty());
}

TEST(SessionDecide, AnEndedSessionIsDeafToEverything) {
  const Session ended = after(announcing(), {event::CloseAsked{}});
  const event::Event events[] = {connected(7),       event::PlayAsked{}, event::ListSpoken{2},   event::KeyPressed{},
                                 event::RtpCeased{}, event::OwnerLost{}, event::ClaimTimedOut{}, event::CloseAsked{}};
  for (const event::Event& event : events) {
    EXPECT_THAT(decide(ended, event).actions, IsEmpty());
    EXPECT_EQ(decide(ended, event).next, ended);
  }
}

}  // namespace
}  // namespace callpark::media
