#include "parkd/service/load_gate.h"

#include <algorithm>
#include <cmath>

namespace callpark {
namespace {

using std::chrono::seconds;

// What has waited for longer is lost, or the server is away: no queue, and another park does not make it longer.
constexpr seconds kLost{4};
// A round trip that is older shows nothing about now.
constexpr seconds kRecent{2};
// A trunk far away is no overload: late is a multiple of what is usual.
constexpr int kTimesUsual = 4;
constexpr std::chrono::minutes kPeriod{5};
constexpr seconds kRateWindow{1};
constexpr seconds kRatesKept{10};

}  // namespace

LoadGate::LookUp LoadGate::begin_look_up(MonotonicTime now) {
  look_ups_.emplace(++last_look_up_, now);
  return last_look_up_;
}

void LoadGate::end_look_up(LookUp look_up, MonotonicTime now) {
  look_ups_.erase(look_up);
  if (!look_ups_wait(now) && !phones_are_late(now)) over_since_.reset();
}

void LoadGate::note_round_trip(Duration took, MonotonicTime now) {
  round_trips_.push_back({took, now});
  if (round_trips_.size() > kRoundTrips) round_trips_.pop_front();
  if (now >= period_since_ + kPeriod) {
    shortest_before_ = shortest_;
    shortest_.reset();
    period_since_ = now;
  }
  shortest_ = std::min(took, shortest_.value_or(took));
  if (!look_ups_wait(now) && !phones_are_late(now)) over_since_.reset();
}

void LoadGate::note_parks(std::uint64_t completed, MonotonicTime now) {
  if (!counting_since_) {
    counting_since_ = now;
    completed_before_ = completed;
  }
  const auto elapsed = std::chrono::duration<double>(now - *counting_since_);
  if (elapsed < kRateWindow) return;
  rates_.push_back({static_cast<double>(completed - completed_before_) / elapsed.count(), now});
  counting_since_ = now;
  completed_before_ = completed;
  while (rates_.front().at + kRatesKept < now) rates_.pop_front();
}

bool LoadGate::look_ups_wait(MonotonicTime now) const {
  return std::any_of(look_ups_.begin(), look_ups_.end(), [&](const auto& one) {
    return now - one.second > limits_.look_up_max && now - one.second < kLost;
  });
}

bool LoadGate::phones_are_late(MonotonicTime now) const {
  const Duration usual = std::min(shortest_.value_or(Duration(0)), shortest_before_.value_or(Duration::max()));
  const Duration late = std::max(limits_.round_trip_max, kTimesUsual * usual);
  return round_trips_.size() == kRoundTrips &&
         std::all_of(round_trips_.begin(), round_trips_.end(),
                     [&](const RoundTrip& one) { return one.took > late && now - one.at < kRecent; });
}

// One more would wait for half a second.
bool LoadGate::is_queue_full(std::size_t parks_under_way) const {
  return parks_under_way >= std::max(limits_.queue_min, static_cast<std::size_t>(parks_per_second() / 2));
}

bool LoadGate::admit(MonotonicTime now, std::size_t parks_under_way) {
  if (is_queue_full(parks_under_way)) {
    refused_at_ = now;
    return false;
  }
  const bool is_over = look_ups_wait(now) || (phones_are_late(now) && parks_under_way >= limits_.parks_under_way_min);
  if (!is_over) {
    over_since_.reset();
    return true;
  }
  if (!over_since_) over_since_ = now;
  // What is over right after a refusal is the same overload, and no new burst.
  if (!is_refusing(now) && now - *over_since_ < limits_.burst_max) return true;
  refused_at_ = now;
  return false;
}

bool LoadGate::is_refusing(MonotonicTime now) const {
  return refused_at_ && now - *refused_at_ < kRecent;
}

int LoadGate::parks_per_second() const {
  double most = 1;
  for (const Rate& rate : rates_) most = std::max(most, rate.per_second);
  return static_cast<int>(std::ceil(most));
}

}  // namespace callpark
