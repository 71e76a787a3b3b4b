// The two clocks. Timers and measurements use the monotonic clock; SQL, logs and texts for people use the wall clock,
// in UTC with milliseconds.
#pragma once

#include <chrono>

namespace callpark {

using Duration = std::chrono::milliseconds;
using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

inline MonotonicTime monotonic_now() {
  return std::chrono::steady_clock::now();
}
inline WallTime wall_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace callpark
