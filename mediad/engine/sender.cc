#include "mediad/engine/sender.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace callpark::media {
namespace {

using std::chrono::nanoseconds;

// After a pause of the machine longer than this, missed packets are not sent in a burst; the timestamps jump instead.
constexpr std::int64_t kCatchUpMaxMs = 100;

std::int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t now_ms() {
  return now_ns() / 1'000'000;
}

std::size_t phase_of(std::int64_t when_ms) {
  return static_cast<std::size_t>(when_ms % kPacketMs);
}

// Returns wall-clock minus monotonic milliseconds. Read once, so that setting the clock is inaudible.
std::int64_t wall_minus_monotonic_ms() {
  static const std::int64_t difference = [] {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return (std::chrono::duration_cast<nanoseconds>(wall).count() - now_ns()) / 1'000'000;
  }();
  return difference;
}

}  // namespace

Sender::Sender(Options options) : options_(options), thread_([this] { run(); }) {}

Sender::~Sender() {
  inbox_.stop();
  thread_.join();
}

void Sender::add(std::shared_ptr<OutgoingStream> stream) {
  inbox_.post([this, stream = std::move(stream)]() mutable { insert(std::move(stream)); });
}

void Sender::remove(std::shared_ptr<OutgoingStream> stream) {
  inbox_.post([this, stream = std::move(stream)] {
    for (Streams& phase : phases_) std::erase(phase, stream);
  });
}

void Sender::change(std::shared_ptr<OutgoingStream> stream, std::function<void(OutgoingStream&)> change) {
  inbox_.post([stream = std::move(stream), change = std::move(change)] { change(*stream); });
}

void Sender::insert(std::shared_ptr<OutgoingStream> stream) {
  const std::int64_t first_ms = std::max(done_ms_, now_ms()) + 1;
  std::size_t best = phase_of(first_ms);
  for (std::int64_t ahead = 1; ahead < kPacketMs; ++ahead) {
    const std::size_t phase = phase_of(first_ms + ahead);
    if (phases_[phase].size() < phases_[best].size()) best = phase;
  }
  phases_[best].push_back(std::move(stream));
}

std::optional<std::int64_t> Sender::next_phase_ms() const {
  for (std::int64_t ahead = 1; ahead <= kPacketMs; ++ahead) {
    if (has_work(phase_of(done_ms_ + ahead))) return done_ms_ + ahead;
  }
  return std::nullopt;
}

// A stream that is added now must not get a phase that is over.
void Sender::skip_empty_phases() {
  const std::int64_t now = now_ms();
  const auto next_ms = next_phase_ms();
  done_ms_ = std::max(done_ms_, next_ms ? std::min(now, *next_ms - 1) : now);
  done_ms_ = std::max(done_ms_, now - kCatchUpMaxMs);
}

void Sender::sleep_until(std::int64_t when_ms) const {
  const std::int64_t wait_ns = when_ms * 1'000'000 - now_ns();
  if (wait_ns <= 0) return;
  const timespec wait{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
  pollfd descriptor{inbox_.fd(), POLLIN, 0};
  ppoll(&descriptor, 1, &wait, nullptr);
}

void Sender::do_phase(std::int64_t when_ms) {
  const PacketClock clock = (when_ms + wall_minus_monotonic_ms()) / kPacketMs;
  Streams& due = second_halves_[phase_of(when_ms)];
  for (const auto& stream : due) stream->send_second_half();
  due.clear();
  Streams& next = second_halves_[phase_of(when_ms + kPacketMs / 2)];
  for (const auto& stream : phases_[phase_of(when_ms)]) {
    if (stream->send_next(clock) == OutgoingStream::Rest::kSecondHalf) next.push_back(stream);
  }
}

void Sender::run() {
  prctl(PR_SET_NAME, "sender");
  // The kernel's default lets a timer be 50 µs late to save power.
  prctl(PR_SET_TIMERSLACK, 1UL);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);

  done_ms_ = now_ms();
  for (;;) {
    skip_empty_phases();
    // Between this and the sleep below nothing may empty the inbox: its descriptor is what wakes the thread.
    if (inbox_.do_all() == ThreadInbox::Run::kStopped) return;
    const auto next_ms = next_phase_ms();
    if (!next_ms) {
      pollfd descriptor{inbox_.fd(), POLLIN, 0};
      poll(&descriptor, 1, -1);
    } else if (now_ns() < *next_ms * 1'000'000) {
      sleep_until(*next_ms);  // or until the inbox has work
    } else {
      if (now_ms() - *next_ms >= kPacketMs) late_phases_.fetch_add(1, std::memory_order_relaxed);
      do_phase(*next_ms);
      done_ms_ = *next_ms;
    }
  }
}

}  // namespace callpark::media
