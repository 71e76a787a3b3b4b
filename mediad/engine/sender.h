// The thread that sends: every stream once in 20 ms by an absolute clock, the streams spread over 20 phases of 1 ms so
// that packets leave evenly.
#pragma once

#include <array>
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
    /// The thread's nice value; when the system does not allow it the thread keeps its own.
    int nice = -10;
  };
  explicit Sender(Options options);
  /// Ends the thread; streams get no more packets.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// The stream's first packet leaves as soon as a phase with the fewest streams comes round, 20 ms at latest.
  void add(std::shared_ptr<OutgoingStream> stream);
  void remove(std::shared_ptr<OutgoingStream> stream);
  /// Does `change` to the stream between two packets.
  void change(std::shared_ptr<OutgoingStream> stream, std::function<void(OutgoingStream&)> change);

 private:
  static constexpr std::size_t kPhases = kPacketMs;
  using Streams = std::vector<std::shared_ptr<OutgoingStream>>;

  void run();
  void sleep_until(std::int64_t when_ms) const;
  void do_phase(std::int64_t when_ms);
  void insert(std::shared_ptr<OutgoingStream> stream);
  std::optional<std::int64_t> next_phase_ms() const;
  void skip_empty_phases();

  Options options_;
  ThreadInbox inbox_;
  // What stands below belongs to the thread.
  std::array<Streams, kPhases> phases_;
  /// Up to here, in ms of the monotonic clock, every phase is done.
  std::int64_t done_ms_ = 0;
  std::thread thread_;
};

}  // namespace callpark::media
