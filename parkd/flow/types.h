// The words of the machine of a call to a call flow's code. Plain values: no clock, no identifiers of the outside, no
// I/O.
#pragma once

#include <cstddef>
#include <cstdint>

namespace callpark::flow {

/// Names one question of the machine to the outside. The answer names it again; an answer to an older question is late
/// and changes nothing. Never 0, never reused.
using Question = std::uint32_t;

/// kOn: calls to the main number go to the destination; kOff: to the alternate destination.
enum class Status { kOn, kOff };

enum class Prompt {
  kEnterPin,
  kWrongPin,
  kLocked,
  kModeOn,        // the sound of the mode that was switched on
  kModeOff,       // the same of the alternate mode
  kNotAvailable,  // nothing was toggled
};

/// Why a call is refused that is not answered yet.
enum class RefusalReason {
  kNotFound,     // the tenant has no such code, or its flow is disabled
  kLocked,       // the extension is locked, and there is no media for the prompt
  kNoMedia,      // the phone has no codec in common with mediad
  kUnavailable,  // the database or mediad is away
};

enum class Timer {
  kCall,      // the whole call: longer than any caller needs
  kFirstKey,  // no key has been pressed since the prompt
  kNextKey,   // the last key of an entry may have been pressed
};

/// What is known of the flow when the call comes.
struct Facts {
  bool has_pin = false;
  std::size_t plain_pin_length = 0;  // 0 if the PIN is stored as a hash: '#' or a silence ends the entry
  bool is_locked = false;            // the extension has entered too many wrong PINs

  friend bool operator==(const Facts&, const Facts&) = default;
};

inline constexpr int kTriesMax = 3;     // of one call
inline constexpr int kSilencesMax = 2;  // in a row
inline constexpr std::size_t kPinDigitsMax = 16;

}  // namespace callpark::flow
