#include "parkd/webhooks/turns.h"

#include <algorithm>
#include <variant>

namespace callpark::webhooks {

namespace breaker = authz::breaker;

void Turns::add(const std::vector<Subscriber>& due) {
  for (const Subscriber& subscriber : due) wait(subscriber, lines_[subscriber]);
}

void Turns::wait(const Subscriber& subscriber, Line& line) {
  if (line.waits) return;
  line.waits = true;
  waiting_.push_back(subscriber);
}

std::optional<Turn> Turns::next(MonotonicTime now) {
  while (!waiting_.empty() && in_flight_ < settings_.in_flight_max) {
    const Subscriber subscriber = std::move(waiting_.front());
    waiting_.pop_front();
    Line& line = lines_[subscriber];
    line.waits = false;
    if (line.in_flight >= settings_.in_flight_of_one_max) continue;
    const auto [state, span] = breaker::decide(settings_.breaker, line.breaker, breaker::Asked{}, now);
    line.breaker = state;
    if (!span) {
      forget_if_idle(subscriber);
      continue;
    }
    const bool is_probe = std::holds_alternative<breaker::HalfOpen>(state.phase);
    const std::size_t free =
        std::min(settings_.in_flight_of_one_max - line.in_flight, settings_.in_flight_max - in_flight_);
    const std::size_t events_max = is_probe ? 1 : free;
    line.in_flight += events_max;
    in_flight_ += events_max;
    return Turn{subscriber, events_max, *span};
  }
  return std::nullopt;
}

void Turns::claimed(const Turn& turn, std::size_t events, MonotonicTime now) {
  Line& line = lines_[turn.subscriber];
  const std::size_t unused = turn.events_max - std::min(events, turn.events_max);
  line.in_flight -= unused;
  in_flight_ -= unused;
  if (events == 0) {
    line.breaker = breaker::decide(settings_.breaker, line.breaker, breaker::Abandoned{turn.span}, now).next;
  }
  if (unused == 0) wait(turn.subscriber, line);
  forget_if_idle(turn.subscriber);
}

Change Turns::finish(const Subscriber& subscriber, breaker::Span span, bool is_delivered, MonotonicTime now) {
  Line& line = lines_[subscriber];
  --line.in_flight;
  --in_flight_;
  const breaker::Event event = is_delivered ? breaker::Event(breaker::Worked{span}) : breaker::Failed{span};
  const bool failed_before = !std::holds_alternative<breaker::Closed>(line.breaker.phase);
  line.breaker = breaker::decide(settings_.breaker, line.breaker, event, now).next;
  const bool fails = !std::holds_alternative<breaker::Closed>(line.breaker.phase);
  if (is_delivered) wait(subscriber, line);
  forget_if_idle(subscriber);
  if (fails == failed_before) return Change::kNone;
  return fails ? Change::kFails : Change::kRecovers;
}

void Turns::forget_if_idle(const Subscriber& subscriber) {
  const auto found = lines_.find(subscriber);
  const Line& line = found->second;
  const bool is_well = line.breaker.phase == breaker::Phase(breaker::Closed{});
  if (is_well && line.in_flight == 0 && !line.waits) lines_.erase(found);
}

}  // namespace callpark::webhooks
