// What a test does with a real telephone, whichever program it is: baresip or linphone.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/support/listener.h"

namespace callpark::test {

/// Where a call has got to, as its own phone sees it. It only ever moves forward.
enum class CallPhase { kUnknown, kDialling, kProgress, kRinging, kIncoming, kEstablished, kClosed };

/// The phone's own name for one of its calls.
using CallName = std::string;

struct PhoneOptions {
  std::string user = {};
  std::string password = {};
  /// A telephone number that it is called by, too.
  std::string did = {};
  std::string domain = "demo.callpark";
  /// Where the phone registers: address and port of Kamailio.
  std::string registrar_address = "127.0.0.1";
  uint16_t registrar_port = 5060;
  std::string transport = "udp";
  /// Its own IP address, to which it binds everything.
  std::string address = {};
  uint16_t sip_port = 5060;
  uint16_t rtp_first = 20000;
  uint16_t rtp_last = 20199;
  int tone = 400;
  /// In order of preference, as the phone calls them; empty: its own choice.
  std::string codecs = "pcmu,pcma";
  std::string display_name = {};
  bool auto_answer = false;
  /// Without it the registrar is only the proxy that calls go to.
  bool registers = true;
  /// Its own, existing and empty: configuration, log and recordings.
  std::filesystem::path directory = {};
};

class Phone : public Listener {
 public:
  explicit Phone(PhoneOptions options) : options_(std::move(options)) {}
  Phone(const Phone&) = delete;
  Phone& operator=(const Phone&) = delete;

  [[nodiscard]] std::string name() const override { return options_.user + "@" + options_.address; }
  [[nodiscard]] int tone() const override { return options_.tone; }
  [[nodiscard]] const PhoneOptions& options() const { return options_; }

  /// Throws when the registrar has not accepted the phone in time.
  virtual void wait_registered(std::chrono::milliseconds timeout = kSoon) = 0;
  /// Calls `target` (a number of the own domain, or a whole SIP URI). Throws when the phone refuses to try.
  virtual CallName dial(const std::string& target) = 0;
  /// Waits for a call that rings here and that no earlier call of this returned; throws when none comes.
  virtual CallName wait_incoming(std::chrono::milliseconds timeout = kSoon) = 0;
  virtual void answer(const CallName& call) = 0;
  virtual void hang_up(const CallName& call) = 0;
  virtual void hold(const CallName& call) = 0;
  virtual void resume(const CallName& call) = 0;
  /// Blind transfer (REFER); the far end of `call` goes to `target`.
  virtual void transfer(const CallName& call, const std::string& target) = 0;
  /// Attended transfer (REFER with Replaces): the far end of `call` replaces this phone in `consultation`.
  virtual void transfer_to(const CallName& call, const CallName& consultation) = 0;
  /// DTMF as RFC 4733 events.
  virtual void send_digits(const CallName& call, const std::string& digits) = 0;

  [[nodiscard]] virtual CallPhase phase(const CallName& call) const = 0;
  /// What the phone reports about the end of the call, with the SIP status if there was one ("486 Busy Here").
  [[nodiscard]] virtual std::string closing_reason(const CallName& call) const = 0;
  /// How many calls are not closed.
  [[nodiscard]] virtual int calls() const = 0;

  /// Waits until `call` is in `wanted`.
  testing::AssertionResult reaches(const CallName& call, CallPhase wanted, std::chrono::milliseconds timeout = kSoon);
  /// wait_incoming(), answer(), and waits until the call is established. Throws when one of them fails.
  CallName answer_next(std::chrono::milliseconds timeout = kSoon);
  /// dial(), and waits until the call is established. Throws when it does not.
  CallName dial_until_answered(const std::string& target, std::chrono::milliseconds timeout = kSoon);

 private:
  PhoneOptions options_;
};

std::string to_string(CallPhase phase);

}  // namespace callpark::test
