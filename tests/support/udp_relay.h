// A bad stretch of network for UDP: loses, repeats and reorders what passes, the same way each time for the same seed.
#pragma once

#include <atomic>
#include <optional>
#include <random>
#include <thread>

#include "tests/support/udp_socket.h"

namespace callpark::test {

class UdpRelay {
 public:
  struct Faults {
    /// Probabilities, 0 to 1, in each direction. What is reordered arrives after the next datagram, or 100 ms late.
    double loss = 0;
    double duplication = 0;
    double reordering = 0;
    uint32_t seed = 1;
  };
  struct Counts {
    int passed = 0;
    int lost = 0;
    int repeated = 0;
    int reordered = 0;
  };

  /// What the client sends to inner() goes from `outer` to `server`, and what the server sends to `outer` to the
  /// client.
  UdpRelay(const Endpoint& inner, const Endpoint& outer, Endpoint client, Endpoint server, Faults faults);
  UdpRelay(const UdpRelay&) = delete;
  UdpRelay& operator=(const UdpRelay&) = delete;
  ~UdpRelay();

  [[nodiscard]] const Endpoint& inner() const { return inner_.own(); }
  [[nodiscard]] const Endpoint& outer() const { return outer_.own(); }
  /// After the relay has ended, or roughly.
  [[nodiscard]] Counts counts() const { return {passed_, lost_, repeated_, reordered_}; }

 private:
  struct Direction {
    UdpSocket* from;
    UdpSocket* out;
    Endpoint to;
    std::optional<std::string> late = std::nullopt;
    std::chrono::steady_clock::time_point late_since = {};
  };

  void run();
  void pass(Direction& direction, const std::string& bytes);
  static void let_late_go(Direction& direction);
  bool happens(double probability);

  UdpSocket inner_;
  UdpSocket outer_;
  const Endpoint client_;
  const Endpoint server_;
  const Faults faults_;
  std::mt19937 random_;
  std::atomic<int> passed_{0};
  std::atomic<int> lost_{0};
  std::atomic<int> repeated_{0};
  std::atomic<int> reordered_{0};
  std::atomic<bool> running_{true};
  std::thread thread_;
};

}  // namespace callpark::test
