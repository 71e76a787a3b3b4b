// parkd's SIP user agent: gives each request from Kamailio to the object that it is for, and owns the three ports.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "parkd/leg/call_table.h"
#include "parkd/leg/conversation_table.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/listeners.h"
#include "parkd/leg/sip_calls.h"
#include "parkd/leg/sip_conversations.h"
#include "parkd/leg/sip_referrals.h"
#include "parkd/leg/user_agent.h"

namespace callpark::leg {

/// Lives on the loop's thread.
class SipUserAgent final : public sip::TransactionUser {
 public:
  explicit SipUserAgent(UserAgent agent);
  ~SipUserAgent() override;
  SipUserAgent(const SipUserAgent&) = delete;
  SipUserAgent& operator=(const SipUserAgent&) = delete;

  Calls& calls() { return calls_; }
  Conversations& conversations() { return conversations_; }
  Referrals& referrals() { return referrals_; }

  /// To be called before the transaction layer is started; all three are set.
  void set_listeners(const Listeners& listeners) { listeners_ = listeners; }
  void set_park_rate(std::function<int()> park_rate) { agent_.park_rate = std::move(park_rate); }
  /// Until then OPTIONS and feature calls are answered 503, so that Kamailio keeps the calls with their parkers.
  void set_ready();

  void on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint& source) override;
  void on_ack(const sip::SipMessage& ack, const sip::Endpoint& source) override;
  void on_cancel(sip::ServerTransactionKey invite) override;
  void on_server_transaction_failure(sip::ServerTransactionKey key, sip::ServerFailure failure) override;
  void on_stray_2xx(const sip::SipMessage& response) override;

 private:
  bool keep_for_later(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_request_outside(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_request_inside(const DialogRoles::Entry& entry, sip::ServerTransactionKey key,
                         const sip::SipMessage& request);
  void on_bye(const DialogRoles::Entry& entry, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_offer(const DialogRoles::Entry& entry, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_refer_inside(const DialogRoles::Entry& entry, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_refer_in_foreign_dialog(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status, std::string_view reason = {});
  void respond_with_capabilities(sip::ServerTransactionKey key, const sip::SipMessage& request, int status);

  UserAgent agent_;
  Listeners listeners_;
  DialogRoles roles_;
  CallTable call_table_;
  ConversationTable conversation_table_;
  SipCalls calls_;
  SipConversations conversations_;
  SipReferrals referrals_;
  bool ready_ = false;
  std::vector<std::pair<sip::ServerTransactionKey, sip::SipMessage>> early_requests_;
};

}  // namespace callpark::leg
