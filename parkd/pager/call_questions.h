// Kamailio's questions whether the billing system permits a call that comes in: a MESSAGE each, answered 200 with the
// verdict. Any other answer means to Kamailio that the billing system has failed.
#pragma once

#include <string>

#include "kamailio_protocol/call_question.h"
#include "parkd/ports/billing.h"
#include "parkd/ports/store.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark {

/// Lives on the loop's thread.
class CallQuestions {
 public:
  /// The references must outlive it.
  CallQuestions(sip::TransactionLayer& transactions, Store& store, Billing& billing)
      : transactions_(transactions), store_(store), billing_(billing) {}

  static bool serves(const sip::SipMessage& request);
  void on_message(sip::ServerTransactionKey key, const sip::SipMessage& request);

 private:
  void ask(sip::ServerTransactionKey key, const sip::SipMessage& request, BillingQuestion question);
  void answer(sip::ServerTransactionKey key, const sip::SipMessage& request, const BillingVerdict& verdict);

  sip::TransactionLayer& transactions_;
  Store& store_;
  Billing& billing_;
};

}  // namespace callpark
