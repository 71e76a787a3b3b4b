// The facts that a media session reacts to.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "mediad/session/state.h"

namespace callpark::media::event {

struct PlayWish {
  Play play{};
  std::string play_id{};
  /// The number of the start that this may lead to.
  PlayNumber number = 0;
};

/// A session.open of a new or an existing session, or a session.update.
struct MediaGiven {
  enum class By { kOpen, kUpdate };
  By by = By::kOpen;
  std::optional<Endpoint> remote{};
  /// Only with `remote`.
  Latching latching = Latching::kOff;
  std::optional<Codec> codec{};
  std::optional<Direction> direction{};
  std::optional<PlayWish> play{};
  /// The number of the start of a play that has been waiting.
  PlayNumber number = 0;
};
struct PlayAsked {
  PlayWish wish{};
};
struct ListSpoken {
  PlayNumber number = 0;
  /// As in SessionPlayed.
  std::string error{};
};
struct KeyPressed {
  char digit = '0';
  int duration_ms = 0;
};
struct RtpCeased {};
/// The first packet from the host of the remote has come since the remote was set.
struct RemoteHeard {};
struct SilenceTimedOut {};
struct OwnerLost {};
struct ClaimTimedOut {};
struct CloseAsked {};

using Event = std::variant<MediaGiven, PlayAsked, ListSpoken, KeyPressed, RtpCeased, RemoteHeard, SilenceTimedOut,
                           OwnerLost, ClaimTimedOut, CloseAsked>;

}  // namespace callpark::media::event
