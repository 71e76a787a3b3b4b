#include "parkd/transaction/server_transactions.h"

#include <functional>
#include <utility>

#include "parkd/transaction/transaction_id.h"
#include "parkd/transport/response_routing.h"

namespace callpark::sip {
namespace {

invite_server::Event invite_event(int status) {
  if (status < 200) return invite_server::Event::kSendProvisional;
  return status < 300 ? invite_server::Event::kSendSuccess : invite_server::Event::kSendFailure;
}

non_invite_server::Event non_invite_event(int status) {
  return status < 200 ? non_invite_server::Event::kSendProvisional : non_invite_server::Event::kSendFinal;
}

}  // namespace

bool ServerTransactions::Transaction::is_unanswered() const noexcept {
  if (const auto* invite = std::get_if<invite_server::State>(&state)) {
    return invite->phase == invite_server::Phase::kProceeding;
  }
  const auto phase = std::get<non_invite_server::State>(state).phase;
  return phase == non_invite_server::Phase::kTrying || phase == non_invite_server::Phase::kProceeding;
}

void ServerTransactions::respond(ServerTransactionKey key, const SipMessage& response) {
  Transaction* transaction = find(static_cast<std::uint64_t>(key));
  bool is_used = false;
  if (transaction != nullptr && response.is_response()) {
    if (transaction->to_tag.empty()) transaction->to_tag = response.to_tag();
    const Subject subject{nullptr, nullptr, &response};
    is_used = transaction->is_invite() ? decide(*transaction, invite_event(response.status()), subject)
                                       : decide(*transaction, non_invite_event(response.status()), subject);
  }
  if (!is_used) ++context_.counters.answers_too_late;
}

bool ServerTransactions::is_unanswered(ServerTransactionKey key) const {
  const auto found = live_.find(static_cast<std::uint64_t>(key));
  return found != live_.end() && found->second.is_unanswered();
}

void ServerTransactions::on_request(const SipMessage& request, const Endpoint& source) {
  if (user_ == nullptr) return;
  if (request.method() == method::kAck) return on_ack(request, source);
  std::string id = server_transaction_id(request, request.method());
  Transaction* transaction = find(id);
  if (transaction != nullptr) {
    ++context_.counters.retransmissions_received;
    const Subject subject{&request, &source, nullptr};
    if (transaction->is_invite()) {
      decide(*transaction, invite_server::Event::kInvite, subject);
    } else {
      decide(*transaction, non_invite_server::Event::kRequest, subject);
    }
  } else if (request.method() == method::kCancel) {
    on_cancel(std::move(id), request, source);
  } else {
    on_new_request(std::move(id), request, source);
  }
}

void ServerTransactions::on_new_request(std::string id, const SipMessage& request, const Endpoint& source) {
  ++context_.counters.requests_received;
  Transaction& transaction = add(std::move(id), request, source);
  const Subject subject{&request, &source, nullptr};
  if (transaction.is_invite()) {
    transaction.request = request;
    const auto decision = invite_server::begin(context_.timers_for(source));
    transaction.state = decision.next;
    perform(transaction, decision.actions, false, subject);
  } else {
    const auto decision = non_invite_server::begin();
    transaction.state = decision.next;
    perform(transaction, decision.actions, false, subject);
  }
}

// RFC 3261 17.2.3: the ACK of a non-2xx response has its INVITE's branch; that of a 2xx has its own and is for the TU.
void ServerTransactions::on_ack(const SipMessage& ack, const Endpoint& source) {
  Transaction* transaction = find(server_transaction_id(ack, method::kInvite));
  if (transaction == nullptr) return user_->on_ack(ack, source);
  decide(*transaction, invite_server::Event::kAck, {&ack, &source, nullptr});
}

// RFC 3261 9.2. The CANCEL is answered 200 even if it comes too late for its INVITE.
void ServerTransactions::on_cancel(std::string id, const SipMessage& cancel, const Endpoint& source) {
  const Transaction* invite = find(server_transaction_id(cancel, method::kInvite));
  Transaction& transaction = add(std::move(id), cancel, source);
  if (invite == nullptr) {
    ++context_.counters.cancels_unmatched;
    const SipMessage response = make_response(cancel, 481, {}, std::to_string(transaction.number));
    decide(transaction, non_invite_server::Event::kSendFinal, {&cancel, &source, &response});
    return;
  }
  // 9.2: the To tag is that of the INVITE's own answer.
  const std::string tag = invite->to_tag.empty() ? std::to_string(transaction.number) : invite->to_tag;
  const std::uint64_t number = invite->number;
  const bool is_wanted = invite->is_unanswered();
  const SipMessage response = make_response(cancel, 200, {}, tag);
  decide(transaction, non_invite_server::Event::kSendFinal, {&cancel, &source, &response});
  if (is_wanted) user_->on_cancel(ServerTransactionKey{number});
}

void ServerTransactions::on_timer(std::uint64_t number, TimerName name) {
  Transaction* transaction = find(number);
  if (transaction == nullptr) return;
  switch (name) {
    case TimerName::kTrying:
      decide(*transaction, invite_server::Event::kTimerTrying, {});
      break;
    case TimerName::kG:
      decide(*transaction, invite_server::Event::kTimerG, {});
      break;
    case TimerName::kH:
      decide(*transaction, invite_server::Event::kTimerH, {});
      break;
    case TimerName::kI:
      decide(*transaction, invite_server::Event::kTimerI, {});
      break;
    case TimerName::kL:
      decide(*transaction, invite_server::Event::kTimerL, {});
      break;
    case TimerName::kJ:
      decide(*transaction, non_invite_server::Event::kTimerJ, {});
      break;
    case TimerName::kA:
    case TimerName::kB:
    case TimerName::kD:
    case TimerName::kE:
    case TimerName::kF:
    case TimerName::kK:
    case TimerName::kM:
    case TimerName::kCancelled:
      break;  // of client transactions
  }
}

void ServerTransactions::on_send_failure(std::uint64_t number) {
  ++context_.counters.transport_errors;
  Transaction* transaction = find(number);
  if (transaction == nullptr) return;
  if (transaction->is_invite()) {
    decide(*transaction, invite_server::Event::kTransportError, {});
  } else {
    decide(*transaction, non_invite_server::Event::kTransportError, {});
  }
}

bool ServerTransactions::decide(Transaction& transaction, invite_server::Event event, const Subject& subject) {
  auto* state = std::get_if<invite_server::State>(&transaction.state);
  if (state == nullptr) return false;
  const auto decision = invite_server::decide(*state, event, context_.timers_for(transaction.destination));
  const bool is_used = decision.actions.size() != 0 || decision.next != *state;
  *state = decision.next;
  perform(transaction, decision.actions, state->phase == invite_server::Phase::kTerminated, subject);
  return is_used;
}

bool ServerTransactions::decide(Transaction& transaction, non_invite_server::Event event, const Subject& subject) {
  auto* state = std::get_if<non_invite_server::State>(&transaction.state);
  if (state == nullptr) return false;
  const auto decision = non_invite_server::decide(*state, event, context_.timers_for(transaction.destination));
  const bool is_used = decision.actions.size() != 0 || decision.next != *state;
  *state = decision.next;
  perform(transaction, decision.actions, state->phase == non_invite_server::Phase::kTerminated, subject);
  return is_used;
}

void ServerTransactions::perform(Transaction& transaction, const ActionList<ServerAction>& actions, bool is_over,
                                 const Subject& subject) {
  using Kind = ServerAction::Kind;
  const ServerTransactionKey key{transaction.number};
  for (const ServerAction& action : actions) {
    switch (action.kind) {
      case Kind::kSendTrying:
        send(transaction, make_response(transaction.request, 100));
        break;
      case Kind::kSendResponse:
        send(transaction, *subject.response);
        break;
      case Kind::kResendResponse:
        ++context_.counters.retransmissions_sent;
        context_.send(transaction.response, transaction.destination, transaction.timers.end.owner);
        break;
      case Kind::kStartTimer:
        transaction.timers.start(context_, action.timer, action.delay);
        break;
      case Kind::kStopTimers:
        transaction.timers.stop();
        break;
      case Kind::kPassRequest:
        return user_->on_request(key, *subject.request, *subject.source);
      case Kind::kPassAck:
        return user_->on_ack(*subject.request, *subject.source);
      case Kind::kReportNoAck:
        ++context_.counters.server_timeouts;
        remove(transaction);
        return user_->on_server_transaction_failure(key, ServerFailure::kNoAck);
      case Kind::kReportTransportError:
        return user_->on_server_transaction_failure(key, ServerFailure::kTransportError);
    }
  }
  if (is_over) remove(transaction);
}

void ServerTransactions::send(Transaction& transaction, const SipMessage& response) {
  release(transaction.request);
  context_.send(response, transaction.destination, transaction.timers.end.owner);
  const auto* invite = std::get_if<invite_server::State>(&transaction.state);
  // RFC 6026 8.7: copies of an accepted INVITE are not answered, so its 2xx is not kept here.
  const bool is_accepted = invite != nullptr && invite->phase == invite_server::Phase::kAccepted;
  if (is_accepted) {
    release(transaction.response);
  } else {
    transaction.response = response;
  }
}

ServerTransactions::Transaction* ServerTransactions::find(std::uint64_t number) {
  const auto found = live_.find(number);
  return found == live_.end() ? nullptr : &found->second;
}

ServerTransactions::Transaction* ServerTransactions::find(const std::string& id) {
  const auto found = ids_.find(id);
  return found == ids_.end() ? nullptr : find(found->second);
}

ServerTransactions::Transaction& ServerTransactions::add(std::string id, const SipMessage& request,
                                                         const Endpoint& source) {
  const std::uint64_t number = ++last_number_;
  Transaction& transaction = live_.try_emplace(number, number, response_endpoint(request, source)).first->second;
  transaction.id = &ids_.try_emplace(std::move(id), number).first->first;
  if (request.method() == method::kInvite) {
    transaction.state = invite_server::State{};
    ++invites_;
  }
  return transaction;
}

void ServerTransactions::remove(Transaction& transaction) {
  if (transaction.is_invite()) --invites_;
  const std::uint64_t number = transaction.number;
  ids_.erase(ids_.find(*transaction.id));
  live_.erase(number);
}

}  // namespace callpark::sip
