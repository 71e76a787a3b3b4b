// A real linphonec (Debian's 5.1 or 5.3) in file mode: it plays a WAV file with its tone and records what it hears into
// another; it is driven by lines on its stdin and watched by what it prints.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/phone.h"
#include "tests/support/subprocess.h"

namespace callpark::test {

class LinphonePhone : public Phone {
 public:
  /// Starts the program. Throws when it cannot be started.
  explicit LinphonePhone(PhoneOptions options);
  ~LinphonePhone() override;

  void wait_registered(std::chrono::milliseconds timeout = kSoon) override;
  CallName dial(const std::string& target) override;
  CallName wait_incoming(std::chrono::milliseconds timeout = kSoon) override;
  void answer(const CallName& call) override;
  void hang_up(const CallName& call) override;
  /// linphonec pauses its current call; throws when `call` is another one.
  void hold(const CallName& call) override;
  void resume(const CallName& call) override;
  void transfer(const CallName& call, const std::string& target) override;
  void transfer_to(const CallName& call, const CallName& consultation) override;
  void send_digits(const CallName& call, const std::string& digits) override;

  [[nodiscard]] CallPhase phase(const CallName& call) const override;
  [[nodiscard]] std::string closing_reason(const CallName& call) const override;
  [[nodiscard]] int calls() const override;
  [[nodiscard]] Sound heard(std::chrono::milliseconds window) const override;

  /// All that linphonec has printed.
  [[nodiscard]] std::string log() const;
  Subprocess& process() { return process_; }

 private:
  struct Call {
    CallPhase phase = CallPhase::kUnknown;
    bool handed_out = false;
    std::string reason;
  };

  void write_configuration();
  void type(const std::string& line);
  void read_output() const;
  void read_line(const std::string& line) const;
  CallName hand_out(CallPhase first_phase, std::chrono::milliseconds timeout);

  Subprocess process_;
  std::mutex typing_;
  int typed_ = 0;
  mutable std::mutex mutex_;
  // What has been read of the output so far, and its content.
  mutable size_t read_ = 0;
  mutable std::map<CallName, Call> calls_;
};

}  // namespace callpark::test
