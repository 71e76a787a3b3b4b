// The words of the machine of a caller in a menu (IVR) or at an announcement. Plain values: no clock, no identifiers of
// the outside, no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace callpark::menu {

/// Names one question of the machine to the outside. The answer names it again; an answer to an older question is late
/// and changes nothing. Never 0, never reused.
using Question = std::uint32_t;

/// Digits '0' to '9' and '*'; '#' ends an entry and is in none.
struct Option {
  std::string digits;
  /// A number of the plan, +outside number, hangup:REASON, "repeat" (the menu once more), or "back" (the menu above; in
  /// the first one as "repeat").
  std::string destination;
  friend bool operator==(const Option&, const Option&) = default;
};

/// The lengths that extensions beginning with a digit have: bit n of lengths[d] is set if one of n digits begins with
/// the digit d.
using ExtensionLengths = std::array<std::uint32_t, 10>;

inline constexpr std::size_t kEntryDigitsMax = 20;
inline constexpr int kDepthMax = 8;  // places above the one of the caller: beyond them, the oldest one is forgotten

/// What is known of the place where the caller is: a menu, or an announcement, which has no option.
struct Place {
  enum class Kind { kMenu, kAnnouncement };
  Kind kind = Kind::kMenu;
  std::vector<Option> options{};
  bool direct_dial = false;  // an extension of the tenant may be entered
  ExtensionLengths extensions{};
  int tries_max = 3;  // silences and wrong entries, counted together, since the caller has come to this menu
  std::string timeout_destination{};  // after the last try, if that was a silence; "": goodbye
  std::string invalid_destination{};  // the same if that was a wrong entry
  /// Of an announcement: how often it is played, 0: until the caller hangs up; and what follows, "": the call ends.
  int times = 1;
  std::string destination{};
  friend bool operator==(const Place&, const Place&) = default;
};

/// What the caller hears. The greeting is the place's own sound or text.
enum class Sound {
  kGreeting,
  kInvalid,       // that was no choice of the menu
  kNotReached,    // the destination is busy, or does not answer
  kNotAvailable,  // the database is away, or the caller's phone refused the destination's media
  kGoodbye,
  kRingback,  // a tone until something else is played
};

/// Why a call is refused that is not answered yet.
enum class RefusalReason {
  kNotFound,     // the tenant has no such menu or announcement, or it is disabled
  kNoMedia,      // the phone has no codec in common with mediad
  kUnavailable,  // the database or mediad is away, or there are too many calls
};

/// How a call ends that is answered: by its caller, or by a BYE of parkd's.
enum class EndedBy { kCaller, kParkd };

enum class Timer {
  kCall,      // the caller has been in menus for longer than any caller needs
  kFirstKey,  // no key has been pressed since the greeting
  kNextKey,   // the last key of an entry may have been pressed
};

}  // namespace callpark::menu
