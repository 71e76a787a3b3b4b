// The commands of a media session.
#pragma once

#include <variant>

#include "mediad/session/state.h"

namespace callpark::media::action {

struct SetRemote {
  Endpoint remote;
  Latching latching = Latching::kOff;
  bool operator==(const SetRemote&) const = default;
};
struct SetCodec {
  Codec codec;
  bool operator==(const SetCodec&) const = default;
};
struct SetDirection {
  Direction direction;
  bool operator==(const SetDirection&) const = default;
};
struct StartPlay {
  PlayNumber number;
  Play play;
  bool operator==(const StartPlay&) const = default;
};
struct Notify {
  Notification notification;
  bool operator==(const Notify&) const = default;
};
struct StartClaimTimer {
  bool operator==(const StartClaimTimer&) const = default;
};
struct StopClaimTimer {
  bool operator==(const StopClaimTimer&) const = default;
};
/// Starts it anew if it runs.
struct StartSilenceTimer {
  bool operator==(const StartSilenceTimer&) const = default;
};
struct StopSilenceTimer {
  bool operator==(const StopSilenceTimer&) const = default;
};
struct CloseMedia {
  bool operator==(const CloseMedia&) const = default;
};

using Action = std::variant<SetRemote, SetCodec, SetDirection, StartPlay, Notify, StartClaimTimer, StopClaimTimer,
                            StartSilenceTimer, StopSilenceTimer, CloseMedia>;

}  // namespace callpark::media::action
