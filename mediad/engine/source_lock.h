// Decides which source a session accepts packets from: the signalled address or, if latching is on, at most once the
// address that a NAT really sends from (RFC 7362). Signalling always wins. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "mediad/engine/peer_address.h"
#include "mediad/session/state.h"

namespace callpark::media {

class SourceLock {
 public:
  enum class Verdict {
    /// The packet is of another source: drop it.
    kForeign,
    kOurs,
    /// The packet is ours, and the first one from an address that was not signalled: send to remote() from now on, and
    /// accept the signalled address still.
    kLatched,
    /// The packet is the first one from the signalled address: only that address is accepted from now on, remote()
    /// included.
    kConfirmed,
  };

  /// An address is only latched onto by packets that come soon after the remote was signalled; later on, the first
  /// sender from elsewhere would be given the stream.
  static constexpr Duration kLatchingTime{10'000};
  static constexpr int kLatchingPacketsMax = 50;
  /// An address becomes credible by this many packets of one source with consecutive sequence numbers.
  static constexpr int kCrediblePackets = 3;
  /// This many earlier remotes are remembered, the latest ones.
  static constexpr std::size_t kEarlierMax = 32;

  /// The remote is signalled: everything that was latched onto before is void. The addresses of earlier remotes, the
  /// signalled and the latched ones, are never latched onto; only a remote that is signalled again may get back the
  /// address that it had then.
  void signal(const PeerAddress& remote, Latching latching, MonotonicTime now);

  /// Every packet is foreign before the first signal().
  Verdict judge(const PeerAddress& from, std::uint32_t ssrc, std::uint16_t sequence, MonotonicTime now);
  /// Returns the address to send to. Valid after signal().
  const PeerAddress& remote() const { return latched_ ? *latched_ : signalled_; }

 private:
  enum class State {
    kUnsignalled,
    /// No packet of the remote has come.
    kSearching,
    kLatched,
    kConfirmed,
  };
  struct Candidate {
    PeerAddress address;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    int packets = 0;
  };
  struct Earlier {
    PeerAddress signalled;
    std::optional<PeerAddress> latched;
  };

  bool may_latch(const PeerAddress& from, MonotonicTime now);
  bool is_of_an_earlier_remote(const PeerAddress& address) const;

  State state_ = State::kUnsignalled;
  PeerAddress signalled_;
  std::optional<PeerAddress> latched_;
  Latching latching_ = Latching::kOff;
  MonotonicTime until_{};
  int foreign_packets_ = 0;
  Candidate candidate_;
  std::vector<Earlier> earlier_;
};

}  // namespace callpark::media
