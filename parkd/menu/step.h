// One step of the machine of a caller in a menu: the transitions, and what they have in common. decide.cc has those of
// places, sounds and keys, and of the end; targets.cc those of destinations.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "parkd/menu/decide.h"

namespace callpark::menu {

// The state as it becomes, and the actions as they come up.
class Step {
 public:
  explicit Step(const State& state) : state_(state) {}

  void begin();
  void resume(const Found& found);
  void decide(const Event& event);
  Decision done() && { return {std::move(state_), std::move(actions_)}; }

 private:
  // A transition that is not listed changes nothing: its event is late.
  template <class P, class E>
  void on(const P&, const E&) {}
  void on(const LookingUp& phase, const PlaceFound& event);
  void on(const LookingUp& phase, const PlaceMissing& event);
  void on(const LookingUp& phase, const StoreFailed& event);
  void on(const Answering& phase, const CallAnswered& event);
  void on(const Answering& phase, const MediaFailed& event);
  void on(const Returning& phase, const CallerAccepted& event);
  void on(const Returning& phase, const CallerRefused& event);
  void on(const Greeting& phase, const SoundPlayed& event);
  void on(const Greeting& phase, const KeyPressed& event);
  void on(const Collecting& phase, const KeyPressed& event);
  void on(const Resolving& phase, const PlaceFound& event);
  void on(const Resolving& phase, const PlaceMissing& event);
  void on(const Resolving& phase, const DestinationRings& event);
  void on(const Resolving& phase, const DestinationHangsUp& event);
  void on(const Resolving& phase, const StoreFailed& event);
  void on(const Calling& phase, const TargetAnswered& event);
  void on(const Calling& phase, const TargetRefused& event);
  void on(const Claiming& phase, const Claimed& event);
  void on(const Claiming& phase, const NotClaimed& event);
  void on(const Claiming& phase, const StoreFailed& event);
  void on(const Claiming& phase, const TargetRefused& event);
  void on(const Joining& phase, const CallerAccepted& event);
  void on(const Joining& phase, const CallerRefused& event);
  void on(const Joining& phase, const TargetRefused& event);
  void on(const Speaking& phase, const SoundPlayed& event);
  void on(const Parting& phase, const SoundPlayed& event);

  // The time of the call is over.
  template <class P>
  void on(const P&, const TimerFired& event) {
    if (event.timer != Timer::kCall) return;
    interrupt();
    hear(Sound::kGoodbye);
  }
  void on(const LookingUp& phase, const TimerFired& event);
  void on(const Answering& phase, const TimerFired& event);
  void on(const Returning& phase, const TimerFired& event);
  void on(const Collecting& phase, const TimerFired& event);
  void on(const Joining& phase, const TimerFired& event);
  void on(const Parting& phase, const TimerFired& event);
  void on(const Ended&, const TimerFired&) {}

  template <class P>
  void on(const P&, const MediaMoved&) {
    go_back_to_media(Sound::kGreeting);
  }
  void on(const Speaking&, const MediaMoved&) { go_back_to_media(state_.is_last ? Sound::kGoodbye : Sound::kGreeting); }
  // The caller is offered the session as it is when an answer has come that is out now.
  void on(const LookingUp&, const MediaMoved&) { state_.is_moved |= state_.has_media; }
  void on(const Answering&, const MediaMoved&) { state_.is_moved = true; }
  void on(const Returning&, const MediaMoved&) { state_.is_moved = true; }
  void on(const Claiming&, const MediaMoved&) { state_.is_moved = true; }
  void on(const Joining&, const MediaMoved&) { state_.is_moved = true; }
  void on(const Parting&, const MediaMoved&) { hang_up(); }
  void on(const Ended&, const MediaMoved&) {}

  template <class P>
  void on(const P&, const CallerGone&) {
    end(EndedBy::kCaller);
  }
  void on(const Ended&, const CallerGone&) {}

  void look_up();
  void arrive(const Place& place);
  void go_back();

  void hear(Sound sound);
  void greet();
  void part();
  Question play(Sound sound);
  void interrupt();
  void go_back_to_media(Sound then);

  void take(char key);
  void choose(bool is_complete);
  void stop_entry();
  void count_try(Sound sound, const std::string& last_destination);
  void conclude(const std::string& last_destination);
  void resolve(const std::string& destination, bool is_entered = false);

  void lose_target();
  void end_target();
  void leave(RefusalReason reason);
  void hang_up();
  void end(EndedBy by);

  template <class P>
  bool in() const {
    return std::holds_alternative<P>(state_.phase);
  }
  bool is_menu() const { return state_.place.kind == Place::Kind::kMenu; }
  bool hears_keys() const { return is_menu() && (state_.place.direct_dial || !state_.place.options.empty()); }
  Timer key_timer() const { return state_.entry.empty() ? Timer::kFirstKey : Timer::kNextKey; }
  template <class... A>
  void emit(const A&... actions) {
    (actions_.emplace_back(actions), ...);
  }
  Question next_question() { return ++state_.last_question; }

  State state_;
  std::vector<Action> actions_;
};

}  // namespace callpark::menu
