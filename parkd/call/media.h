// Media sessions and what the parties of a call agreed about media, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace callpark {

struct MediaAddress {
  std::string address;
  std::uint16_t port = 0;
  friend bool operator==(const MediaAddress&, const MediaAddress&) = default;
};

/// Names as in SDP: PCMU, PCMA, G722, opus. `clock_rate` in Hz; `packet_ms` is 20, or 10 but not of opus.
struct MediaCodec {
  std::string name;
  int payload_type = 0;
  int clock_rate = 8000;
  std::optional<int> telephone_event;
  int packet_ms = 20;
  friend bool operator==(const MediaCodec&, const MediaCodec&) = default;
};

/// The outcome of an offer and its answer: where a party receives, and in which codec.
struct MediaRemote {
  MediaAddress remote;
  MediaCodec codec;
  bool listens = true;    // false while the party holds the call: nothing is sent
  bool latching = false;  // true if the party is behind a NAT: mediad may learn its address from its first packets
  friend bool operator==(const MediaRemote&, const MediaRemote&) = default;
};

/// All that mediad needs to open a session again on the same port.
struct MediaSnapshot {
  std::string session;
  MediaAddress local;
  std::uint32_t ssrc = 0;
  std::optional<MediaRemote> remote;
  friend bool operator==(const MediaSnapshot&, const MediaSnapshot&) = default;
};

}  // namespace callpark
