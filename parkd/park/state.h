// The states of one call from the parker's first request until the caller's dialog ends.
#pragma once

#include <optional>
#include <variant>

#include "parkd/park/recall.h"
#include "parkd/park/types.h"

namespace callpark::park {

/// The orbit is being claimed and a media session opened; only the parker knows.
struct Gathering {
  Question claim;
  friend bool operator==(const Gathering&, const Gathering&) = default;
};
/// The caller is being re-INVITEd to the music.
struct Adopting {
  Question offer;
  friend bool operator==(const Adopting&, const Adopting&) = default;
};
/// The caller hears music; the row is being completed, and the parker learns of the park after that.
struct Recording {
  Question write;
  friend bool operator==(const Recording&, const Recording&) = default;
};
/// The caller waits. `offer` is set while the caller is being re-INVITEd to the music again (a retrieve was undone, or
/// the media session moved).
struct Parked {
  std::optional<Question> offer;
  recall::Phase recall;
  friend bool operator==(const Parked&, const Parked&) = default;
};
/// A retriever has won the call; the caller is being re-INVITEd to it.
struct Joining {
  Retriever retriever;
  Question offer;
  friend bool operator==(const Joining&, const Joining&) = default;
};
/// The retriever, or the replacement of the peer, has its 200; its ACK is awaited.
struct Confirming {
  Retriever retriever;
  friend bool operator==(const Confirming&, const Confirming&) = default;
};
/// The caller talks to the peer; parkd passes on what each of them asks.
struct Talking {
  friend bool operator==(const Talking&, const Talking&) = default;
};
/// The target of the peer's transfer is being called; caller and peer still talk.
struct Transferring {
  Question call;
  friend bool operator==(const Transferring&, const Transferring&) = default;
};
/// The target has answered; the caller is being re-INVITEd to it.
struct Connecting {
  Question offer;
  friend bool operator==(const Connecting&, const Connecting&) = default;
};
/// The peer is to be replaced; the caller is being re-INVITEd to the replacement.
struct Replacing {
  Retriever retriever;
  Question offer;
  friend bool operator==(const Replacing&, const Replacing&) = default;
};
/// The replacement has failed, but the caller may have changed its session: it is being re-INVITEd to the peer again.
struct Restoring {
  Question offer;
  friend bool operator==(const Restoring&, const Restoring&) = default;
};
/// The target of a recall has answered and has won the call; the caller is being re-INVITEd to it.
struct Recalling {
  Question offer;
  friend bool operator==(const Recalling&, const Recalling&) = default;
};
/// The park has failed after the caller was adopted; the caller is being re-INVITEd to the parker's media.
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
  Proposal proposal = Proposal::kNone;
  ParkerLearnsOrbit learns_orbit = ParkerLearnsOrbit::kItself;  // kByCallBack until the parker has learnt it
  Question media_question = 0;                                  // the one that the open media session answers
  Question last_question = 0;
  RecallPolicy policy;
  RecallProgress recall_progress;

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace callpark::park
