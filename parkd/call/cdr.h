// What the CDR of a call through a menu has besides its times and its end: known when the time in menus, or the talk
// with the destination, begins.
#pragma once

#include <string>

namespace callpark {

struct Cdr {
  enum class Direction { kIncoming, kOutgoing, kInternal };
  enum class Kind { kExtension, kTrunk, kRingGroup, kMenu, kAnnouncement };

  std::string dialled;  // by the caller
  Kind caller_kind = Kind::kExtension;
  std::string caller_number;  // "" of a trunk's caller that sends none, or withholds it
  std::string caller_name;    // "" if there is none, or it is withheld
  bool caller_withheld = false;
  std::string caller_trunk;  // "" of an extension
  Kind callee_kind = Kind::kExtension;
  std::string callee_number;
  std::string sip_call_id;  // of the caller's dialog

  /// As the tenant sees the call.
  Direction direction() const {
    if (caller_kind == Kind::kTrunk) return Direction::kIncoming;
    return callee_kind == Kind::kTrunk ? Direction::kOutgoing : Direction::kInternal;
  }
  friend bool operator==(const Cdr&, const Cdr&) = default;
};

}  // namespace callpark
