// The Messages port on SIP: a text is one MESSAGE outside of dialogs (RFC 3428), which Kamailio sends to all phones of
// the extension.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "base/metrics.h"
#include "parkd/ports/messages.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark {

/// Lives on the loop's thread.
class PagerMessages final : public Messages {
 public:
  /// The number of texts to one extension that wait for the answer to the one before; beyond it the oldest is dropped.
  static constexpr std::size_t kWaitingMax = 16;

  /// `transactions` and `metrics` must outlive it.
  PagerMessages(sip::TransactionLayer& transactions, const sip::Endpoint& kamailio, Metrics& metrics);
  ~PagerMessages() override;
  PagerMessages(const PagerMessages&) = delete;
  PagerMessages& operator=(const PagerMessages&) = delete;

  void send(TextMessage message) override;

 private:
  // The first text has been sent and awaits its answer.
  struct Queue {
    std::deque<TextMessage> messages;
    sip::ClientTransactionKey under_way{};
  };

  void send_first(const std::string& destination);
  void conclude(const std::string& destination, int status);

  sip::TransactionLayer& transactions_;
  const sip::Endpoint kamailio_;
  Counter sent_;
  Counter unreachable_;
  Counter failed_;
  Counter given_up_;
  std::unordered_map<std::string, Queue> queues_;
};

}  // namespace callpark
