// A media session's state: its owner, its remote, and its play.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "media_protocol/messages.h"

namespace callpark::media {

/// Names one start of one play, so that a report of its end is never attributed to another play. The service gives each
/// number once.
using PlayNumber = std::uint64_t;

enum class Claim {
  kClaimed,
  /// The connection that opened the session has ended; the session continues until the claim timer ends it.
  kUnclaimed,
};

enum class Direction { kSending, kPaused };

/// kOn: the remote is known to be behind a NAT, so its first packets may show the address to send to.
enum class Latching { kOff, kOn };

/// kHold: an address that means hold (remote_rules.h) was signalled last; `remote` is the one before.
enum class Addressed { kRemote, kHold };

struct MediaState {
  std::optional<Endpoint> remote{};
  Latching latching = Latching::kOff;
  Addressed addressed = Addressed::kRemote;
  std::optional<Codec> codec{};
  Direction direction = Direction::kSending;
  bool operator==(const MediaState&) const = default;
};

namespace activity {
/// Remote or codec are not known yet; the play begins when they are.
struct Waiting {
  Play play{};
  std::string play_id{};
  bool operator==(const Waiting&) const = default;
};
/// Music, ringback or silence, which have no end.
struct Continuous {
  Play play{};
  bool operator==(const Continuous&) const = default;
};
struct Announcing {
  Announcement announcement{};
  PlayNumber number = 0;
  std::string play_id{};
  bool operator==(const Announcing&) const = default;
};
struct Ended {
  bool operator==(const Ended&) const = default;
};
}  // namespace activity
using Activity = std::variant<activity::Waiting, activity::Continuous, activity::Announcing, activity::Ended>;

/// Whether RTP or RTCP has come from the host of the remote.
enum class Heard {
  kNothingYet,
  kSomething,
  /// Nothing has come within the time that is allowed: sending has stopped.
  kNothingInTime,
};

struct Session {
  std::string id;
  Claim claim = Claim::kClaimed;
  MediaState media{};
  Heard heard = Heard::kNothingYet;
  /// How often the silence timer may still start; a packet while it runs gives one back. At 0 a remote has to send
  /// first.
  int silent_periods_left = 3;
  Activity activity{};
  bool operator==(const Session&) const = default;
};

}  // namespace callpark::media
