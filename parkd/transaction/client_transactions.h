// The live client transactions: made for the TU's requests, found by the branch of a response.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <variant>

#include "parkd/transaction/invite_client.h"
#include "parkd/transaction/non_invite_client.h"
#include "parkd/transaction/transaction_context.h"
#include "parkd/transaction/transaction_id.h"

namespace callpark::sip {

class ClientTransactions {
 public:
  ClientTransactions(TransactionContext& context, std::uint64_t instance);

  ClientTransactionKey send(SipMessage request, const Endpoint& destination, ClientHandlers handlers);
  void send_stateless(SipMessage request, const Endpoint& destination);
  void cancel(ClientTransactionKey invite);
  void abandon(ClientTransactionKey key);

  /// Returns false if the response belongs to none of them.
  bool on_response(const SipMessage& response);
  void on_timer(std::uint64_t number, TimerName name);
  void on_send_failure(std::uint64_t number);
  void on_send_failure(const Endpoint& destination);

  std::size_t invites() const noexcept { return invites_; }
  std::size_t non_invites() const noexcept { return live_.size() - invites_; }

 private:
  struct Transaction {
    Transaction(std::uint64_t the_number, SipMessage the_request, const Endpoint& the_destination)
        : number(the_number),
          request(std::move(the_request)),
          destination(the_destination),
          timers(TimerOwner{the_number, false}.to_integer()) {}

    std::uint64_t number;
    std::variant<non_invite_client::State, invite_client::State> state;
    SipMessage request;  // as sent; empty once it is no longer needed
    Endpoint destination;
    ClientHandlers handlers;
    TransactionTimerPair timers;
    std::optional<MonotonicTime> sent_in_dialog;
    bool is_answered = false;  // finally, so a later failure is not reported to the TU
    bool is_abandoned = false;

    bool is_invite() const noexcept { return std::holds_alternative<invite_client::State>(state); }
  };

  Transaction* find(std::uint64_t number);
  void add_via(SipMessage& request, const Endpoint& destination, std::uint64_t number) const;
  Transaction& add(std::uint64_t number, SipMessage&& request, const Endpoint& destination);
  void begin(Transaction& transaction);
  void decide(Transaction& transaction, invite_client::Event event, const SipMessage* response);
  void decide(Transaction& transaction, non_invite_client::Event event, const SipMessage* response);
  void perform(Transaction& transaction, const ActionList<ClientAction>& actions, bool is_over,
               const SipMessage* response);
  void send_ack(const Transaction& transaction, const SipMessage& response);
  void send_cancel(const Transaction& invite);
  void pass(Transaction& transaction, bool is_over, const SipMessage& response);
  void report(Transaction& transaction, ClientFailure failure);
  void remove(Transaction& transaction);
  void transport_error(Transaction& transaction);

  TransactionContext& context_;
  ClientBranches branches_;
  std::uint64_t last_branch_ = 0;
  std::size_t invites_ = 0;
  // A CANCEL has its INVITE's branch (RFC 3261 9.1), so a transaction's number is twice that of its branch, and one
  // more for a CANCEL.
  std::unordered_map<std::uint64_t, Transaction> live_;
};

}  // namespace callpark::sip
