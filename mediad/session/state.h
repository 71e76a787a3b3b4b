// What a media session is at a moment: who owns it, where it sends to, and what it plays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "media_protocol/messages.h"

namespace callpark::media {

/// Names one start of one play, so that word of its end cannot be taken for that of another. Given by the service,
/// never twice.
using PlayNumber = std::uint64_t;

enum class Claim {
  kClaimed,
  /// The connection that had opened it is gone; the session goes on until the claim timer ends it.
  kUnclaimed,
};

enum class Direction { kSending, kPaused };

struct MediaState {
  std::optional<Endpoint> remote{};
  std::optional<Codec> codec{};
  Direction direction = Direction::kSending;
  bool operator==(const MediaState&) const = default;
};

namespace activity {
/// Remote or codec are not known yet; what was asked for begins when they are.
struct Waiting {
  Play play{};
  std::string play_id{};
  bool operator==(const Waiting&) const = default;
};
/// Music, ringback or silence: has no end.
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

struct Session {
  std::string id;
  Claim claim = Claim::kClaimed;
  MediaState media{};
  Activity activity{};
  bool operator==(const Session&) const = default;
};

}  // namespace callpark::media
