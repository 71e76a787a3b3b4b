// Asks the billing systems of the tenants over HTTP: the port Billing around the machines of one exchange and of one
// circuit breaker, which decide everything.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/event_loop.h"
#include "base/http_client.h"
#include "base/metrics.h"
#include "parkd/authz/hook_exchange.h"
#include "parkd/authz/webhook_signature.h"
#include "parkd/ports/billing.h"

namespace callpark::authz {

/// Loop's thread only.
class BillingClient final : public Billing {
 public:
  /// `addresses` permits the addresses of hooks. Loop and metrics must outlive this.
  BillingClient(EventLoop& loop, Metrics& metrics, AddressPolicy addresses);
  ~BillingClient() override;
  BillingClient(const BillingClient&) = delete;
  BillingClient& operator=(const BillingClient&) = delete;

  /// From the next question on, over connections of their own.
  void set_addresses(AddressPolicy addresses);

  BillingQuestionId ask(BillingQuestion question, Answer answer) override;
  void withdraw(BillingQuestionId question) override;

 private:
  /// The hook of a tenant, as it has behaved so far.
  struct Hook {
    breaker::State breaker;
    std::size_t in_flight = 0;
    std::set<exchange::Failed::Why> logged;  // failures of these kinds are in the log, since the last answer
    BillingHook settings;                    // of `client`
    std::shared_ptr<HttpClient> client;
  };
  struct Question {
    BillingQuestion asked;
    Answer answer;
    std::optional<WebhookSecrets> secrets;
    exchange::State state;
    WallTime asked_at;
    MonotonicTime begun;
    bool is_in_flight = false;
    int status = 0;                      // of the last answer; 0 before it
    std::shared_ptr<HttpClient> client;  // that of the hook when the question was asked
    HttpClient::Pending pending;
    LoopHandle timer;
  };

  std::shared_ptr<HttpClient> client_for(Hook& hook, const BillingHook& settings) const;
  void feed(BillingQuestionId id, const exchange::Event& event);
  void follow(BillingQuestionId id, exchange::Decision decision);
  void send(BillingQuestionId id, const exchange::Send& action);
  void on_http_outcome(BillingQuestionId id, exchange::Attempt attempt, HttpOutcome outcome);
  void feed_breaker(const Question& question, const breaker::Event& event);
  void set_breaker(const std::string& tenant, Hook& hook, breaker::State next);
  void conclude(BillingQuestionId id, const exchange::Outcome& outcome);
  void answer_soon(BillingQuestionId id, BillingVerdict verdict);
  void note_failure(const Question& question, exchange::Failed::Why why, const std::string& sentence);
  void count(const Question& question, std::string_view outcome);

  EventLoop& loop_;
  Metrics& metrics_;
  AddressPolicy addresses_;
  Gauge in_flight_;
  std::map<std::string, Hook> hooks_;  // of each tenant that was asked about
  std::map<BillingQuestionId, Question> questions_;
  std::uint64_t last_question_ = 0;
};

}  // namespace callpark::authz
