// A dialog as a value: enough to continue it in any process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "parkd/call/party.h"

namespace callpark {

/// One side of a SIP dialog (RFC 3261 12). `local` is the side that parkd speaks for. The session descriptions may be
/// digests: o=, c=, m=, rtpmap and direction lines.
struct DialogSnapshot {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;
  std::string local_uri;
  std::string local_display;
  std::string remote_uri;
  std::string remote_display;
  std::uint32_t local_cseq = 0;
  std::optional<std::uint32_t> remote_cseq;
  std::string remote_target;
  std::vector<std::string> route_set;  // as in Route headers, nearest first
  std::string local_sdp;               // the last one of the local side
  std::string remote_sdp;              // the last one of the remote side
  PartyIdentity remote_identity = {};
  Party remote_party = Outside{};  // an extension may be one whatever its URIs are
  std::string remote_allow = {};   // the methods of the remote side's Allow, of those that parkd sends; "" if unknown
  int session_seconds = 0;         // RFC 4028: the agreed interval; 0: none
  bool session_we_refresh = false;
  bool remote_was_called = false;  // the remote side was called; else it has begun the call, or that is unknown

  friend bool operator==(const DialogSnapshot&, const DialogSnapshot&) = default;
};

/// Which device holds a call, and since when.
struct Hold {
  std::string device;  // source of its requests, "udp:127.0.0.11:5060"; "" if unknown
  WallTime since{};    // the epoch if it was before this parkd began, or if there is no hold
};

/// FEATURES S7: true if a parker at `device` means the call held as `one` rather than that held as `other`: calls held
/// by the same device go first, then the one held last.
inline bool goes_before(const Hold& one, const Hold& other, const std::string& device) {
  const bool one_here = one.device == device;
  const bool other_here = other.device == device;
  return one_here == other_here ? one.since >= other.since : one_here;
}

/// A dialog between two other user agents, from the place of each.
struct AdoptableDialog {
  DialogSnapshot caller;     // local = the parker, remote = the party to be parked
  DialogSnapshot parker;     // local = the party to be parked, remote = the parker
  Hold hold = {};            // the parker's
  bool is_too_long = false;  // a description is too long for Kamailio to keep it: parkd cannot offer in this session
};

}  // namespace callpark
