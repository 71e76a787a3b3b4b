// A real baresip (Debian's 1.0.0 or 1.1.0) without sound hardware: it plays a WAV file with its tone, its
// loudspeaker is a file (baresip_ear/), and it is driven over its ctrl_tcp interface.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/phone.h"
#include "tests/support/subprocess.h"

namespace callpark::test {

class BaresipPhone : public Phone {
 public:
  /// Starts the program and connects to it. Throws when either fails.
  explicit BaresipPhone(PhoneOptions options);
  ~BaresipPhone() override;

  void wait_registered(std::chrono::milliseconds timeout = kSoon) override;
  CallName dial(const std::string& target) override;
  CallName wait_incoming(std::chrono::milliseconds timeout = kSoon) override;
  void answer(const CallName& call) override;
  void hang_up(const CallName& call) override;
  void hold(const CallName& call) override;
  void resume(const CallName& call) override;
  /// When the transfer fails, baresip hangs the call up; a parker that keeps it has to be another phone.
  void transfer(const CallName& call, const std::string& target) override;
  void transfer_to(const CallName& call, const CallName& consultation) override;
  void send_digits(const CallName& call, const std::string& digits) override;

  [[nodiscard]] CallPhase phase(const CallName& call) const override;
  [[nodiscard]] std::string closing_reason(const CallName& call) const override;
  [[nodiscard]] int calls() const override;
  [[nodiscard]] Sound heard(std::chrono::milliseconds window) const override;

  /// The other party as the phone displays it: name, then URI.
  [[nodiscard]] std::string peer(const CallName& call) const;
  /// The status of the phone's last transfer ("486 Busy Here"), empty while it has not failed.
  [[nodiscard]] std::string transfer_failure(const CallName& call) const;
  /// Local and remote tag of a call, for a Replaces header; read from the phone's own SIP trace.
  struct Tags {
    std::string local;
    std::string remote;
  };
  [[nodiscard]] Tags tags(const CallName& call) const;
  /// SIP messages that the phone sent and received, as it prints them.
  [[nodiscard]] std::string log() const;
  /// Any command of baresip's own menu. Throws std::runtime_error with its answer when it fails.
  std::string command(const std::string& name, const std::string& parameters = "");
  Subprocess& process() { return process_; }

 private:
  struct Call {
    CallPhase phase = CallPhase::kUnknown;
    bool outgoing = false;
    bool handed_out = false;
    std::string peer;
    std::string reason;
    std::string transfer_failure;
  };
  struct Answer {
    bool ok;
    std::string text;
  };

  void write_configuration();
  void connect_control();
  void read_control();
  void receive(const std::string& json);
  void advance(Call& call, CallPhase phase);
  Answer ask(const std::string& name, const std::string& parameters);
  bool select(const CallName& call);
  void command_in(const CallName& call, const std::string& name, const std::string& parameters = "");
  CallName hand_out(bool outgoing, std::chrono::milliseconds timeout);

  Subprocess process_;
  int control_ = -1;
  std::thread reader_;
  std::mutex command_mutex_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<CallName, Call> calls_;
  std::vector<CallName> order_;
  std::map<std::string, Answer> answers_;
  int next_token_ = 0;
};

}  // namespace callpark::test
