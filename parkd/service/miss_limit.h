// How many empty orbits an extension may dial in a minute, so that random orbits cannot be tried out one by one. Pure:
// the time comes as an argument.
#pragma once

#include <deque>
#include <map>

#include "base/clock.h"
#include "parkd/call/party.h"

namespace callpark {

class MissLimit {
 public:
  /// kBegins: the first try that is not admitted since one was.
  enum class Verdict { kAdmitted, kBegins, kGoesOn };
  /// Not admitted if the extension has missed `max` times within a minute. An admitted try counts as a miss until
  /// forgive(): tries at the same moment must not all pass before the first one is answered.
  Verdict admit(const Extension& extension, int max, MonotonicTime now);
  /// Whether admit() would not admit it.
  bool is_reached(const Extension& extension, int max, MonotonicTime now) const;
  /// The last try was none.
  void forgive(const Extension& extension);
  std::size_t extensions() const { return misses_.size(); }

 private:
  struct Misses {
    std::deque<MonotonicTime> at;
    bool is_limited = false;
  };
  void forget_old(MonotonicTime now);

  std::map<Extension, Misses> misses_;
  MonotonicTime swept_at_{};
};

}  // namespace callpark
