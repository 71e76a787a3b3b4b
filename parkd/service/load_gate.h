// Whether parkd begins one more park, or refuses it early because the servers are overloaded. What is measured is
// delay, not a number of calls: how long the database lets a look-up wait, how long phones' answers need through
// Kamailio, and how long what is under way needs at the rate of late. Retrieves and talks are never refused. Pure: the
// time comes as an argument.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/clock.h"

namespace callpark {

class LoadGate {
 public:
  struct Limits {
    Duration look_up_max{500};     // the oldest one that is not answered
    Duration round_trip_max{400};  // the fastest of the last few
    /// So long a burst is served late rather than refused.
    Duration burst_max{1500};
    /// With fewer parks under way a slow phone is a slow phone.
    std::size_t parks_under_way_min = 6;
    /// So many parks under way are no queue, however few a second are completed.
    std::size_t queue_min = 40;
  };

  LoadGate() = default;
  explicit LoadGate(const Limits& limits) : limits_(limits) {}

  using LookUp = std::uint64_t;
  LookUp begin_look_up(MonotonicTime now);
  void end_look_up(LookUp look_up, MonotonicTime now);
  /// A request to a phone got its final answer.
  void note_round_trip(Duration took, MonotonicTime now);
  /// How many parks have been completed so far, for the rate.
  void note_parks(std::uint64_t completed, MonotonicTime now);

  /// False: the park is to be refused.
  bool admit(MonotonicTime now, std::size_t parks_under_way);
  /// Whether a park was refused within the last two seconds.
  bool is_refusing(MonotonicTime now) const;
  /// The most parks that were completed within a second lately; at least 1.
  int parks_per_second() const;

 private:
  struct RoundTrip {
    Duration took;
    MonotonicTime at;
  };
  struct Rate {
    double per_second;
    MonotonicTime at;
  };
  static constexpr std::size_t kRoundTrips = 4;

  bool look_ups_wait(MonotonicTime now) const;
  bool phones_are_late(MonotonicTime now) const;
  bool is_queue_full(std::size_t parks_under_way) const;

  const Limits limits_{};
  std::map<LookUp, MonotonicTime> look_ups_;
  LookUp last_look_up_ = 0;
  std::deque<RoundTrip> round_trips_;
  // The shortest round trips of this period and of the one before.
  std::optional<Duration> shortest_;
  std::optional<Duration> shortest_before_;
  MonotonicTime period_since_{};
  std::optional<MonotonicTime> over_since_;
  std::optional<MonotonicTime> refused_at_;
  std::optional<MonotonicTime> counting_since_;
  std::uint64_t completed_before_ = 0;
  std::deque<Rate> rates_;
};

}  // namespace callpark
