// Decides which source a session accepts packets from: the signalled address or, at most once, the one address that a
// NAT or a faulty phone really sends from. Pure.
#pragma once

#include <cstdint>
#include <variant>

#include "base/clock.h"
#include "mediad/engine/peer_address.h"

namespace callpark::media {

class SourceLock {
 public:
  enum class Verdict {
    /// The packet is of another source: drop it.
    kForeign,
    kOurs,
    /// The packet is of the right source, and from now on only its address is accepted: send to locked_address().
    kLocked,
  };
  enum class Learning { kAllowed, kForbidden };

  /// Another address can only be learnt from packets that come soon after the remote was signalled; later on, the first
  /// sender from elsewhere would be given the stream.
  static constexpr Duration kLearningTime{10'000};
  static constexpr int kLearningPacketsMax = 50;
  /// An address becomes credible by this many packets of one source with consecutive sequence numbers.
  static constexpr int kCrediblePackets = 3;

  SourceLock(PeerAddress signalled, Learning learning, MonotonicTime now)
      : signalled_(signalled), state_(Searching{learning, now + kLearningTime, 0, {}}) {}

  Verdict judge(const PeerAddress& from, std::uint32_t ssrc, std::uint16_t sequence, MonotonicTime now);
  /// Valid only after kLocked.
  const PeerAddress& locked_address() const { return std::get<Locked>(state_).address; }

 private:
  struct Candidate {
    PeerAddress address;
    std::uint32_t ssrc;
    std::uint16_t sequence;
    int packets;
  };
  struct Searching {
    Learning learning;
    MonotonicTime until;
    int foreign_packets;
    Candidate candidate;
  };
  struct Locked {
    PeerAddress address;
  };

  Verdict lock(const PeerAddress& address);

  PeerAddress signalled_;
  std::variant<Searching, Locked> state_;
};

}  // namespace callpark::media
