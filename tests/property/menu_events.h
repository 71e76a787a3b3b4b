// What may happen next in a world of the machine of a caller in a menu, and what is due then.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "parkd/menu/choice.h"
#include "tests/property/menu_world.h"

namespace callpark::menu {

struct Next {
  Event event;
  World before;  // what is true by the time that the event is reported
};

/// Every event that is due in a world.
class NextEvents {
 public:
  explicit NextEvents(const World& world) : w_(world) {}

  std::vector<Next> all() && {
    add_look_up();
    add_answer();
    add_sound();
    add_keys();
    add_destination();
    add_target();
    add_claim();
    add_offers();
    add_media_moved();
    add_end();
    add_timers();
    return std::move(next_);
  }

 private:
  template <class F>
  void add(const Event& event, F before) {
    World x = w_;
    before(x);
    next_.push_back({event, std::move(x)});
  }

  // ---- what follows from what ----

  static void arrive(World& x, int place) {
    x.place = place;
    x.tries = x.times_played = 0;
    x.due.write_row = true;
    x.owed = Sound::kGreeting;
  }
  static void look_up_above(World& x) { x.due.go_back = x.due.look_up = true; }
  static void resolve(World& x, const std::string& destination, bool is_entered) {
    x.due.resolve = {destination, is_entered};
  }
  // Not even an announcement that leads nowhere has a goodbye.
  static void conclude(World& x, const std::string& destination) {
    if (!destination.empty()) {
      x.is_last = true;
      resolve(x, destination, false);
    } else if (place_of(x).kind == Place::Kind::kAnnouncement) {
      x.due.hang_up = true;
    } else {
      x.owed = Sound::kGoodbye;
    }
  }
  static void fail(World& x, Sound sound, const std::string& last_destination) {
    x.tries += 1;
    if (x.tries < place_of(x).tries_max) {
      x.owed = sound;
    } else {
      conclude(x, last_destination);
    }
  }
  // The choice itself is compared in tests/unit/parkd/menu/choice_test.cc.
  static void choose(World& x, bool is_complete) {
    const Choice choice = choice_of(place_of(x), x.typed, is_complete);
    x.is_collecting = std::holds_alternative<MoreKeys>(choice);
    if (x.is_collecting) return;
    const std::string typed = std::exchange(x.typed, "");
    if (std::holds_alternative<ChosenExtension>(choice)) return resolve(x, typed, true);
    if (std::holds_alternative<NoChoice>(choice)) return fail(x, Sound::kInvalid, place_of(x).invalid_destination);
    const std::string destination = std::get<ChosenOption>(choice).destination;
    if (destination == "back" && x.depth > 0) return look_up_above(x);
    if (destination == "back" || destination == "repeat") {
      x.owed = Sound::kGreeting;
    } else {
      resolve(x, destination, false);
    }
  }
  static void interrupt(World& x) {
    x.is_collecting = false;
    x.typed.clear();
    x.look_up.reset();
    x.resolve.reset();
    x.claim.reset();
    x.due.stop_sound = x.play.has_value();
    x.due.end_target = x.target != Target::kNone;
  }
  static void end(World& x) {
    x.due.end_target = x.target != Target::kNone;
    x.due.end_peer = x.has_peer;
    x.is_collecting = false;
    x.typed.clear();
  }
  static void hang_up(World& x) {
    end(x);
    x.due.hang_up = true;
  }
  static bool is_answered(const World& x) { return x.caller == Call::kAnswered; }
  // Of a call that is answered already, there is nothing to refuse.
  static void leave(World& x, RefusalReason reason) {
    if (is_answered(x)) return hang_up(x);
    x.due.refuse = reason;
  }

  // ---- until the call is answered, and back to the place above ----

  void add_look_up() {
    if (!w_.look_up) return;
    const bool is_back = w_.media_open;
    for (int place = 0; place < static_cast<int>(places().size()); ++place) {
      const Place& found = places().at(static_cast<std::size_t>(place));
      add(PlaceFound{*w_.look_up, found}, [&](World& x) {
        x.look_up.reset();
        if (!is_back) {
          x.place = place;
          x.due.answer = true;
        } else if (found.kind == Place::Kind::kAnnouncement && x.depth > 0) {
          look_up_above(x);
        } else {
          arrive(x, place);
        }
      });
    }
    add(PlaceMissing{*w_.look_up}, [is_back](World& x) {
      x.look_up.reset();
      if (!is_back) return leave(x, RefusalReason::kNotFound);
      if (x.depth > 0) return look_up_above(x);
      x.is_last = true;
      x.owed = Sound::kNotAvailable;
    });
    add(StoreFailed{*w_.look_up}, [is_back](World& x) {
      x.look_up.reset();
      if (!is_back) return leave(x, RefusalReason::kUnavailable);
      x.is_last = true;
      x.owed = Sound::kNotAvailable;
    });
  }

  void add_answer() {
    if (!w_.answer) return;
    add(CallAnswered{*w_.answer}, [](World& x) {
      x.answer.reset();
      x.caller = Call::kAnswered;
      if (x.hears == Hears::kNothing) x.hears = Hears::kSession;
      x.due.end_peer = x.has_peer;
      x.due.write_row = true;
      x.owed = Sound::kGreeting;
    });
    for (const RefusalReason reason : {RefusalReason::kNoMedia, RefusalReason::kUnavailable}) {
      add(MediaFailed{*w_.answer, reason}, [reason](World& x) {
        x.answer.reset();
        leave(x, reason);
      });
    }
  }

  // ---- what the caller hears and presses ----

  void add_sound() {
    if (w_.old_play) add(SoundPlayed{*w_.old_play}, [](World& x) { x.old_play.reset(); });
    if (!w_.play) return;
    add(SoundPlayed{*w_.play}, [](World& x) {
      x.play.reset();
      if (x.sound == Sound::kGoodbye) return hang_up(x);
      if (x.sound != Sound::kGreeting) {
        x.owed = x.is_last ? Sound::kGoodbye : Sound::kGreeting;
      } else if (place_of(x).kind == Place::Kind::kMenu) {
        x.is_collecting = true;
      } else if (place_of(x).times == 0) {
        x.owed = Sound::kGreeting;
      } else {
        x.times_played += 1;
        if (x.times_played < place_of(x).times) {
          x.owed = Sound::kGreeting;
        } else {
          conclude(x, place_of(x).destination);
        }
      }
    });
  }

  void add_keys() {
    if (!is_answered(w_)) return;
    for (const char key : {'1', '2', '9', '#'}) {
      add(KeyPressed{key}, [key](World& x) {
        const bool is_greeted = x.play && x.sound == Sound::kGreeting;
        if (!is_greeted && !x.is_collecting) return;
        const Place& place = place_of(x);
        if (place.options.empty() && !place.direct_dial) return;
        if (key == '#') {
          if (!x.typed.empty()) choose(x, true);
          return;
        }
        x.due.stop_sound = is_greeted;
        x.typed += key;
        choose(x, false);
      });
    }
  }

  // ---- destinations ----

  void add_destination() {
    if (!w_.resolve) return;
    if (w_.places_left > 0 && !w_.is_entered) {
      for (int place = 0; place < static_cast<int>(places().size()); ++place) {
        add(PlaceFound{*w_.resolve, places().at(static_cast<std::size_t>(place))}, [place](World& x) {
          x.resolve.reset();
          x.places_left -= 1;
          x.due.enter = true;
          arrive(x, place);
        });
      }
    }
    add(PlaceMissing{*w_.resolve}, [](World& x) {
      x.resolve.reset();
      if (x.is_entered) return fail(x, Sound::kInvalid, place_of(x).invalid_destination);
      x.owed = Sound::kNotReached;
    });
    add(DestinationRings{*w_.resolve}, [](World& x) {
      x.resolve.reset();
      x.due.call_target = true;
      x.owed = Sound::kRingback;
    });
    add(DestinationHangsUp{*w_.resolve}, [](World& x) {
      x.resolve.reset();
      x.owed = Sound::kGoodbye;
    });
    add(StoreFailed{*w_.resolve}, [](World& x) {
      x.resolve.reset();
      x.owed = Sound::kNotAvailable;
    });
  }

  void add_target() {
    if (!w_.call) return;
    if (w_.target == Target::kRings) {
      add(TargetAnswered{*w_.call}, [](World& x) {
        x.target = Target::kTalks;
        x.due.claim = true;
      });
    }
    add(TargetRefused{*w_.call}, [](World& x) {
      x.target = Target::kNone;
      x.call.reset();
      x.claim.reset();
      // The answer to the offer comes first.
      if (!x.offer_target) x.owed = Sound::kNotReached;
    });
  }

  void add_claim() {
    if (!w_.claim) return;
    add(Claimed{*w_.claim}, [](World& x) {
      x.claim.reset();
      x.due.offer_target = true;
    });
    add(NotClaimed{*w_.claim}, [](World& x) {
      x.claim.reset();
      x.has_row = x.row_has_target = false;
      x.caller = Call::kOver;
      end(x);
    });
    add(StoreFailed{*w_.claim}, [](World& x) {
      x.claim.reset();
      x.due.end_target = true;
      x.owed = Sound::kNotAvailable;
    });
  }

  // ---- offers ----

  void add_offers() {
    if (w_.offer_target) {
      add(CallerAccepted{*w_.offer_target}, [](World& x) {
        x.offer_target.reset();
        x.hears = Hears::kOther;
        if (x.call) {
          x.due.hand_over = true;
        } else {
          x.owed = Sound::kNotReached;
        }
      });
      for (const bool changed : {false, true}) {
        add(CallerRefused{*w_.offer_target, changed}, [changed](World& x) {
          x.offer_target.reset();
          if (changed) x.hears = Hears::kOther;
          x.due.end_target = x.call.has_value();
          x.owed = x.call ? Sound::kNotAvailable : Sound::kNotReached;
        });
      }
    }
    if (!w_.offer_media) return;
    add(CallerAccepted{*w_.offer_media}, [](World& x) {
      x.offer_media.reset();
      if (!x.is_moved_again) x.hears = Hears::kSession;
    });
    for (const bool changed : {false, true}) {
      add(CallerRefused{*w_.offer_media, changed}, [](World& x) {
        x.offer_media.reset();
        x.owed.reset();
        hang_up(x);
      });
    }
  }

  void add_media_moved() {
    if (!w_.media_open || w_.moves_left == 0) return;
    add(MediaMoved{}, [](World& x) {
      x.moves_left -= 1;
      x.hears = Hears::kOther;
      x.is_moved_again = x.offer_media.has_value();
      // An answer comes first.
      if (x.answer || x.look_up || x.claim || x.offer_target || x.offer_media) return;
      if (x.play && x.sound == Sound::kGoodbye) return hang_up(x);
      const bool is_spoken_to = x.play && x.sound != Sound::kGreeting;
      x.owed = is_spoken_to && x.is_last ? Sound::kGoodbye : Sound::kGreeting;
      interrupt(x);
    });
  }

  // ---- the end ----

  void add_end() {
    if (w_.caller == Call::kOver) return;
    add(CallerGone{}, [](World& x) {
      x.caller = Call::kOver;
      x.owed.reset();
      end(x);
    });
  }

  void add_timers() {
    for (const Timer timer : kTimers) {
      if ((w_.timers & bit(timer)) == 0) continue;
      add(TimerFired{timer}, [timer](World& x) {
        x.timers &= ~bit(timer);
        switch (timer) {
          case Timer::kCall:
            return end_time(x);
          case Timer::kFirstKey:
            x.is_collecting = false;
            return fail(x, Sound::kGreeting, place_of(x).timeout_destination);
          case Timer::kNextKey:
            return choose(x, true);
        }
      });
    }
  }

  static void end_time(World& x) {
    if (!is_answered(x) || !x.media_open || x.answer) return leave(x, RefusalReason::kUnavailable);
    if (x.offer_target) {
      x.due.start_call_timer = true;
      return;
    }
    if (x.play && x.sound == Sound::kGoodbye) return hang_up(x);
    x.is_time_over = true;
    x.owed = Sound::kGoodbye;
    interrupt(x);
  }

  const World& w_;
  std::vector<Next> next_;
};

}  // namespace callpark::menu
