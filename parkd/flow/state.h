// The states of one call to a call flow's code, from its INVITE until its end.
#pragma once

#include <variant>

#include "parkd/flow/entry.h"
#include "parkd/flow/types.h"

namespace callpark::flow {

/// The flow and the extension's lock are being looked up.
struct LookingUp {
  Question look_up;
  friend bool operator==(const LookingUp&, const LookingUp&) = default;
};
/// A media session is being opened, and the call answered with it.
struct Answering {
  Question answer;
  friend bool operator==(const Answering&, const Answering&) = default;
};
/// A prompt that asks for the PIN is played.
struct Asking {
  Question play;
  friend bool operator==(const Asking&, const Asking&) = default;
};
/// The caller enters the PIN; a timer runs.
struct Collecting {
  friend bool operator==(const Collecting&, const Collecting&) = default;
};
/// The try is being counted, before it is known to be right or wrong: so no two calls of a locked extension get past
/// the lock.
struct Counting {
  Question count;
  friend bool operator==(const Counting&, const Counting&) = default;
};
/// The PIN is being compared.
struct Checking {
  Question check;
  bool locks = false;  // if it is wrong, the extension is locked
  friend bool operator==(const Checking&, const Checking&) = default;
};
/// The status is being toggled.
struct Toggling {
  Question toggle;
  friend bool operator==(const Toggling&, const Toggling&) = default;
};
/// The last prompt is played; the call ends after it.
struct Parting {
  Question play;
  friend bool operator==(const Parting&, const Parting&) = default;
};
/// Nothing is left to do.
struct Ended {
  friend bool operator==(const Ended&, const Ended&) = default;
};

using Phase = std::variant<LookingUp, Answering, Asking, Collecting, Counting, Checking, Toggling, Parting, Ended>;

struct State {
  Phase phase = Ended{};
  Facts facts;
  Entry entry;
  bool has_media = false;
  int wrong_pins = 0;
  int silences = 0;  // in a row
  Question last_question = 0;

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace callpark::flow
