// What the session service needs from outside: RTP under each session, and a way to notify the owner.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "media_protocol/messages.h"
#include "mediad/session/state.h"

namespace callpark::media {

/// The connection that a request came by; an id is never reused.
using OwnerId = std::uint64_t;

using NotifyOwner = std::function<void(OwnerId owner, const Notification& notification)>;

/// For the loop's thread only. Functions that name a session do nothing if it is not open.
class SessionMedia {
 public:
  struct Counters {
    std::uint64_t packets_sent = 0;
    std::uint64_t packets_received = 0;
    /// Ms of the monotonic clock; 0 if nothing has come from the remote.
    std::int64_t last_received_ms = 0;
  };

  virtual ~SessionMedia() = default;
  /// Opens `open.port`, or the next free one. Only session, port, ssrc, sequence and timestamp are read; the session
  /// must not be open.
  virtual Result<SessionOpenResult, RpcError> open(const SessionOpen& open) = 0;
  /// Returns the answer of open().
  virtual std::optional<SessionOpenResult> opened(const std::string& session) const = 0;
  /// Returns why set_remote() must not be called with it (remote_rules.h); nothing if it may.
  virtual std::optional<std::string> fault_of(const Endpoint& remote) const = 0;
  virtual void set_remote(const std::string& session, const Endpoint& remote, Latching latching) = 0;
  virtual void set_codec(const std::string& session, const Codec& codec) = 0;
  virtual void set_direction(const std::string& session, Direction direction) = 0;
  virtual void play(const std::string& session, PlayNumber number, const Play& play) = 0;
  virtual Counters counters(const std::string& session) const = 0;
  /// The port is free again when this returns.
  virtual void close(const std::string& session) = 0;
  virtual CodecListResult codecs() const = 0;
};

}  // namespace callpark::media
