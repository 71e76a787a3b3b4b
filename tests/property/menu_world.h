// The world around the machine of a caller in a menu, for the explorer: what the caller, the target, the database and
// mediad are like after what the machine has emitted, and what must always be true of them.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parkd/menu/decide.h"
#include "parkd/menu/names.h"

namespace callpark::menu {

/// The places that the database has; few, and each with something of its own.
inline const std::vector<Place>& places() {
  static const std::vector<Place> all = [] {
    std::vector<Place> some(6);
    // A menu with everything.
    some[0].options = {{"1", "200"}, {"12", "back"}, {"2", "repeat"}};
    some[0].direct_dial = true;
    some[0].extensions[9] = 1U << 2;
    some[0].tries_max = 2;
    some[0].timeout_destination = "900";
    some[0].invalid_destination = "901";
    // One with a single option and a single try, and one that hears no keys.
    some[1].options = {{"1", "back"}};
    some[1].tries_max = 1;
    some[2].tries_max = 2;
    // Announcements: twice and on, once and over, for ever.
    for (std::size_t i = 3; i < 6; ++i) some[i].kind = Place::Kind::kAnnouncement;
    some[3].times = 2;
    some[3].destination = "300";
    some[4].times = 1;
    some[5].times = 0;
    return some;
  }();
  return all;
}

enum class Call { kUnanswered, kAnswered, kOver };
enum class Target { kNone, kRings, kTalks };
/// What the caller's phone is connected to.
enum class Hears { kNothing, kSession, kOther };

/// What the event of this decision requires of it, and permits; each once.
struct Due {
  bool start_call_timer = false;
  bool look_up = false;
  bool answer = false;
  bool write_row = false;
  bool enter = false;
  bool go_back = false;
  bool stop_sound = false;
  bool call_target = false;
  bool claim = false;
  bool offer_target = false;
  bool hand_over = false;
  bool end_target = false;
  bool end_peer = false;
  bool hang_up = false;
  std::optional<RefusalReason> refuse{};
  std::optional<std::pair<std::string, bool>> resolve{};  // the destination, and whether it was entered
};

/// Everything around the machine. Questions have the machine's numbers until canonical() renames them.
struct World {
  State machine;
  int place = -1;  // of places(); -1 while it is not known
  int depth = 0;
  std::optional<Question> look_up, answer, resolve, call, claim, offer_target, offer_media, play;
  std::optional<Question> old_play;  // of a stopped sound or a tone: its end may be reported late
  Sound sound{};                     // of play
  std::optional<Sound> owed{};       // what the caller hears next, as soon as it is connected to the session
  Call caller = Call::kUnanswered;
  Hears hears = Hears::kNothing;
  Target target = Target::kNone;
  bool media_open = false;
  bool earlier_media = false;  // that another parkd has left
  unsigned timers = 0;
  bool has_row = false;
  bool row_has_target = false;
  bool has_peer = false;  // a target that another parkd has left
  bool is_collecting = false;
  std::string typed{};
  int tries = 0;
  int times_played = 0;
  bool is_entered = false;      // the destination of resolve
  bool is_last = false;         // no menu follows a destination that is not reached
  bool is_moved_again = false;  // the session has moved since it was offered
  bool is_time_over = false;    // the call has had its time
  int moves_left = 2;           // of the session
  int places_left = 2;          // to which the database leads
  // Within one decision only.
  Due due{};
  bool is_hung_up = false;  // parkd has sent BYE
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

inline const Place& place_of(const World& world) {
  return places().at(static_cast<std::size_t>(world.place));
}

/// Carries out what the machine emits.
class Perform {
 public:
  explicit Perform(World& world) : w_(world) {}

  void operator()(const LookUp& action) {
    need(w_.due.look_up, "a place is looked up without need");
    require(!w_.look_up, w_, "two look-ups at once");
    w_.look_up = action.question;
    w_.place = -1;
  }
  void operator()(const Resolve& action) {
    require(w_.due.resolve == std::pair(action.destination, action.is_entered), w_, "another destination is looked up");
    require(!w_.resolve, w_, "two destinations at once");
    w_.due.resolve.reset();
    w_.resolve = action.question;
    w_.is_entered = action.is_entered;
  }
  void operator()(const Enter&) {
    need(w_.due.enter, "a place is entered that was not found");
    w_.depth = std::min(w_.depth + 1, kDepthMax);
  }
  void operator()(const GoBack&) {
    need(w_.due.go_back, "a caller is led back that did not ask for it");
    require(w_.depth > 0, w_, "nothing is above the first place");
    --w_.depth;
  }
  void operator()(const WriteRow&) {
    need(w_.due.write_row, "a row is written without need");
    require(!w_.has_peer, w_, "the row of a peer that is not ended is written over");
    w_.has_row = true;
    w_.row_has_target = false;
  }
  void operator()(const Claim& action) {
    need(w_.due.claim, "a call is claimed for a target that has not answered");
    require(w_.has_row && !w_.claim, w_, "a claim without a row, or two");
    w_.claim = action.question;
    w_.row_has_target = true;
  }
  void operator()(const Unclaim&) {
    require(std::exchange(w_.row_has_target, false), w_, "a claim is withdrawn that there is not");
    require(w_.target == Target::kNone, w_, "the claim of a target is withdrawn that is not ended");
  }
  void operator()(const RemoveRow& action) {
    require(w_.caller == Call::kOver, w_, "the row of a call is removed that goes on");
    require((action.by == EndedBy::kParkd) == w_.is_hung_up, w_, "the CDR has another party that has hung up");
    require(std::exchange(w_.has_row, false), w_, "a row is removed that there is not");
    w_.row_has_target = false;
  }

  void operator()(const Answer& action) {
    need(w_.due.answer, "a call is answered without need");
    require(!w_.media_open && !w_.answer, w_, "two media sessions at once");
    w_.answer = action.question;
    w_.media_open = true;
    w_.earlier_media = false;
  }
  void operator()(const Refuse& action) {
    require(w_.caller == Call::kUnanswered, w_, "the refusal of a call that is answered or over");
    require(w_.due.refuse == action.reason, w_, "a call is refused without this reason");
    w_.due.refuse.reset();
    w_.caller = Call::kOver;
  }
  void operator()(const HangUp&) {
    require(w_.caller == Call::kAnswered, w_, "BYE in a call that is not answered, or over");
    need(w_.due.hang_up, "a call is ended without a reason");
    w_.caller = Call::kOver;
    w_.is_hung_up = true;
  }
  void operator()(const OfferMedia& action) {
    require(w_.caller == Call::kAnswered && w_.media_open, w_, "media are offered that there are not");
    require(!w_.offer_media && !w_.offer_target, w_, "two offers at once");
    require(w_.hears == Hears::kOther, w_, "media are offered to a caller that hears them");
    require(w_.owed.has_value(), w_, "media are offered, and nothing is to be heard");
    w_.offer_media = action.question;
    w_.is_moved_again = false;
  }
  void operator()(const CallTarget& action) {
    need(w_.due.call_target, "a target is called that was not chosen");
    require(w_.target == Target::kNone, w_, "two targets at once");
    w_.target = Target::kRings;
    w_.call = action.question;
  }
  void operator()(const EndTarget&) {
    need(w_.due.end_target, "a target is ended without a reason");
    require(w_.target != Target::kNone, w_, "a target is ended that there is not");
    w_.target = Target::kNone;
    w_.call.reset();
  }
  void operator()(const OfferTarget& action) {
    need(w_.due.offer_target, "the caller is offered to a target that is not claimed");
    require(w_.row_has_target && w_.target == Target::kTalks, w_, "the caller is offered to no target");
    require(!w_.offer_media && !w_.offer_target, w_, "two offers at once");
    w_.offer_target = action.question;
  }
  void operator()(const HandOver&) {
    need(w_.due.hand_over, "a call is handed over without need");
    require(w_.has_row && w_.row_has_target && w_.target == Target::kTalks, w_,
            "a call is handed over that is not claimed");
    w_.has_row = w_.row_has_target = false;
    w_.target = Target::kNone;
    w_.call.reset();
    w_.caller = Call::kOver;
  }
  void operator()(const EndPeer&) {
    need(w_.due.end_peer, "a peer is ended without a reason");
    require(std::exchange(w_.has_peer, false), w_, "a peer is ended that there is not");
  }

  void operator()(const Play& action) {
    require(w_.caller == Call::kAnswered && w_.media_open, w_, "a sound without a listener");
    require(w_.hears == Hears::kSession && !w_.offer_media, w_, "a sound that the caller does not hear");
    require(!w_.play, w_, "two sounds at once");
    require(w_.owed == action.sound, w_, "another sound is played than is due");
    w_.owed.reset();
    if (action.sound == Sound::kGreeting) w_.is_last = false;
    if (action.sound == Sound::kRingback) {
      w_.old_play = action.question;
    } else {
      w_.play = action.question;
      w_.sound = action.sound;
    }
  }
  void operator()(const StopSound&) {
    need(w_.due.stop_sound, "a sound is stopped without need");
    require(w_.play.has_value(), w_, "a sound is stopped that is not played");
    w_.old_play = w_.play;
    w_.play.reset();
  }
  void operator()(const CloseMedia&) {
    require(w_.caller == Call::kOver, w_, "the media of a call are closed that goes on");
    require(w_.media_open || w_.earlier_media, w_, "media closed that are not open");
    w_.media_open = w_.earlier_media = false;
    w_.play.reset();
    w_.answer.reset();
  }

  void operator()(const StartTimer& action) {
    require((w_.timers & bit(action.timer)) == 0, w_, "a timer is started that runs");
    if (action.timer == Timer::kCall) need(w_.due.start_call_timer, "the time of a call begins anew");
    w_.timers |= bit(action.timer);
  }
  void operator()(const StopTimer& action) { w_.timers &= ~bit(action.timer); }

 private:
  void need(bool& due, std::string_view what) { require(std::exchange(due, false), w_, what); }

  World& w_;
};

inline void check_due(const World& w) {
  const Due& due = w.due;
  require(!due.start_call_timer, w, "the time of the call is not limited");
  require(!due.look_up, w, "a place is not looked up");
  require(!due.answer, w, "a call is not answered");
  require(!due.write_row, w, "a row is not written");
  require(!due.enter && !due.go_back, w, "a caller does not come to the place");
  require(!due.stop_sound, w, "a sound is not stopped");
  require(!due.call_target, w, "a target is not called");
  require(!due.claim, w, "a target is not claimed");
  require(!due.offer_target, w, "the caller is not offered to the target");
  require(!due.hand_over, w, "a call is not handed over");
  require(!due.end_target, w, "a target is not ended");
  require(!due.end_peer, w, "the peer that was left is not ended");
  require(!due.hang_up, w, "a call goes on that should be over");
  require(!due.refuse, w, "a call is not refused that should be");
  require(!due.resolve, w, "a destination is not looked up");
}

/// What must be true after every decision.
inline void check(const World& w) {
  check_due(w);
  const State& m = w.machine;
  require(m.entry == w.typed, w, "another entry is kept than the caller's");
  require(!w.row_has_target || w.target == Target::kTalks || w.has_peer, w, "the row names a target that is gone");
  if (in<Ended>(w)) {
    require(w.caller == Call::kOver, w, "a call outlives the machine");
    require(w.timers == 0, w, "a timer outlives the call");
    require(!w.media_open && !w.earlier_media && !w.play, w, "a media session outlives the call");
    require(w.target == Target::kNone && !w.has_peer, w, "a target outlives the call");
    require(!w.has_row, w, "a row outlives the call");
    return;
  }
  require(w.caller != Call::kOver, w, "the machine outlives the call");
  const bool is_timed = (w.timers & bit(Timer::kCall)) != 0;
  require(is_timed != w.is_time_over, w, "a call may last for ever");
  if (w.is_time_over) require(in<Parting>(w) || in<Returning>(w), w, "a call goes on after its time");

  // The machine knows what is there.
  require(m.has_media == w.media_open, w, "a media session that the machine does not know");
  require(m.is_answered == (w.caller == Call::kAnswered), w, "an answer that the machine does not know");
  require(m.has_row == w.has_row, w, "a row that the machine does not know");
  require(m.target == w.call.value_or(0), w, "a target that the machine does not know");
  require(m.has_peer == w.has_peer, w, "a peer that the machine does not know");
  require(m.depth == w.depth, w, "the caller is elsewhere");
  if (w.place >= 0) {
    require(m.place == place_of(w), w, "the caller is at another place");
    require(m.tries == w.tries && m.times_played == w.times_played, w, "tries are not counted");
  }
  require(!w.media_open || in<Answering>(w) || w.has_row, w, "a caller without a row");

  // Each state waits for what will come; none is silent for ever.
  require(in<LookingUp>(w) == w.look_up.has_value(), w, "a look-up is not awaited, or never comes");
  require(in<Answering>(w) == w.answer.has_value(), w, "an answer is not awaited, or never comes");
  require(in<Returning>(w) == w.offer_media.has_value(), w, "an offer of media is not awaited, or never answered");
  require(in<Joining>(w) == w.offer_target.has_value(), w, "an offer of the target is not awaited, or never answered");
  require(in<Resolving>(w) == w.resolve.has_value(), w, "a destination is not awaited, or never comes");
  require(in<Claiming>(w) == w.claim.has_value(), w, "a claim is not awaited, or never comes");
  require(in<Calling>(w) == (w.target == Target::kRings), w, "a target is not awaited, or never answers");
  require((in<Greeting>(w) || in<Speaking>(w) || in<Parting>(w)) == w.play.has_value(), w,
          "a sound is not awaited, or never played");
  require(in<Returning>(w) == w.owed.has_value(), w, "the caller does not hear what is due");
  require(!in<Claiming>(w) || w.target == Target::kTalks, w, "a claim without a target");
  const bool first = (w.timers & bit(Timer::kFirstKey)) != 0;
  const bool next = (w.timers & bit(Timer::kNextKey)) != 0;
  require(in<Collecting>(w) == w.is_collecting, w, "keys are not awaited, or without need");
  require(first == (w.is_collecting && w.typed.empty()), w, "the first key is not timed, or without need");
  require(next == !w.typed.empty(), w, "the next key is not timed, or without need");
}

}  // namespace callpark::menu
