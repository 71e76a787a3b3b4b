// Random words from the kernel's cryptographic source: tags, branches, Call-IDs, orbits. The next one cannot be
// guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace callpark {

// All of these may be called from any thread. They end the process if the kernel has no randomness, since guessable
// tags would be worse; Linux refuses only before its pool is filled at boot, and then waits.

/// Returns `length` characters of a-z and 2-7: five bits each, and valid in SIP, SQL and file names.
std::string random_token(std::size_t length);
/// Returns `length` decimal digits, each equally likely; the first may be 0.
std::string random_digits(std::size_t length);
/// Returns each number from 0 to `bound` - 1 with equal probability. `bound` must not be 0.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace callpark
