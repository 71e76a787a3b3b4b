// A user agent that watches one lamp (SUBSCRIBE, Event: dialog) and believes nothing: each NOTIFY is checked as RFC
// 3261, 6665 and 4235 have it, and what is wrong is written down. It can lose packets, and die.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/wait.h"

namespace callpark::test {

class LampWatcher {
 public:
  struct Options {
    std::string user = {};
    std::string password = {};
    std::string domain = "demo.callpark";
    /// What is watched: "*88102", or a whole URI.
    std::string lamp = {};
    std::string address = {};
    /// 0: any; nothing is sent to it but what its Contact asks for.
    std::uint16_t port = 5060;
    Endpoint proxy = {};
    bool over_tcp = false;
    std::string event = "dialog";
    /// What its Event has behind the package: ";id=7".
    std::string event_parameters = {};
    std::string accept = "application/dialog-info+xml";
    int expires = 600;
    /// Of the packets that arrive and of those that are sent, this part is lost.
    double loss = 0;
    std::uint32_t seed = 1;
  };
  /// The content of one valid NOTIFY.
  struct Notice {
    int cseq = 0;
    int version = -1;
    /// Of its one dialog: "early", "confirmed", "terminated"...
    std::string state;
    std::string subscription_state;
    std::string event;
    std::string request_uri;
    std::string body;
    std::chrono::steady_clock::time_point at;
  };

  explicit LampWatcher(Options options);
  LampWatcher(const LampWatcher&) = delete;
  LampWatcher& operator=(const LampWatcher&) = delete;
  /// Sends nothing, as a phone without power.
  ~LampWatcher();

  /// A new subscription; the final status, after the challenge if there is one. 408 without an answer.
  int subscribe();
  /// Within the subscription.
  int refresh() { return subscribe_again(options_.expires, true); }
  int unsubscribe() { return subscribe_again(0, true); }
  int refresh_without_credentials() { return subscribe_again(options_.expires, false); }
  /// From now on it receives and sends nothing, until it is to hear again.
  void be_deaf(bool deaf) { deaf_ = deaf; }
  /// How many packets came while it was deaf.
  [[nodiscard]] int unheard() const { return unheard_; }

  /// The content of the last valid NOTIFY; an empty state when there was none.
  [[nodiscard]] Notice now() const;
  [[nodiscard]] std::string state() const { return now().state; }
  [[nodiscard]] std::vector<Notice> history() const;
  /// One sentence for everything that should not have been.
  [[nodiscard]] std::vector<std::string> complaints() const;
  /// NOTIFYs that came behind a later one, and were refused with 500 as RFC 3261 12.2.2 has it.
  [[nodiscard]] int overtaken() const { return overtaken_; }
  [[nodiscard]] int challenges() const { return challenges_; }
  [[nodiscard]] SipText last_response() const;
  [[nodiscard]] SipText last_notify() const;
  bool wait_state(const std::string& state, std::chrono::milliseconds timeout = kSoon) const {
    return wait_until(timeout, [&] { return this->state() == state; });
  }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::string call_id() const;
  /// The next request of the subscription as it would be sent, for tests that break it first.
  std::string compose_subscribe(int expires, const std::string& credentials = "");
  void send_raw(const std::string& text);
  /// Final status of what was sent with send_raw().
  int wait_response(const std::string& call_id, int cseq);

 private:
  void run();
  int subscribe_again(int expires, bool with_credentials);
  int transact(int expires, bool with_credentials);
  SipText send_and_wait(std::unique_lock<std::mutex>& lock, const std::string& text, int cseq);
  std::string compose(int expires, const std::string& credentials);
  bool is_lost();
  void receive(const SipText& message);
  void receive_notify(const SipText& notify);
  int judge(const SipText& notify);
  int judge_order(const SipText& notify);
  void take(const SipText& notify);
  void answer(const SipText& request, int status);
  void complain(const std::string& sentence) { complaints_.push_back(options_.lamp + ": " + sentence); }

  const Options options_;
  std::unique_ptr<SipWire> wire_;
  std::mt19937 random_;
  std::atomic<bool> running_{true};
  std::atomic<bool> deaf_{false};
  std::atomic<int> unheard_{0};
  std::atomic<int> overtaken_{0};
  std::atomic<int> challenges_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string call_id_;
  std::string own_tag_;
  std::string remote_tag_;
  std::string remote_target_;
  std::vector<std::string> routes_;
  int own_cseq_ = 0;
  int notify_cseq_ = 0;
  bool in_dialog_ = false;
  /// Branch of every NOTIFY that was answered: a repeated one gets the same answer and counts no second time.
  std::map<std::string, int> answered_;
  std::map<int, std::string> branch_of_cseq_;
  std::vector<SipText> responses_;
  SipText last_notify_;
  std::vector<Notice> history_;
  std::vector<std::string> complaints_;
  std::thread thread_;
};

/// The errors that xmllint reports for these bodies against the schema of RFC 4235; empty when all are valid.
std::string invalid_dialog_info(const std::vector<std::string>& bodies);

}  // namespace callpark::test
