// Listens to the SIP on the loopback interface and prints each message with sender, receiver and time: for a failed
// test and for the demonstration. Needs CAP_NET_RAW; without it there is simply nothing to print.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/sip_text.h"
#include "tests/support/udp_socket.h"

namespace callpark::test {

class SipTrace {
 public:
  using Clock = std::chrono::system_clock;
  struct Step {
    Clock::time_point when;
    Endpoint from;
    Endpoint to;
    SipText message;
  };

  /// Keeps what has an end in `first_port` .. `last_port`, the last 50,000 messages, but for OPTIONS: servers ask each
  /// other all the time.
  SipTrace(uint16_t first_port, uint16_t last_port);
  SipTrace(const SipTrace&) = delete;
  SipTrace& operator=(const SipTrace&) = delete;
  ~SipTrace();

  /// The name in the trace of an address, or one port of it (then before the address alone).
  void call_it(const Endpoint& endpoint, const std::string& name);
  [[nodiscard]] std::string name_of(const Endpoint& endpoint) const;
  [[nodiscard]] bool is_listening() const { return socket_ >= 0; }

  [[nodiscard]] std::vector<Step> steps(Clock::time_point since) const;
  /// One line a message: seconds since `since`, from, to, what, CSeq and the first letters of the Call-ID.
  [[nodiscard]] std::string text(Clock::time_point since) const;
  /// The messages whole, for a log file.
  [[nodiscard]] std::string full_text(Clock::time_point since) const;

 private:
  void run();
  void keep(const unsigned char* packet, size_t size, Clock::time_point when);

  int socket_ = -1;
  std::atomic<bool> running_{true};
  mutable std::mutex mutex_;
  std::map<Endpoint, std::string> names_;
  std::deque<Step> steps_;
  std::thread thread_;
};

/// "INVITE sip:*70333@demo.callpark" or "200 OK", what one message is in short.
std::string summary(const SipText& message);

}  // namespace callpark::test
