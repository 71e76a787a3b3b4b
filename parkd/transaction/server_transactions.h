// The live server transactions: made by requests, found again by their copies, ACKs and CANCELs, and answered by the
// TU.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>

#include "parkd/transaction/invite_server.h"
#include "parkd/transaction/non_invite_server.h"
#include "parkd/transaction/transaction_context.h"

namespace callpark::sip {

class ServerTransactions {
 public:
  explicit ServerTransactions(TransactionContext& context) : context_(context) {}

  void start(TransactionUser& user) { user_ = &user; }
  void respond(ServerTransactionKey key, const SipMessage& response);
  bool is_unanswered(ServerTransactionKey key) const;

  void on_request(const SipMessage& request, const Endpoint& source);
  void on_timer(std::uint64_t number, TimerName name);
  void on_send_failure(std::uint64_t number);

  std::size_t invites() const noexcept { return invites_; }
  std::size_t non_invites() const noexcept { return live_.size() - invites_; }

 private:
  struct Transaction {
    Transaction(std::uint64_t the_number, const Endpoint& respond_to)
        : number(the_number), destination(respond_to), timers(TimerOwner{the_number, true}.to_integer()) {}

    std::uint64_t number;
    const std::string* id = nullptr;  // the key of ids_
    std::variant<non_invite_server::State, invite_server::State> state;
    SipMessage request;   // of an INVITE, until something is sent: it may need a 100
    SipMessage response;  // the last one sent, while copies of the request are answered with it
    std::string to_tag;   // of the TU's responses
    Endpoint destination;
    TransactionTimerPair timers;

    bool is_invite() const noexcept { return std::holds_alternative<invite_server::State>(state); }
    bool is_unanswered() const noexcept;
  };
  // The message or failure that an action needs besides the transaction itself.
  struct Subject {
    const SipMessage* request = nullptr;
    const Endpoint* source = nullptr;
    const SipMessage* response = nullptr;
  };

  Transaction* find(std::uint64_t number);
  Transaction* find(const std::string& id);
  Transaction& add(std::string id, const SipMessage& request, const Endpoint& source);
  void on_new_request(std::string id, const SipMessage& request, const Endpoint& source);
  void on_ack(const SipMessage& ack, const Endpoint& source);
  void on_cancel(std::string id, const SipMessage& cancel, const Endpoint& source);
  /// Returns false if the machine ignores the event.
  bool decide(Transaction& transaction, invite_server::Event event, const Subject& subject);
  bool decide(Transaction& transaction, non_invite_server::Event event, const Subject& subject);
  void perform(Transaction& transaction, const ActionList<ServerAction>& actions, bool is_over, const Subject& subject);
  void send(Transaction& transaction, const SipMessage& response);
  void remove(Transaction& transaction);

  TransactionContext& context_;
  TransactionUser* user_ = nullptr;
  std::uint64_t last_number_ = 0;
  std::size_t invites_ = 0;
  std::unordered_map<std::uint64_t, Transaction> live_;
  std::unordered_map<std::string, std::uint64_t> ids_;
};

}  // namespace callpark::sip
