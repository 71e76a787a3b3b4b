// The comparison of an entry with the PIN of a call flow, in constant time. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "parkd/flow/entry.h"

namespace callpark::flow {

/// `stored` is call_flows.pin: 1 to 16 digits, or "sha256:SALT:HEX" with the lower-case SHA-256 of SALT and the digits.
/// False of anything else, and of an entry that is too long. The time depends on the kind and length of `stored` alone.
bool is_right_pin(std::string_view stored, const Entry& entry);

/// The number of digits of a PIN that is stored as digits; else 0.
std::size_t plain_pin_length(std::string_view stored);

}  // namespace callpark::flow
