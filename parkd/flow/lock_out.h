// For how long wrong PINs lock an extension out of a call flow's code. Pure; the statement that counts a try has the
// same rule in SQL.
#pragma once

#include <chrono>

namespace callpark::flow {

inline constexpr int kFailuresPerLock = 3;
inline constexpr std::chrono::seconds kFirstLock{60};
inline constexpr std::chrono::seconds kLockMax{3600};
/// Failures that are older than this are forgotten.
inline constexpr std::chrono::hours kFailuresKept{24};

/// `failures` in a row: each third one locks, for twice as long as the lock before. 0: no lock.
std::chrono::seconds lock_out(int failures);

}  // namespace callpark::flow
