// Stories of callers in menus and at announcements. What holds in every story is tests/property/menu_explorer_test.cc.
#include "parkd/menu/decide.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "parkd/menu/names.h"

namespace callpark::menu {
namespace {

Place menu() {
  Place place{.options = {{"1", "200"}, {"2", "repeat"}, {"3", "back"}, {"45", "400"}}};
  place.timeout_destination = "900";
  place.invalid_destination = "901";
  return place;
}

Place menu_with_direct_dial() {
  Place place{.direct_dial = true};
  place.extensions[1] = 1U << 3;
  return place;
}

Place announcement(int times, std::string destination) {
  Place place{.kind = Place::Kind::kAnnouncement};
  place.times = times;
  place.destination = std::move(destination);
  return place;
}

/// A machine, and what it has emitted last.
class Caller {
 public:
  Caller() { follow(begin()); }
  explicit Caller(const Found& found) { follow(resume(found)); }
  explicit Caller(const Place& place) : Caller() { be_answered(place); }

  void feed(const Event& event) { follow(decide(state_, event)); }
  template <class P>
  const P& phase() const {
    return std::get<P>(state_.phase);
  }
  std::string name() const { return std::string(name_of(state_.phase)); }
  const State& state() const { return state_; }
  template <class A>
  const A* emitted() const {
    for (const Action& action : actions_) {
      if (const A* one = std::get_if<A>(&action)) return one;
    }
    return nullptr;
  }
  bool starts(Timer timer) const {
    for (const Action& action : actions_) {
      const auto* start = std::get_if<StartTimer>(&action);
      if (start && start->timer == timer) return true;
    }
    return false;
  }
  std::optional<Sound> sound() const {
    const Play* play = emitted<Play>();
    return play ? std::optional(play->sound) : std::nullopt;
  }
  std::string resolved() const {
    const Resolve* resolve = emitted<Resolve>();
    if (!resolve) return "";
    return resolve->is_entered ? "entered " + resolve->destination : resolve->destination;
  }

  void find(const Place& place) { feed(PlaceFound{phase<LookingUp>().look_up, place}); }
  void be_answered(const Place& place) {
    find(place);
    feed(CallAnswered{phase<Answering>().answer});
  }
  void press(const std::string& keys) {
    for (const char key : keys) feed(KeyPressed{key});
  }
  void hear_out() {
    const Question* play = nullptr;
    if (const auto* greeting = std::get_if<Greeting>(&state_.phase)) play = &greeting->play;
    if (const auto* speaking = std::get_if<Speaking>(&state_.phase)) play = &speaking->play;
    if (const auto* parting = std::get_if<Parting>(&state_.phase)) play = &parting->play;
    ASSERT_TRUE(play) << name();
    feed(SoundPlayed{*play});
  }
  void be_silent() {
    hear_out();
    feed(TimerFired{Timer::kFirstKey});
  }
  void go_to(const Place& place) { feed(PlaceFound{phase<Resolving>().resolve, place}); }
  void ring() { feed(DestinationRings{phase<Resolving>().resolve}); }
  void be_claimed() {
    feed(TargetAnswered{state_.target});
    feed(Claimed{phase<Claiming>().claim});
  }
  void accept_media() { feed(CallerAccepted{phase<Returning>().offer}); }

 private:
  void follow(Decision decision) {
    state_ = std::move(decision.next);
    actions_ = std::move(decision.actions);
  }
  State state_;
  std::vector<Action> actions_;
};

// ---- a destination is chosen ----

TEST(MenuDecide, F6_ACallerPressesAKeyAndTalksToTheDestination) {
  Caller caller;
  EXPECT_TRUE(caller.starts(Timer::kCall));
  caller.be_answered(menu());
  EXPECT_TRUE(caller.emitted<WriteRow>());
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  caller.press("1");
  EXPECT_TRUE(caller.emitted<StopSound>());
  EXPECT_EQ(caller.resolved(), "200");
  caller.ring();
  EXPECT_EQ(caller.sound(), Sound::kRingback);
  EXPECT_TRUE(caller.emitted<CallTarget>());
  caller.feed(TargetAnswered{caller.state().target});
  EXPECT_TRUE(caller.emitted<Claim>());
  caller.feed(Claimed{caller.phase<Claiming>().claim});
  EXPECT_TRUE(caller.emitted<OfferTarget>());
  caller.feed(CallerAccepted{caller.phase<Joining>().offer});
  EXPECT_TRUE(caller.emitted<HandOver>());
  EXPECT_TRUE(caller.emitted<CloseMedia>());
  EXPECT_FALSE(caller.emitted<RemoveRow>()) << "the hand over removes it";
  EXPECT_FALSE(caller.emitted<HangUp>());
  EXPECT_EQ(caller.name(), "Ended");
}

TEST(MenuDecide, F6_ABusyDestinationLeadsBackToTheMenu) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.press("2");
  EXPECT_EQ(caller.name(), "Calling") << "keys mean nothing while it rings";
  caller.feed(TargetRefused{caller.state().target});
  EXPECT_EQ(caller.sound(), Sound::kNotReached);
  caller.press("1");
  EXPECT_EQ(caller.name(), "Speaking");
  caller.hear_out();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
}

TEST(MenuDecide, F6_KeysAreCollectedUntilTheyMeanOneThing) {
  Caller caller(menu());
  caller.hear_out();
  EXPECT_TRUE(caller.starts(Timer::kFirstKey));
  caller.press("4");
  EXPECT_TRUE(caller.starts(Timer::kNextKey));
  caller.press("5");
  EXPECT_EQ(caller.resolved(), "400");
}

TEST(MenuDecide, F6_AHashOrASilenceEndsAnEntry) {
  for (const Event& end : {Event(KeyPressed{'#'}), Event(TimerFired{Timer::kNextKey})}) {
    Caller caller(menu());
    caller.press("#4");
    EXPECT_EQ(caller.state().entry, "4") << "a hash before an entry means nothing";
    caller.feed(end);
    EXPECT_EQ(caller.sound(), Sound::kInvalid);
  }
}

TEST(MenuDecide, F6_AnExtensionIsDialledDirectly) {
  Caller caller(menu_with_direct_dial());
  caller.press("101");
  EXPECT_EQ(caller.resolved(), "entered 101");
  caller.feed(PlaceMissing{caller.phase<Resolving>().resolve});
  EXPECT_EQ(caller.sound(), Sound::kInvalid);
  EXPECT_EQ(caller.state().tries, 1);
}

TEST(MenuDecide, F6_ADestinationThatHangsUpIsAGoodbye) {
  Caller caller(menu());
  caller.press("1");
  caller.feed(DestinationHangsUp{caller.phase<Resolving>().resolve});
  EXPECT_EQ(caller.sound(), Sound::kGoodbye);
  caller.hear_out();
  EXPECT_TRUE(caller.emitted<HangUp>());
}

// ---- nothing is chosen ----

TEST(MenuDecide, F6_ThreeSilencesLeadToTheDestinationForThat) {
  Caller caller(menu());
  caller.be_silent();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  caller.be_silent();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  caller.be_silent();
  EXPECT_EQ(caller.resolved(), "900");
  caller.ring();
  caller.feed(TargetRefused{caller.state().target});
  EXPECT_EQ(caller.sound(), Sound::kNotReached);
  caller.hear_out();
  EXPECT_EQ(caller.sound(), Sound::kGoodbye) << "the menu is not played for ever";
}

TEST(MenuDecide, F6_SilencesAndWrongEntriesCountTogether) {
  Caller caller(menu());
  caller.be_silent();
  caller.press("9");
  EXPECT_EQ(caller.sound(), Sound::kInvalid);
  caller.hear_out();
  caller.press("8");
  EXPECT_EQ(caller.resolved(), "901");
}

TEST(MenuDecide, F6_WithoutADestinationForThatTheCallEnds) {
  Caller caller(menu_with_direct_dial());
  for (int i = 0; i < 3; ++i) caller.be_silent();
  EXPECT_EQ(caller.sound(), Sound::kGoodbye);
  caller.hear_out();
  EXPECT_TRUE(caller.emitted<HangUp>());
  ASSERT_TRUE(caller.emitted<RemoveRow>());
  EXPECT_EQ(caller.emitted<RemoveRow>()->by, EndedBy::kParkd);
}

TEST(MenuDecide, F6_AMenuWithoutOptionsHearsNoKeys) {
  Caller caller(Place{});
  caller.press("12#");
  EXPECT_EQ(caller.name(), "Greeting");
  caller.hear_out();
  caller.press("12#");
  EXPECT_EQ(caller.name(), "Collecting");
  EXPECT_EQ(caller.state().tries, 0);
}

// ---- menus in menus ----

TEST(MenuDecide, F6_BackLeadsToTheMenuAbove) {
  Caller caller(menu());
  caller.be_silent();
  caller.press("1");
  caller.go_to(menu());
  EXPECT_TRUE(caller.emitted<Enter>());
  EXPECT_TRUE(caller.emitted<WriteRow>());
  EXPECT_EQ(caller.state().tries, 0) << "each menu has its own";
  EXPECT_EQ(caller.state().depth, 1);
  caller.press("3");
  EXPECT_TRUE(caller.emitted<GoBack>());
  caller.find(menu());
  EXPECT_TRUE(caller.emitted<WriteRow>());
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  EXPECT_EQ(caller.state().depth, 0);
  caller.press("3");
  EXPECT_FALSE(caller.emitted<GoBack>()) << "nothing is above the first";
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
}

TEST(MenuDecide, F6_BackPassesOverAnnouncementsAndMenusThatAreGone) {
  Caller caller(menu());
  for (int i = 0; i < 3; ++i) {
    caller.press("1");
    caller.go_to(menu());
  }
  caller.press("3");
  caller.find(announcement(1, "500"));
  EXPECT_TRUE(caller.emitted<GoBack>());
  caller.feed(PlaceMissing{caller.phase<LookingUp>().look_up});
  EXPECT_TRUE(caller.emitted<GoBack>());
  caller.feed(PlaceMissing{caller.phase<LookingUp>().look_up});
  EXPECT_EQ(caller.sound(), Sound::kNotAvailable);
  caller.hear_out();
  EXPECT_EQ(caller.sound(), Sound::kGoodbye);
}

TEST(MenuDecide, F6_TheOldestOfManyPlacesIsForgotten) {
  Caller caller(menu());
  for (int i = 0; i < 2 * kDepthMax; ++i) {
    caller.press("1");
    caller.go_to(menu());
  }
  EXPECT_EQ(caller.state().depth, kDepthMax);
}

TEST(MenuDecide, F6_RepeatPlaysTheMenuOnceMore) {
  Caller caller(menu());
  caller.press("2");
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  EXPECT_EQ(caller.state().tries, 0);
}

// ---- announcements ----

TEST(MenuDecide, F7_AnAnnouncementIsPlayedAsOftenAsItHasAndTheCallEnds) {
  Caller caller(announcement(2, ""));
  caller.press("1");
  caller.hear_out();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
  caller.hear_out();
  EXPECT_TRUE(caller.emitted<HangUp>());
  EXPECT_FALSE(caller.emitted<Play>()) << "it has no goodbye";
}

TEST(MenuDecide, F7_AnAnnouncementLeadsToItsDestination) {
  Caller caller(announcement(1, "300"));
  caller.hear_out();
  EXPECT_EQ(caller.resolved(), "300");
  caller.feed(PlaceMissing{caller.phase<Resolving>().resolve});
  EXPECT_EQ(caller.sound(), Sound::kNotReached);
  caller.hear_out();
  EXPECT_EQ(caller.sound(), Sound::kGoodbye);
}

TEST(MenuDecide, F7_ALoopedAnnouncementEndsWithTheTimeOfTheCall) {
  Caller caller(announcement(0, ""));
  for (int i = 0; i < 100; ++i) {
    caller.hear_out();
    ASSERT_EQ(caller.sound(), Sound::kGreeting);
  }
  caller.feed(TimerFired{Timer::kCall});
  EXPECT_TRUE(caller.emitted<StopSound>());
  EXPECT_EQ(caller.sound(), Sound::kGoodbye);
  caller.hear_out();
  EXPECT_TRUE(caller.emitted<HangUp>());
}

// ---- what goes wrong ----

TEST(MenuDecide, F6_WhatCannotBeAnsweredIsRefused) {
  Caller missing;
  missing.feed(PlaceMissing{missing.phase<LookingUp>().look_up});
  EXPECT_EQ(missing.emitted<Refuse>()->reason, RefusalReason::kNotFound);
  Caller away;
  away.feed(StoreFailed{away.phase<LookingUp>().look_up});
  EXPECT_EQ(away.emitted<Refuse>()->reason, RefusalReason::kUnavailable);
  Caller mute;
  mute.find(menu());
  mute.feed(MediaFailed{mute.phase<Answering>().answer, RefusalReason::kNoMedia});
  EXPECT_EQ(mute.emitted<Refuse>()->reason, RefusalReason::kNoMedia);
  EXPECT_TRUE(mute.emitted<CloseMedia>());
  EXPECT_FALSE(mute.emitted<RemoveRow>());
}

TEST(MenuDecide, F6_MovedMediaAreOfferedToTheCaller) {
  Caller caller(menu());
  caller.press("4");
  caller.feed(MediaMoved{});
  EXPECT_TRUE(caller.emitted<OfferMedia>());
  EXPECT_EQ(caller.state().entry, "");
  EXPECT_FALSE(caller.emitted<Play>()) << "the caller would not hear it";
  caller.feed(MediaMoved{});
  EXPECT_FALSE(caller.emitted<OfferMedia>()) << "an offer is out";
  caller.accept_media();
  EXPECT_TRUE(caller.emitted<OfferMedia>());
  caller.accept_media();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
}

TEST(MenuDecide, F6_MovedMediaEndARingingTarget) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.feed(MediaMoved{});
  EXPECT_TRUE(caller.emitted<EndTarget>());
  caller.accept_media();
  EXPECT_EQ(caller.sound(), Sound::kGreeting);
}

TEST(MenuDecide, F6_ACallerThatRefusesTheTargetHearsTheMenuAgain) {
  for (const bool changed : {false, true}) {
    Caller caller(menu());
    caller.press("1");
    caller.ring();
    caller.be_claimed();
    caller.feed(CallerRefused{caller.phase<Joining>().offer, changed});
    EXPECT_TRUE(caller.emitted<EndTarget>());
    EXPECT_TRUE(caller.emitted<Unclaim>());
    EXPECT_EQ(caller.name(), changed ? "Returning" : "Speaking");
    if (changed) caller.accept_media();
    EXPECT_EQ(caller.sound(), Sound::kNotAvailable);
    caller.hear_out();
    EXPECT_EQ(caller.sound(), Sound::kGreeting);
  }
}

TEST(MenuDecide, F6_ATargetThatHangsUpWhileTheCallerIsJoinedIsNotReached) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.be_claimed();
  caller.feed(TargetRefused{caller.state().target});
  EXPECT_TRUE(caller.emitted<Unclaim>());
  EXPECT_FALSE(caller.emitted<OfferMedia>()) << "another offer is out";
  caller.feed(CallerAccepted{caller.phase<Joining>().offer});
  EXPECT_FALSE(caller.emitted<HandOver>());
  EXPECT_TRUE(caller.emitted<OfferMedia>());
  caller.accept_media();
  EXPECT_EQ(caller.sound(), Sound::kNotReached);
}

TEST(MenuDecide, F6_ACallOfAnotherNodeIsLeftToIt) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.feed(TargetAnswered{caller.state().target});
  caller.feed(NotClaimed{caller.phase<Claiming>().claim});
  EXPECT_TRUE(caller.emitted<EndTarget>());
  EXPECT_TRUE(caller.emitted<CloseMedia>());
  EXPECT_FALSE(caller.emitted<HangUp>());
  EXPECT_FALSE(caller.emitted<RemoveRow>());
}

TEST(MenuDecide, F6_NothingIsLeftOfACallerThatHangsUp) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.feed(CallerGone{});
  EXPECT_TRUE(caller.emitted<EndTarget>());
  EXPECT_TRUE(caller.emitted<CloseMedia>());
  ASSERT_TRUE(caller.emitted<RemoveRow>());
  EXPECT_EQ(caller.emitted<RemoveRow>()->by, EndedBy::kCaller);
  EXPECT_FALSE(caller.emitted<HangUp>());
}

TEST(MenuDecide, F6_TheTimeOfTheCallDoesNotCutOffACallerThatIsJoined) {
  Caller caller(menu());
  caller.press("1");
  caller.ring();
  caller.be_claimed();
  caller.feed(TimerFired{Timer::kCall});
  EXPECT_EQ(caller.name(), "Joining");
  EXPECT_TRUE(caller.starts(Timer::kCall)) << "for the case that it does not come to talk";
}

// ---- another parkd goes on ----

TEST(MenuDecide, F6_ACallThatIsTakenOverHearsTheMenuAgain) {
  for (const bool has_peer : {false, true}) {
    Caller caller(Found{2, has_peer});
    EXPECT_TRUE(caller.starts(Timer::kCall));
    caller.be_answered(menu());
    EXPECT_EQ(caller.emitted<EndPeer>() != nullptr, has_peer);
    EXPECT_TRUE(caller.emitted<WriteRow>());
    EXPECT_EQ(caller.emitted<OfferMedia>() != nullptr, has_peer) << "else it still hears mediad";
    if (has_peer) caller.accept_media();
    EXPECT_EQ(caller.sound(), Sound::kGreeting);
    caller.press("3");
    EXPECT_TRUE(caller.emitted<GoBack>());
  }
}

TEST(MenuDecide, F6_ACallThatIsTakenOverWithoutItsMenuEnds) {
  Caller caller(Found{0, true});
  caller.feed(PlaceMissing{caller.phase<LookingUp>().look_up});
  EXPECT_TRUE(caller.emitted<HangUp>());
  EXPECT_TRUE(caller.emitted<EndPeer>());
  EXPECT_TRUE(caller.emitted<RemoveRow>());
  EXPECT_TRUE(caller.emitted<CloseMedia>()) << "that of the parkd before";
}

}  // namespace
}  // namespace callpark::menu
