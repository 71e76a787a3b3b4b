// The states of one caller in menus, from the INVITE until the caller talks to a destination or the call ends.
#pragma once

#include <string>
#include <variant>

#include "parkd/menu/types.h"

namespace callpark::menu {

/// The place that was dialled, or that the row names, is being looked up.
struct LookingUp {
  Question look_up;
  friend bool operator==(const LookingUp&, const LookingUp&) = default;
};
/// A media session is being opened, and the call answered with it.
struct Answering {
  Question answer;
  friend bool operator==(const Answering&, const Answering&) = default;
};
/// The caller is being re-INVITEd to the session's media: mediad's port has changed, or the caller may hear a
/// destination that has been lost.
struct Returning {
  Question offer;
  Sound then;  // what the caller hears next
  friend bool operator==(const Returning&, const Returning&) = default;
};
/// The greeting is played; the first key stops it.
struct Greeting {
  Question play;
  friend bool operator==(const Greeting&, const Greeting&) = default;
};
/// The caller enters digits; a timer runs.
struct Collecting {
  friend bool operator==(const Collecting&, const Collecting&) = default;
};
/// A destination is being looked up.
struct Resolving {
  Question resolve;
  bool is_entered = false;  // the caller has entered it: an extension
  friend bool operator==(const Resolving&, const Resolving&) = default;
};
/// The destination is being called; the caller hears a ringback tone.
struct Calling {
  friend bool operator==(const Calling&, const Calling&) = default;
};
/// The target has answered; the row is being written with it.
struct Claiming {
  Question claim;
  friend bool operator==(const Claiming&, const Claiming&) = default;
};
/// The caller is being re-INVITEd to the target. Without a target: it has hung up meanwhile.
struct Joining {
  Question offer;
  friend bool operator==(const Joining&, const Joining&) = default;
};
/// A sentence is played, and the greeting follows.
struct Speaking {
  Question play;
  friend bool operator==(const Speaking&, const Speaking&) = default;
};
/// The last sentence is played; the call ends after it.
struct Parting {
  Question play;
  friend bool operator==(const Parting&, const Parting&) = default;
};
/// Nothing is left to do.
struct Ended {
  friend bool operator==(const Ended&, const Ended&) = default;
};

using Phase = std::variant<LookingUp, Answering, Returning, Greeting, Collecting, Resolving, Calling, Claiming, Joining,
                           Speaking, Parting, Ended>;

struct State {
  Phase phase = Ended{};
  Place place{};
  int depth = 0;         // how many places are above it
  std::string entry{};   // of at most kEntryDigitsMax
  int tries = 0;         // silences and wrong entries at this place
  int times_played = 0;  // the greeting of an announcement
  bool is_last = false;  // the destination follows without a choice: if it is not reached, the call ends
  Question target = 0;   // the call to the destination; 0: there is none
  bool is_answered = false;
  bool has_media = false;
  bool is_moved = false;  // the caller has not been offered the session as it is now
  bool has_row = false;
  bool has_peer = false;  // the row has the dialog of a target that another parkd has left
  Question last_question = 0;

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace callpark::menu
