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
                                         action::Action(action::SetRemote{kPhone, Latching::kOff}),
                                         action::Action(action::StartSilenceTimer{})));
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

TEST(SessionDecide, F3_AMissingSoundIsReportedWithTheEndOfItsList) {
  const Decision decision = decide(announcing(), event::ListSpoken{2, "x.wav is empty"});
  EXPECT_THAT(decision.actions,
              ElementsAre(action::Action(action::Notify{SessionPlayed{"s", "p", false, "x.wav is empty"}})));
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
  EXPECT_THAT(paused.actions, ElementsAre(action::Action(action::SetDirection{Direction::kPaused}),
                                          action::Action(action::StopSilenceTimer{})));
  EXPECT_THAT(decide(paused.next, pause).actions, IsEmpty());
}

// ---- a remote that sends nothing ----

event::MediaGiven at_remote(const Endpoint& remote, Latching latching = Latching::kOff) {
  return {.by = event::MediaGiven::By::kUpdate, .remote = remote, .latching = latching};
}
const event::MediaGiven kPause{.by = event::MediaGiven::By::kUpdate, .direction = Direction::kPaused};
const event::MediaGiven kResume{.by = event::MediaGiven::By::kUpdate, .direction = Direction::kSending};
const action::Action kPaused{action::SetDirection{Direction::kPaused}};
const action::Action kSending{action::SetDirection{Direction::kSending}};
const action::Action kStart{action::StartSilenceTimer{}};
const action::Action kStop{action::StopSilenceTimer{}};

Session given_up() {
  return after(announcing(), {event::SilenceTimedOut{}});
}

TEST(SessionDecide, X37_SendingStopsWhenNothingHasEverCome) {
  const Decision decision = decide(announcing(), event::SilenceTimedOut{});
  EXPECT_THAT(decision.actions, ElementsAre(kPaused, kStop, action::Action(action::Notify{SessionNoRtp{"s", true}})));
}

TEST(SessionDecide, X37_ARemoteThatWasHeardOnceIsNeverGivenUp) {
  const Decision heard = decide(announcing(), event::RemoteHeard{});
  EXPECT_THAT(heard.actions, ElementsAre(kStop));
  EXPECT_THAT(decide(heard.next, event::SilenceTimedOut{}).actions, IsEmpty());
  EXPECT_THAT(decide(heard.next, kPause).actions, ElementsAre(kPaused));
  EXPECT_THAT(after(heard.next, {kPause, kResume, connected(9)}), heard.next);
}

TEST(SessionDecide, X37_SendingGoesOnWithTheFirstPacket) {
  EXPECT_THAT(decide(given_up(), event::RemoteHeard{}).actions, ElementsAre(kSending));
}

TEST(SessionDecide, X37_ASilentRemoteGetsNoMoreTimeWhenItIsSignalledAgain) {
  EXPECT_THAT(decide(given_up(), at_remote(kPhone)).actions, IsEmpty());
  EXPECT_THAT(decide(given_up(), kResume).actions, IsEmpty());
  const Session moved = after(given_up(), {at_remote({kPhone.address, 4010}), kPause, kResume});
  EXPECT_EQ(moved.heard, Heard::kNothingInTime);
  EXPECT_THAT(decide(moved, event::RemoteHeard{}).actions, ElementsAre(kSending));
  EXPECT_THAT(decide(given_up(), at_remote({"127.0.0.12", 4000})).actions,
              ElementsAre(VariantWith<action::SetRemote>(testing::_), kSending, kStart));
}

TEST(SessionDecide, X37_SilentRemotesOfASessionGetThreePeriodsInAll) {
  const Endpoint victim{"127.0.0.12", 4000};
  Session session = announcing();  // the phone's own period
  for (int i = 0; i < 3; ++i) {
    session = after(session, {event::RemoteHeard{}, at_remote(victim)});
    ASSERT_EQ(session.heard, Heard::kNothingYet);
    session = after(session, {at_remote(kPhone)});
  }
  EXPECT_EQ(session.heard, Heard::kNothingInTime) << "a phone is sent to again when it is heard";
  EXPECT_THAT(decide(session, event::RemoteHeard{}).actions, ElementsAre(kSending));
  const Decision fourth = decide(after(session, {event::RemoteHeard{}}), at_remote(victim));
  EXPECT_THAT(fourth.actions, ElementsAre(VariantWith<action::SetRemote>(testing::_), kPaused));
}

TEST(SessionDecide, X37_APhoneThatMovesAndIsHeardEachTimeUsesUpNoPeriod) {
  Session session = announcing();
  for (int i = 1; i < 20; ++i) {
    session = after(session, {event::RemoteHeard{}, at_remote({"127.0.0." + std::to_string(i), 4000})});
    ASSERT_EQ(session.heard, Heard::kNothingYet);
  }
}

TEST(SessionDecide, X37_HoldAndResumeDoNotProlongTheTimeForEver) {
  Session session = announcing();
  for (int i = 0; i < 3; ++i) session = after(session, {kPause, kResume});
  EXPECT_EQ(session.heard, Heard::kNothingInTime);
}

TEST(SessionDecide, X37_AnotherCodecOrPlayDoesNotResumeSending) {
  const event::MediaGiven codec{.by = event::MediaGiven::By::kUpdate, .codec = Codec{CodecName::kPcma, 8, 8000, 101}};
  EXPECT_THAT(decide(given_up(), codec).actions, ElementsAre(VariantWith<action::SetCodec>(testing::_)));
  const Session playing = after(given_up(), {event::PlayAsked{{Ringback{}, "", 9}}});
  EXPECT_EQ(playing.heard, Heard::kNothingInTime);
}

TEST(SessionDecide, X37_APartyOnHoldIsNotTimed) {
  const Decision held = decide(announcing(), kPause);
  EXPECT_THAT(held.actions, ElementsAre(kPaused, kStop));
  EXPECT_THAT(decide(held.next, event::SilenceTimedOut{}).actions, IsEmpty()) << "a timer that crossed the hold";
  EXPECT_THAT(decide(held.next, kResume).actions, ElementsAre(kSending, kStart));
}

TEST(SessionDecide, X37_AnotherHostHasToBeHeardItself) {
  const Session heard = after(announcing(), {event::RemoteHeard{}});
  const Decision other_port = decide(heard, at_remote({kPhone.address, 4010}));
  EXPECT_THAT(other_port.actions, ElementsAre(VariantWith<action::SetRemote>(testing::_)));
  const Decision other_host = decide(heard, at_remote({"127.0.0.12", 4000}));
  EXPECT_THAT(other_host.actions, ElementsAre(VariantWith<action::SetRemote>(testing::_), kStart));
}

TEST(SessionDecide, X37_AMovedRemoteGetsItsWholeTime) {
  EXPECT_THAT(decide(announcing(), at_remote({"127.0.0.12", 4000})).actions,
              ElementsAre(VariantWith<action::SetRemote>(testing::_), kStart));
  EXPECT_THAT(decide(announcing(), at_remote(kPhone)).actions, IsEmpty()) << "the same again prolongs nothing";
}

TEST(SessionDecide, X37_AHoldAddressStopsSendingUntilARemoteIsSignalled) {
  for (const Endpoint& hold : {Endpoint{"0.0.0.0", 4000}, Endpoint{"::", 4000}, Endpoint{kPhone.address, 0}}) {
    const Decision held = decide(announcing(), at_remote(hold));
    EXPECT_THAT(held.actions, ElementsAre(kPaused, kStop)) << hold.address;
    EXPECT_EQ(held.next.media.remote, kPhone);
    EXPECT_THAT(decide(held.next, kResume).actions, IsEmpty()) << "there is no address to send to";
    EXPECT_THAT(decide(held.next, at_remote(kPhone)).actions, ElementsAre(kSending, kStart));
  }
}

TEST(SessionDecide, X37_ASessionThatBeginsOnHoldWaitsForItsRemote) {
  const Session session =
      after(new_session(), {event::MediaGiven{.remote = Endpoint{"0.0.0.0", 4000}, .codec = kCodec}});
  EXPECT_EQ(session.media.remote, std::nullopt);
  EXPECT_THAT(decide(session, at_remote(kPhone)).actions,
              testing::IsSupersetOf({action::Action(action::SetRemote{kPhone, Latching::kOff}), kSending, kStart}));
}

TEST(SessionDecide, X37_ASessionThatEndsStopsItsTimer) {
  EXPECT_THAT(decide(announcing(), event::CloseAsked{}).actions, testing::Contains(kStop));
  EXPECT_THAT(decide(given_up(), event::CloseAsked{}).actions, testing::Not(testing::Contains(kStop)));
}

// ---- latching ----

TEST(SessionDecide, X35_LatchingIsOffUnlessItIsSignalledWithTheRemote) {
  EXPECT_THAT(decide(new_session(), at_remote(kPhone)).actions,
              ElementsAre(action::Action(action::SetRemote{kPhone, Latching::kOff})));
  EXPECT_THAT(decide(new_session(), at_remote(kPhone, Latching::kOn)).actions,
              ElementsAre(action::Action(action::SetRemote{kPhone, Latching::kOn})));
}

TEST(SessionDecide, X35_WhatIsSignalledAgainStartsNoNewSearch) {
  const Session latching = after(new_session(), {at_remote(kPhone, Latching::kOn)});
  EXPECT_THAT(decide(latching, at_remote(kPhone, Latching::kOn)).actions, IsEmpty());
  EXPECT_THAT(decide(latching, at_remote(kPhone)).actions,
              ElementsAre(action::Action(action::SetRemote{kPhone, Latching::kOff})));
}

TEST(SessionDecide, AnEndedSessionIsDeafToEverything) {
  const Session ended = after(announcing(), {event::CloseAsked{}});
  const event::Event events[] = {
      connected(7),       event::PlayAsked{},     event::ListSpoken{2}, event::KeyPressed{},  event::RtpCeased{},
      event::OwnerLost{}, event::ClaimTimedOut{}, event::CloseAsked{},  event::RemoteHeard{}, event::SilenceTimedOut{}};
  for (const event::Event& event : events) {
    EXPECT_THAT(decide(ended, event).actions, IsEmpty());
    EXPECT_EQ(decide(ended, event).next, ended);
  }
}

}  // namespace
}  // namespace callpark::media
