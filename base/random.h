// Random words from the kernel's cryptographic source: tags, branches, Call-IDs, orbits. Nobody can guess the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace callpark {

// All of these may be called from any thread. They end the process when the kernel has no randomness to give, since to
// go on with guessable tags would be worse; Linux refuses only before its pool is filled at boot, and then waits.

/// `length` characters of a-z and 2-7: five bits each, and fit for any place in SIP, SQL and file names.
std::string random_token(std::size_t length);
/// `length` decimal digits, each equally likely; the first may be 0.
std::string random_digits(std::size_t length);
/// Each number from 0 to `bound` - 1 is equally likely. `bound` must not be 0.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace callpark
