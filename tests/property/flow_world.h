// The world around the machine of a call to a call flow's code, for the explorer: what the phone, the database and
// mediad are like after what the machine has emitted, and what must always be true of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parkd/flow/decide.h"
#include "parkd/flow/names.h"
#include "parkd/flow/pin.h"

namespace callpark::flow {

enum class Call { kUnanswered, kAnswered, kOver };

/// What the event of this decision requires of it, and permits.
struct Due {
  bool record_wrong = false;
  bool record_locked = false;
  bool forget_failures = false;
  bool hang_up = false;
  bool refuse = false;
  bool sound = false;  // of the mode that was switched on
  bool may_play_locked = false;
  bool may_play_not_available = false;
  bool may_play_wrong_pin = false;
};

/// Everything around the machine. Questions have the machine's numbers until canonical() renames them.
struct World {
  State machine;
  std::string pin;     // as stored; "": none
  std::string digits;  // of the PIN
  std::optional<Question> look_up, answer, count, check, toggle, play;
  std::optional<Question> stopped_play;  // its end may be reported late
  Call call = Call::kUnanswered;
  bool media_open = false;
  bool may_lose_media = true;
  unsigned timers = 0;
  bool is_locked = false;   // the extension, as far as the machine knows
  std::string typed;        // since the prompt, the last '*', or the last try
  bool is_counted = false;  // a try is counted and not compared
  bool count_locks = false;
  int tries = 0;
  int silences = 0;
  bool was_right = false;
  bool was_toggled = false;
  Status status = Status::kOn;
  Due due;  // within one decision only
};

struct Violation {
  std::string what;
};

inline void require(bool condition, const World& world, std::string_view what) {
  if (!condition) throw Violation{std::string(what) + " in " + std::string(name_of(world.machine.phase))};
}

template <class P>
bool in(const World& world) {
  return std::holds_alternative<P>(world.machine.phase);
}

constexpr Timer kTimers[] = {Timer::kCall, Timer::kFirstKey, Timer::kNextKey};
inline unsigned bit(Timer timer) {
  return 1U << static_cast<unsigned>(timer);
}

/// Carries out what the machine emits.
class Perform {
 public:
  explicit Perform(World& world) : w_(world) {}

  void operator()(const LookUp& action) {
    require(!w_.look_up && w_.call == Call::kUnanswered, w_, "a second look-up");
    w_.look_up = action.question;
  }
  void operator()(const Answer& action) {
    require(w_.call == Call::kUnanswered && !w_.media_open && !w_.answer, w_, "a call is answered twice");
    w_.answer = action.question;
    w_.media_open = true;
  }
  void operator()(const Refuse& action) {
    require(w_.call == Call::kUnanswered, w_, "the refusal of a call that is answered or over");
    require(std::exchange(w_.due.refuse, false), w_, "a call is refused without a reason");
    require((action.reason == RefusalReason::kLocked) == w_.is_locked || action.reason == RefusalReason::kUnavailable,
            w_, "another reason of a refusal");
    w_.call = Call::kOver;
  }
  void operator()(const HangUp&) {
    require(w_.call == Call::kAnswered, w_, "BYE in a call that is not answered, or over");
    require(std::exchange(w_.due.hang_up, false), w_, "a call is ended without a reason");
    w_.call = Call::kOver;
  }
  void operator()(const Play& action) {
    require(w_.call == Call::kAnswered && w_.media_open, w_, "a prompt without a listener");
    require(!w_.play, w_, "two prompts at once");
    w_.play = action.question;
    require_prompt(action.prompt);
  }
  void operator()(const StopPrompt&) {
    require(w_.play.has_value(), w_, "a prompt is stopped that is not played");
    w_.stopped_play = w_.play;
    w_.play.reset();
  }
  void operator()(const CloseMedia&) {
    require(w_.media_open, w_, "media closed that is not open");
    w_.media_open = false;
    w_.play.reset();
    w_.answer.reset();
  }
  void operator()(const CountTry& action) {
    require(w_.call == Call::kAnswered && !w_.count && !w_.is_counted, w_, "a try is counted twice");
    require(!w_.typed.empty(), w_, "a try is counted of a caller that has entered nothing");
    require(!w_.pin.empty() && !w_.is_locked && !w_.was_right, w_, "a try is counted that may not be");
    require(++w_.tries <= kTriesMax, w_, "more tries than a call has");
    w_.count = action.question;
  }
  void operator()(const CheckPin& action) {
    require(std::exchange(w_.is_counted, false), w_, "a PIN is compared that is not counted");
    require(!w_.is_locked, w_, "the PIN of a locked extension is compared");
    std::string compared(action.entry.keys());
    if (action.entry.is_too_long()) compared += '+';
    const bool is_too_long = w_.typed.size() > kPinDigitsMax;
    require(compared == (is_too_long ? w_.typed.substr(0, kPinDigitsMax) + '+' : w_.typed), w_,
            "another entry is compared than the caller's");
    require(is_right_pin(w_.pin, action.entry) == (w_.typed == w_.digits), w_, "the comparison is wrong");
    w_.check = action.question;
  }
  void operator()(const ForgetFailures&) {
    require(std::exchange(w_.due.forget_failures, false), w_, "failures are forgotten without a right PIN");
  }
  void operator()(const RecordWrongPin& action) {
    require(std::exchange(w_.due.record_wrong, false), w_, "a wrong PIN is recorded that is none, or twice");
    require(action.locks == w_.count_locks, w_, "another lock is recorded");
  }
  void operator()(const RecordLocked&) {
    require(std::exchange(w_.due.record_locked, false), w_, "a locked call is recorded that is none, or twice");
  }
  void operator()(const Toggle& action) {
    require(w_.call == Call::kAnswered, w_, "toggled for a caller that is not there");
    require(!std::exchange(w_.was_toggled, true), w_, "toggled twice");
    require(w_.pin.empty() || w_.was_right, w_, "toggled without the PIN");
    require(!w_.is_locked, w_, "toggled by a locked extension");
    w_.toggle = action.question;
  }
  void operator()(const StartTimer& action) {
    require((w_.timers & bit(action.timer)) == 0, w_, "a timer is started that runs");
    w_.timers |= bit(action.timer);
  }
  void operator()(const StopTimer& action) { w_.timers &= ~bit(action.timer); }

 private:
  void require_prompt(Prompt prompt) {
    switch (prompt) {
      case Prompt::kEnterPin:
        return require(!w_.pin.empty() && !w_.is_locked && !w_.was_right, w_, "a PIN is asked for that is not needed");
      case Prompt::kWrongPin:
        return require(w_.due.may_play_wrong_pin, w_, "a PIN is called wrong that is not");
      case Prompt::kLocked:
        return require(w_.due.may_play_locked, w_, "a lock is spoken of that is not there");
      case Prompt::kNotAvailable:
        return require(w_.due.may_play_not_available, w_, "a failure is spoken of that is none");
      case Prompt::kModeOn:
      case Prompt::kModeOff:
        require(std::exchange(w_.due.sound, false), w_, "the sound of a mode that was not switched on");
        require((prompt == Prompt::kModeOn) == (w_.status == Status::kOn), w_, "the sound of the other mode");
    }
  }

  World& w_;
};

/// What must be true after every decision.
inline void check(const World& w) {
  require(!w.due.record_wrong, w, "a wrong PIN is not recorded");
  require(!w.due.record_locked, w, "a locked call is not recorded");
  require(!w.due.forget_failures, w, "failures are not forgotten after the right PIN");
  require(!w.due.hang_up, w, "a call goes on that should be over");
  require(!w.due.refuse, w, "a call is not refused that should be");
  require(!w.due.sound, w, "the mode that was switched on is not heard");
  const State& m = w.machine;
  if (in<Ended>(w)) {
    require(w.call == Call::kOver, w, "a call outlives the machine");
    require(w.timers == 0, w, "a timer outlives the call");
    require(!w.media_open && !w.play, w, "a media session outlives the call");
    require(m.entry.empty() && m.entry == Entry(), w, "an entry outlives the call");
    return;
  }
  require(w.call != Call::kOver, w, "the machine outlives the call");
  require((w.timers & bit(Timer::kCall)) != 0, w, "a call may last for ever");
  require(m.has_media == w.media_open, w, "a media session that the machine does not know");
  const bool is_answered = !in<LookingUp>(w) && !in<Answering>(w);
  require(is_answered == (w.call == Call::kAnswered), w, "an answer that the machine does not know");
  require(in<LookingUp>(w) == w.look_up.has_value(), w, "a look-up is not awaited, or never comes");
  require(in<Answering>(w) == w.answer.has_value(), w, "an answer is not awaited, or never comes");
  require(in<Counting>(w) == w.count.has_value(), w, "a count is not awaited, or never comes");
  require(in<Checking>(w) == w.check.has_value(), w, "a comparison is not awaited, or never comes");
  require(in<Toggling>(w) == w.toggle.has_value(), w, "a toggle is not awaited, or never comes");
  require((in<Asking>(w) || in<Parting>(w)) == w.play.has_value(), w, "a prompt is not awaited, or never comes");
  const bool first = (w.timers & bit(Timer::kFirstKey)) != 0;
  const bool next = (w.timers & bit(Timer::kNextKey)) != 0;
  require(first == (in<Collecting>(w) && w.typed.empty()), w, "the first key is not timed, or without need");
  require(next == (in<Collecting>(w) && !w.typed.empty()), w, "the next key is not timed, or without need");
  const bool is_kept = in<Collecting>(w) || in<Counting>(w);
  require(is_kept || m.entry == Entry(), w, "an entry is kept without need");
  if (in<Collecting>(w) && m.facts.plain_pin_length != 0) {
    require(w.typed.size() < w.digits.size(), w, "a complete PIN waits for more");
  }
}

// ---- what may happen next ----

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
    add_media();
    add_keys();
    add_try();
    add_toggle();
    add_end();
    return std::move(next_);
  }

 private:
  template <class F>
  void add(const Event& event, F before) {
    World x = w_;
    before(x);
    next_.push_back({event, std::move(x)});
  }

  void add_look_up() {
    if (!w_.look_up) return;
    for (const bool is_locked : {false, true}) {
      const Facts facts{!w_.pin.empty(), plain_pin_length(w_.pin), is_locked && !w_.pin.empty()};
      add(FlowFound{*w_.look_up, facts}, [&](World& x) {
        x.look_up.reset();
        x.is_locked = facts.is_locked;
      });
    }
    const auto fails = [](World& x) {
      x.look_up.reset();
      x.due.refuse = true;
    };
    add(FlowMissing{*w_.look_up}, fails);
    add(StoreFailed{*w_.look_up}, fails);
  }

  void add_media() {
    if (w_.answer) {
      add(CallAnswered{*w_.answer}, [](World& x) {
        x.answer.reset();
        x.call = Call::kAnswered;
        x.due.record_locked = x.due.may_play_locked = x.is_locked;
      });
      for (const RefusalReason reason : {RefusalReason::kNoMedia, RefusalReason::kUnavailable}) {
        add(MediaFailed{*w_.answer, reason}, [](World& x) {
          x.answer.reset();
          x.due.refuse = true;
        });
      }
    }
    if (w_.play) {
      add(PromptPlayed{*w_.play}, [](World& x) {
        x.play.reset();
        x.due.hang_up = in<Parting>(x);
      });
    }
    if (w_.stopped_play) add(PromptPlayed{*w_.stopped_play}, [](World& x) { x.stopped_play.reset(); });
    if (w_.media_open && w_.may_lose_media) {
      add(MediaLost{}, [](World& x) {
        x.may_lose_media = false;
        x.due.hang_up = x.call == Call::kAnswered;
      });
    }
  }

  void add_keys() {
    if (w_.call != Call::kAnswered) return;
    // A long entry has one way on.
    const std::string_view keys = w_.typed.size() < 3 ? "129*#" : w_.typed.size() <= kPinDigitsMax + 1 ? "9*#" : "*#";
    for (const char key : keys) {
      add(KeyPressed{key}, [key](World& x) {
        if (!in<Asking>(x) && !in<Collecting>(x)) return;
        if (key == '#') return;
        if (key != '*') x.silences = 0;
        if (key == '*') {
          x.typed.clear();
        } else {
          x.typed += key;
        }
      });
    }
  }

  void add_try() {
    if (w_.count) {
      for (const bool locks : {false, true}) {
        add(TryCounted{*w_.count, locks}, [locks](World& x) {
          x.count.reset();
          x.is_counted = true;
          x.count_locks = locks;
        });
      }
      add(TryDenied{*w_.count}, [](World& x) {
        x.count.reset();
        x.typed.clear();
        x.is_locked = x.due.record_locked = x.due.may_play_locked = true;
      });
      add(StoreFailed{*w_.count}, [](World& x) {
        x.count.reset();
        x.typed.clear();
        x.due.may_play_not_available = true;
      });
    }
    if (!w_.check) return;
    if (w_.typed == w_.digits) {
      add(PinRight{*w_.check}, [](World& x) {
        x.check.reset();
        x.typed.clear();
        x.was_right = x.due.forget_failures = true;
      });
    } else {
      add(PinWrong{*w_.check}, [](World& x) {
        x.check.reset();
        x.typed.clear();
        x.due.record_wrong = true;
        x.is_locked = x.due.may_play_locked = x.count_locks;
        x.due.may_play_wrong_pin = !x.count_locks;
      });
    }
  }

  void add_toggle() {
    if (!w_.toggle) return;
    for (const Status status : {Status::kOn, Status::kOff}) {
      add(Toggled{*w_.toggle, status}, [status](World& x) {
        x.toggle.reset();
        x.status = status;
        x.due.sound = true;
      });
    }
    const auto fails = [](World& x) {
      x.toggle.reset();
      x.due.may_play_not_available = true;
    };
    add(NotToggled{*w_.toggle}, fails);
    add(StoreFailed{*w_.toggle}, fails);
  }

  void add_end() {
    if (w_.call == Call::kOver) return;
    add(CallerGone{}, [](World& x) { x.call = Call::kOver; });
    for (const Timer timer : kTimers) {
      if ((w_.timers & bit(timer)) == 0) continue;
      add(TimerFired{timer}, [timer](World& x) {
        x.timers &= ~bit(timer);
        if (timer == Timer::kCall) (x.call == Call::kAnswered ? x.due.hang_up : x.due.refuse) = true;
        if (timer == Timer::kFirstKey) x.due.hang_up = ++x.silences == kSilencesMax;
      });
    }
  }

  const World& w_;
  std::vector<Next> next_;
};

}  // namespace callpark::flow
