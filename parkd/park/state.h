// The states of one call from the moment somebody asks to park it until the caller's dialog ends.
#pragma once

#include <optional>
#include <variant>

#include "parkd/park/types.h"

namespace callpark::park {

/// The orbit is being claimed and a media session opened; nobody but the parker knows.
struct Gathering {
  Question claim;
  friend bool operator==(const Gathering&, const Gathering&) = default;
};
/// The caller is being re-INVITEd to the music.
struct Adopting {
  Question offer;
  friend bool operator==(const Adopting&, const Adopting&) = default;
};
/// The caller hears music; the row is being completed, and then the parker is told.
struct Recording {
  Question write;
  friend bool operator==(const Recording&, const Recording&) = default;
};
/// The caller waits. `offer` is set while he is being re-INVITEd to the music again (a retrieve was undone, or the
/// media session moved). `recall` is where the recall stands, and what it has asked.
struct Parked {
  enum class Recall { kNone, kWaiting, kWriting, kCalling, kClaiming };
  std::optional<Question> offer;
  Recall recall = Recall::kNone;
  Question recall_question = 0;
  friend bool operator==(const Parked&, const Parked&) = default;
};
/// A retriever has won the call; the caller is being re-INVITEd to him.
struct Joining {
  Retriever retriever;
  Question offer;
  friend bool operator==(const Joining&, const Joining&) = default;
};
/// The retriever, or who takes the peer's place, has his 200; his ACK is awaited.
struct Confirming {
  Retriever retriever;
  friend bool operator==(const Confirming&, const Confirming&) = default;
};
/// The caller talks to the peer; parkd passes on what each of them asks.
struct Talking {
  friend bool operator==(const Talking&, const Talking&) = default;
};
/// The peer transfers the caller to somebody else, who is being called; the two still talk.
struct Transferring {
  Question call;
  friend bool operator==(const Transferring&, const Transferring&) = default;
};
/// That one has answered; the caller is being re-INVITEd to him.
struct Connecting {
  Question offer;
  friend bool operator==(const Connecting&, const Connecting&) = default;
};
/// Somebody is to take the peer's place; the caller is being re-INVITEd to him.
struct Replacing {
  Retriever retriever;
  Question offer;
  friend bool operator==(const Replacing&, const Replacing&) = default;
};
/// Nothing has come of it, but the caller may have changed his session; he is being re-INVITEd to the peer again.
struct Restoring {
  Question offer;
  friend bool operator==(const Restoring&, const Restoring&) = default;
};
/// Whom the recall has called has answered and has won the call; the caller is being re-INVITEd to him.
struct Recalling {
  Question offer;
  friend bool operator==(const Recalling&, const Recalling&) = default;
};
/// The park failed when the caller was adopted already; he is being re-INVITEd to the parker's media.
struct Returning {
  Question offer;
  friend bool operator==(const Returning&, const Returning&) = default;
};
/// Nothing is left to do.
struct Ended {
  friend bool operator==(const Ended&, const Ended&) = default;
};

using Phase = std::variant<Gathering, Adopting, Recording, Parked, Joining, Confirming, Talking, Transferring,
                           Connecting, Replacing, Restoring, Recalling, Returning, Ended>;

struct State {
  Phase phase = Ended{};
  Request request = Request::kNone;
  CallerLeg caller = CallerLeg::kForeign;
  PeerLeg peer = PeerLeg::kUp;
  Orbit orbit = Orbit::kFree;
  Media media = Media::kClosed;
  Question media_question = 0;  // the one that the open media session answers
  Question last_question = 0;
  RecallPolicy policy;
  Ladder ladder;

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace callpark::park
