// A telephone network made of sipp, known to the site by its IP address: it calls in by DID, accepts calls, knows
// neither REFER nor Replaces, and keeps every message it saw.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/rtp_party.h"
#include "tests/support/sip_text.h"
#include "tests/support/subprocess.h"

namespace callpark::test {

/// One sipp with one call, and its sound.
class SippCall : public Listener {
 public:
  struct Options {
    std::string scenario_head;
    Endpoint own;
    Endpoint kamailio;
    std::string caller = "+442079460018";
    std::string caller_name = "Client";
    std::string did;
    int tone = 400;
    /// Payload types in order of preference: "0 8", "8".
    std::string codecs = "0 8";
    std::filesystem::path directory;
  };

  explicit SippCall(Options options);
  SippCall(const SippCall&) = delete;
  SippCall& operator=(const SippCall&) = delete;
  ~SippCall() override;

  [[nodiscard]] std::string name() const override { return "trunk " + options_.caller; }
  [[nodiscard]] int tone() const override { return options_.tone; }
  [[nodiscard]] Sound heard(std::chrono::milliseconds window) const override { return sound_.heard(window); }
  [[nodiscard]] RtpParty& sound() { return sound_; }

  /// Waits for the 2xx and its ACK.
  testing::AssertionResult is_established(std::chrono::milliseconds timeout = kSoon);
  /// Waits until a BYE has gone and been answered, or the call was refused.
  testing::AssertionResult is_closed(std::chrono::milliseconds timeout = kSoon);
  [[nodiscard]] bool closed() const;
  /// Final status of the call's INVITE, 0 while there is none.
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string call_id() const;

  /// Each needs an established call; hang_up() also cancels one that rings.
  void hang_up() { command("bye"); }
  void hold() { command("hold"); }
  void resume() { command("resume"); }

  /// The messages so far, in order.
  [[nodiscard]] std::vector<SipText> received() const;
  [[nodiscard]] std::vector<SipText> sent() const;
  /// Whether it got nothing but what DESIGN.md lets a trunk see: INVITE, ACK, UPDATE, BYE, CANCEL and OPTIONS.
  [[nodiscard]] testing::AssertionResult saw_only_ordinary_calls() const;
  [[nodiscard]] std::string log() const;

 private:
  struct Message {
    bool received;
    SipText text;
  };

  void command(const std::string& what);
  void watch();
  void read_messages();
  void note(const Message& message);

  const Options options_;
  RtpParty sound_;
  UdpSocket control_;
  std::string own_call_id_;
  mutable std::mutex mutex_;
  std::vector<Message> messages_;
  size_t read_ = 0;
  std::atomic<bool> running_{true};
  std::thread watcher_;
  Subprocess process_;
};

class SippTrunk {
 public:
  /// `own` is where the site sends calls out to; calls in come from other ports of the same address.
  SippTrunk(Endpoint own, Endpoint kamailio, std::filesystem::path directory);

  /// Calls `did`; returns at once.
  std::unique_ptr<SippCall> call_in(const std::string& did, int tone, const std::string& codecs = "0 8");
  /// Accepts the next call from the site; one at a time.
  std::unique_ptr<SippCall> expect_call(int tone, const std::string& codecs = "0 8");
  [[nodiscard]] const Endpoint& own() const { return own_; }

 private:
  const Endpoint own_;
  const Endpoint kamailio_;
  const std::filesystem::path directory_;
  int calls_ = 0;
};

}  // namespace callpark::test
