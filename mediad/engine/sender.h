// The thread that sends: every stream once in 20 ms by an absolute clock, and those with packets of 10 ms in between
// too. The streams are spread over 20 phases of 1 ms, so that packets leave evenly.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "mediad/engine/outgoing_stream.h"
#include "mediad/engine/thread_inbox.h"

namespace callpark::media {

class Sender {
 public:
  struct Options {
    /// The thread's nice value; the thread keeps its own if the system does not allow it.
    int nice = -10;
  };
  explicit Sender(Options options);
  /// Ends the thread; streams get no more packets.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// The stream's first packet leaves when a phase with the fewest streams is next due, after 20 ms at latest.
  void add(std::shared_ptr<OutgoingStream> stream);
  void remove(std::shared_ptr<OutgoingStream> stream);
  /// Runs `change` on the stream between two packets.
  void change(std::shared_ptr<OutgoingStream> stream, std::function<void(OutgoingStream&)> change);

  /// Phases that began a packet's time late or more, since the start. From any thread.
  std::uint64_t late_phases() const { return late_phases_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kPhases = kPacketMs;
  using Streams = std::vector<std::shared_ptr<OutgoingStream>>;

  void run();
  void sleep_until(std::int64_t when_ms) const;
  void do_phase(std::int64_t when_ms);
  bool has_work(std::size_t phase) const { return !phases_[phase].empty() || !second_halves_[phase].empty(); }
  void insert(std::shared_ptr<OutgoingStream> stream);
  std::optional<std::int64_t> next_phase_ms() const;
  void skip_empty_phases();

  Options options_;
  ThreadInbox inbox_;
  std::atomic<std::uint64_t> late_phases_{0};
  // The members below belong to the thread.
  std::array<Streams, kPhases> phases_;
  /// Those that have sent the first half of a payload, in the phase of the second.
  std::array<Streams, kPhases> second_halves_;
  /// Every phase up to here, in ms of the monotonic clock, is done.
  std::int64_t done_ms_ = 0;
  std::thread thread_;
};

}  // namespace callpark::media
