#include "parkd/transaction/timer_queues.h"

namespace callpark::sip {

void Timer::stop() noexcept {
  if (previous_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

void TimerQueues::start(Timer& timer, TimerName name, Duration delay, MonotonicTime now) {
  timer.stop();
  timer.name = name;
  timer.deadline_ = now + delay;
  Timer& ring = queue(delay).ring;
  timer.previous_ = ring.previous_;
  timer.next_ = &ring;
  ring.previous_->next_ = &timer;
  ring.previous_ = &timer;
}

TimerQueues::Queue& TimerQueues::queue(Duration delay) {
  for (const auto& queue : queues_) {
    if (queue->delay == delay) return *queue;
  }
  return *queues_.emplace_back(std::make_unique<Queue>(delay));
}

const TimerQueues::Queue* TimerQueues::first() const noexcept {
  const Queue* first = nullptr;
  for (const auto& queue : queues_) {
    if (queue->is_empty()) continue;
    if (first == nullptr || queue->ring.next_->deadline_ < first->ring.next_->deadline_) first = queue.get();
  }
  return first;
}

std::optional<MonotonicTime> TimerQueues::next_deadline() const noexcept {
  const Queue* queue = first();
  return queue == nullptr ? std::nullopt : std::optional(queue->ring.next_->deadline_);
}

Timer* TimerQueues::take_due(MonotonicTime now) noexcept {
  const Queue* queue = first();
  if (queue == nullptr || queue->ring.next_->deadline_ > now) return nullptr;
  Timer* due = queue->ring.next_;
  due->stop();
  return due;
}

}  // namespace callpark::sip
