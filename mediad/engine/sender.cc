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

// A machine that stood still longer than this does not send what it missed in one burst; the timestamps jump instead.
constexpr std::int64_t kCatchUpMaxMs = 100;

std::int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Added to monotonic milliseconds this gives wall-clock ones. Read once, since a clock that is set must not be heard.
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
  inbox_.post([this] { run_ = Run::kStopped; });
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
  std::size_t best = static_cast<std::size_t>(next_ms_) % kPhases;
  for (std::size_t ahead = 1; ahead < kPhases; ++ahead) {
    const std::size_t phase = (static_cast<std::size_t>(next_ms_) + ahead) % kPhases;
    if (phases_[phase].size() < phases_[best].size()) best = phase;
  }
  phases_[best].push_back(std::move(stream));
}

bool Sender::anything_to_send() const {
  return std::any_of(phases_.begin(), phases_.end(), [](const Streams& phase) { return !phase.empty(); });
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
  for (const auto& stream : phases_[static_cast<std::size_t>(when_ms) % kPhases]) stream->send_next(clock);
}

void Sender::run() {
  prctl(PR_SET_NAME, "sender");
  // The kernel's default lets a timer be 50 µs late for the sake of batteries.
  prctl(PR_SET_TIMERSLACK, 1UL);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);

  next_ms_ = now_ns() / 1'000'000;
  while (run_ == Run::kOn) {
    inbox_.do_all();
    if (!anything_to_send()) {
      pollfd descriptor{inbox_.fd(), POLLIN, 0};
      poll(&descriptor, 1, -1);
      next_ms_ = now_ns() / 1'000'000 + 1;
      continue;
    }
    next_ms_ = std::max(next_ms_, now_ns() / 1'000'000 - kCatchUpMaxMs);
    if (phases_[static_cast<std::size_t>(next_ms_) % kPhases].empty()) {
      ++next_ms_;
      continue;
    }
    if (now_ns() < next_ms_ * 1'000'000) {
      sleep_until(next_ms_);
      continue;  // with what came in meanwhile
    }
    do_phase(next_ms_++);
  }
}

}  // namespace callpark::media
