// The sound of a party; its signalling is done elsewhere (sipp, a packet phone): sends its tone every 20 ms and
// measures what arrives, to the packet.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/listener.h"
#include "tests/support/udp_socket.h"

namespace callpark::test {

/// What arrived over a time, as the network measures it.
struct RtpReport {
  int packets = 0;
  double packets_per_second = 0;
  double gap_ms_max = 0;
  /// Sequence numbers that never came, or came again, within one SSRC.
  int lost = 0;
  int repeated = 0;
  /// Packets that begin a talkspurt (RFC 3550 5.1) within one SSRC: a sender sets that when it has sent nothing before.
  int pauses = 0;
  std::vector<uint32_t> ssrcs;
  std::set<Endpoint> sources;
  /// Whether it is one stream that was never interrupted, however late its packets came.
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] std::string describe() const;
};

class RtpParty : public Listener {
 public:
  using Clock = std::chrono::system_clock;

  /// Binds an even port of `address`; begins to send with send_to().
  RtpParty(std::string name, const std::string& address, int tone);
  RtpParty(const RtpParty&) = delete;
  RtpParty& operator=(const RtpParty&) = delete;
  ~RtpParty() override;

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] int tone() const override { return tone_; }
  [[nodiscard]] Sound heard(std::chrono::milliseconds window) const override;
  /// The last `duration` of sound that has arrived since `since`, however long ago that was.
  [[nodiscard]] Sound last_heard(std::chrono::milliseconds duration, Clock::time_point since) const;

  [[nodiscard]] Endpoint own() const { return socket_.own(); }
  /// From now on the tone goes there; port 0 stops it.
  void send_to(const Endpoint& remote);
  [[nodiscard]] Endpoint remote() const;
  /// 0 is PCMU, 8 is PCMA.
  void set_payload_type(int payload_type) { payload_type_ = payload_type; }
  /// Under which number the other side receives telephone-event, 101 at first; nothing: it does not.
  void set_telephone_event(std::optional<int> payload_type);
  /// Presses these keys one after the other as a phone does (RFC 4733), each for 20 ms to 8 s, with 60 ms between them.
  /// Returns when the last one has been released; throws when the other side receives none.
  void press(const std::string& keys, std::chrono::milliseconds down = std::chrono::milliseconds(100));
  /// A description of this party, PCMU, PCMA and telephone-event; `direction` is "sendrecv" or one of its kin.
  [[nodiscard]] std::string sdp(const std::string& direction = "sendrecv", int version = 1) const;

  /// Over what arrived from `since` until now.
  [[nodiscard]] RtpReport report(Clock::time_point since) const;
  [[nodiscard]] RtpReport report(std::chrono::milliseconds last) const { return report(Clock::now() - last); }
  /// For a party that listens for long: what arrived earlier is no longer remembered.
  void forget_before(Clock::time_point then);
  /// RFC 4733 events (payload type 101) that have come, each once.
  [[nodiscard]] std::string digits() const;

 private:
  struct Arrival {
    Clock::time_point when;
    bool is_marked;
    uint16_t sequence;
    uint32_t ssrc;
    Endpoint from;
    std::vector<int16_t> samples;
  };

  void run();
  /// Waits until all that arrived before `now` has been read, so that a stalled thread is no silence.
  void catch_up(std::unique_lock<std::mutex>& lock, Clock::time_point now) const;
  void receive(const Datagram& datagram);
  void receive_event(const std::string& bytes);
  void send_packet();
  [[nodiscard]] std::string next_event(bool& is_marked);

  const std::string name_;
  const int tone_;
  UdpSocket socket_;
  std::atomic<int> payload_type_{0};
  std::atomic<bool> running_{true};
  const std::vector<int16_t> second_of_tone_;
  mutable std::mutex mutex_;
  mutable std::condition_variable has_listened_;
  Clock::time_point listened_until_;
  Endpoint remote_;
  std::vector<Arrival> arrivals_;
  std::string digits_;
  std::optional<int> telephone_event_;
  struct Press {
    uint8_t event;
    int packets;
  };
  std::deque<Press> presses_;  // the first one is under way
  int sent_of_press_ = 0;
  uint32_t press_timestamp_ = 0;
  std::condition_variable has_pressed_;
  uint32_t last_event_timestamp_ = 0;
  uint16_t sequence_ = 0;
  uint32_t timestamp_ = 0;
  uint32_t ssrc_ = 0;
  std::thread thread_;
};

}  // namespace callpark::test
