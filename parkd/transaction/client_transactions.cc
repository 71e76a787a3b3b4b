#include "parkd/transaction/client_transactions.h"

#include <utility>

namespace callpark::sip {
namespace {

constexpr std::uint64_t kCancelBit = 1;

std::uint64_t number_of(std::uint64_t branch, bool is_cancel) {
  return branch << 1U | (is_cancel ? kCancelBit : 0);
}

std::uint64_t number_of(ClientTransactionKey key) {
  return number_of(static_cast<std::uint64_t>(key), false);
}

bool is_final(int status) {
  return status >= 200;
}

invite_client::Event invite_event(int status) {
  if (!is_final(status)) return invite_client::Event::kProvisional;
  return status < 300 ? invite_client::Event::kSuccess : invite_client::Event::kFailure;
}

// RFC 3261 9.1 and 17.1.1.3: a CANCEL and the ACK of a non-2xx response repeat these headers of the INVITE, with its
// topmost Via as the only one.
SipMessage make_follow_up(const SipMessage& invite, std::string_view method) {
  SipMessage request = make_request(method, invite.request_uri_text());
  request.prepend_via(invite.top_via());
  for (const HeaderField& field : invite.headers()) {
    if (field.name == HeaderName::kRoute || field.name == HeaderName::kFrom || field.name == HeaderName::kTo ||
        field.name == HeaderName::kCallId) {
      request.add_header(field.name, field.value);
    }
  }
  request.set_cseq(invite.cseq().number, method);
  return request;
}

}  // namespace

ClientTransactions::ClientTransactions(TransactionContext& context, std::uint64_t instance)
    : context_(context), branches_(instance) {}

ClientTransactionKey ClientTransactions::send(SipMessage request, const Endpoint& destination,
                                              ClientHandlers handlers) {
  const std::uint64_t branch = ++last_branch_;
  add_via(request, destination, branch);
  const bool is_invite = request.method() == method::kInvite;
  Transaction& transaction = add(number_of(branch, false), std::move(request), destination);
  if (is_invite) {
    transaction.state = invite_client::State{};
    ++invites_;
  }
  transaction.handlers = std::move(handlers);
  if (!transaction.request.to_tag().empty()) transaction.sent_in_dialog = context_.clock.now();
  begin(transaction);
  return ClientTransactionKey{branch};
}

void ClientTransactions::send_stateless(SipMessage request, const Endpoint& destination) {
  add_via(request, destination, ++last_branch_);
  if (!context_.transport.send(request, destination)) ++context_.counters.transport_errors;
}

void ClientTransactions::add_via(SipMessage& request, const Endpoint& destination, std::uint64_t branch) const {
  // Without an address of our own nothing can be sent either, which is reported like any other failure.
  const Endpoint local = context_.transport.local_endpoint(destination).value_or(Endpoint{});
  Via via;
  via.transport = destination.protocol == TransportProtocol::kTcp ? "TCP" : "UDP";
  via.host = local.address.to_uri_host();
  via.port = local.port;
  via.params.append({"branch", branches_.branch(branch)});
  // RFC 3581 3: with "rport" the answer returns by the path of the request.
  if (destination.protocol == TransportProtocol::kUdp) via.params.append({"rport", std::nullopt});
  request.prepend_via(via);
}

ClientTransactions::Transaction& ClientTransactions::add(std::uint64_t number, SipMessage&& request,
                                                         const Endpoint& destination) {
  return live_.try_emplace(number, number, std::move(request), destination).first->second;
}

void ClientTransactions::begin(Transaction& transaction) {
  const TransactionTimers& timers = context_.timers_for(transaction.destination);
  if (auto* invite = std::get_if<invite_client::State>(&transaction.state)) {
    const auto decision = invite_client::begin(timers);
    *invite = decision.next;
    perform(transaction, decision.actions, false, nullptr);
  } else {
    const auto decision = non_invite_client::begin(timers);
    transaction.state = decision.next;
    perform(transaction, decision.actions, false, nullptr);
  }
}

void ClientTransactions::cancel(ClientTransactionKey invite) {
  Transaction* transaction = find(number_of(invite));
  if (transaction != nullptr && transaction->is_invite()) {
    decide(*transaction, invite_client::Event::kCancel, nullptr);
  }
}

void ClientTransactions::abandon(ClientTransactionKey key) {
  Transaction* transaction = find(number_of(key));
  if (transaction == nullptr) return;
  transaction->is_abandoned = true;
  transaction->handlers = {};
}

bool ClientTransactions::on_response(const SipMessage& response) {
  // RFC 3261 17.1.3: the branch of the topmost Via and the method in CSeq identify the transaction.
  const auto branch = branches_.number(response.top_branch());
  const bool is_cancel = response.method() == method::kCancel;
  Transaction* transaction = branch ? find(number_of(*branch, is_cancel)) : nullptr;
  if (transaction == nullptr || transaction->is_invite() != (response.method() == method::kInvite)) {
    ++context_.counters.responses_unmatched;
    return false;
  }
  if (transaction->is_invite()) {
    decide(*transaction, invite_event(response.status()), &response);
  } else {
    using Event = non_invite_client::Event;
    decide(*transaction, is_final(response.status()) ? Event::kFinal : Event::kProvisional, &response);
  }
  return true;
}

void ClientTransactions::on_timer(std::uint64_t number, TimerName name) {
  Transaction* transaction = find(number);
  if (transaction == nullptr) return;
  switch (name) {
    case TimerName::kA:
      return decide(*transaction, invite_client::Event::kTimerA, nullptr);
    case TimerName::kB:
      return decide(*transaction, invite_client::Event::kTimerB, nullptr);
    case TimerName::kD:
      return decide(*transaction, invite_client::Event::kTimerD, nullptr);
    case TimerName::kM:
      return decide(*transaction, invite_client::Event::kTimerM, nullptr);
    case TimerName::kCancelled:
      return decide(*transaction, invite_client::Event::kTimerCancelled, nullptr);
    case TimerName::kE:
      return decide(*transaction, non_invite_client::Event::kTimerE, nullptr);
    case TimerName::kF:
      return decide(*transaction, non_invite_client::Event::kTimerF, nullptr);
    case TimerName::kK:
      return decide(*transaction, non_invite_client::Event::kTimerK, nullptr);
    case TimerName::kG:
    case TimerName::kH:
    case TimerName::kI:
    case TimerName::kJ:
    case TimerName::kL:
    case TimerName::kTrying:
      break;  // of server transactions
  }
}

void ClientTransactions::on_send_failure(std::uint64_t number) {
  Transaction* transaction = find(number);
  if (transaction != nullptr) transport_error(*transaction);
}

void ClientTransactions::on_send_failure(const Endpoint& destination) {
  std::vector<std::uint64_t> concerned;
  for (const auto& [number, transaction] : live_) {
    if (transaction.destination == destination) concerned.push_back(number);
  }
  for (const std::uint64_t number : concerned) on_send_failure(number);
}

void ClientTransactions::transport_error(Transaction& transaction) {
  ++context_.counters.transport_errors;
  if (transaction.is_invite()) {
    decide(transaction, invite_client::Event::kTransportError, nullptr);
  } else {
    decide(transaction, non_invite_client::Event::kTransportError, nullptr);
  }
}

void ClientTransactions::decide(Transaction& transaction, invite_client::Event event, const SipMessage* response) {
  auto* state = std::get_if<invite_client::State>(&transaction.state);
  if (state == nullptr) return;
  const auto decision = invite_client::decide(*state, event, context_.timers_for(transaction.destination));
  *state = decision.next;
  const bool is_accepted = state->phase == invite_client::Phase::kAccepted;
  // The TU sends the ACK of a 2xx, so the large INVITE is no longer needed.
  if (is_accepted) release(transaction.request);
  perform(transaction, decision.actions, state->phase == invite_client::Phase::kTerminated, response);
}

void ClientTransactions::decide(Transaction& transaction, non_invite_client::Event event, const SipMessage* response) {
  auto* state = std::get_if<non_invite_client::State>(&transaction.state);
  if (state == nullptr) return;
  const auto decision = non_invite_client::decide(*state, event, context_.timers_for(transaction.destination));
  *state = decision.next;
  if (state->phase == non_invite_client::Phase::kCompleted) release(transaction.request);
  perform(transaction, decision.actions, state->phase == non_invite_client::Phase::kTerminated, response);
}

void ClientTransactions::perform(Transaction& transaction, const ActionList<ClientAction>& actions, bool is_over,
                                 const SipMessage* response) {
  using Kind = ClientAction::Kind;
  const std::uint64_t owner = transaction.timers.end.owner;
  const bool is_new = actions.size() != 0 && (actions.end() - 1)->kind == Kind::kPassResponse;
  if (response != nullptr && !is_new) ++context_.counters.retransmissions_received;
  for (const ClientAction& action : actions) {
    switch (action.kind) {
      case Kind::kSendRequest:
        ++context_.counters.requests_sent;
        context_.send(transaction.request, transaction.destination, owner);
        break;
      case Kind::kResendRequest:
        ++context_.counters.retransmissions_sent;
        context_.send(transaction.request, transaction.destination, owner);
        break;
      case Kind::kSendAck:
        send_ack(transaction, *response);
        break;
      case Kind::kSendCancel:
        send_cancel(transaction);
        break;
      case Kind::kStartTimer:
        transaction.timers.start(context_, action.timer, action.delay);
        break;
      case Kind::kStopTimers:
        transaction.timers.stop();
        break;
      case Kind::kPassResponse:
        return pass(transaction, is_over, *response);
      case Kind::kReportTimeout:
        ++context_.counters.client_timeouts;
        return report(transaction, ClientFailure::kTimeout);
      case Kind::kReportTransportError:
        return report(transaction, ClientFailure::kTransportError);
    }
  }
  if (is_over) remove(transaction);
}

// RFC 3261 17.1.1.3: the ACK has the To of the response, and goes where the INVITE went, whatever the response
// contains.
void ClientTransactions::send_ack(const Transaction& transaction, const SipMessage& response) {
  SipMessage ack = make_follow_up(transaction.request, method::kAck);
  ack.set_header(HeaderName::kTo, response.header(HeaderName::kTo).value_or(std::string_view{}));
  context_.send(ack, transaction.destination, transaction.timers.end.owner);
}

void ClientTransactions::send_cancel(const Transaction& invite) {
  begin(add(invite.number | kCancelBit, make_follow_up(invite.request, method::kCancel), invite.destination));
}

// The TU may do anything from inside its handler, so the handler is moved out of the transaction, and the transaction
// is looked up again before the handler is put back.
void ClientTransactions::pass(Transaction& transaction, bool is_over, const SipMessage& response) {
  const std::uint64_t number = transaction.number;
  auto handler = std::exchange(transaction.handlers.on_response, nullptr);
  if (is_final(response.status())) {
    transaction.is_answered = true;
    const auto sent = std::exchange(transaction.sent_in_dialog, std::nullopt);
    if (sent && context_.on_round_trip) {
      context_.on_round_trip(std::chrono::duration_cast<Duration>(context_.clock.now() - *sent));
    }
  }
  if (is_over) remove(transaction);
  if (!handler) return;
  handler(response);
  Transaction* still_there = find(number);
  if (still_there != nullptr && !still_there->is_abandoned) still_there->handlers.on_response = std::move(handler);
}

void ClientTransactions::report(Transaction& transaction, ClientFailure failure) {
  const auto handler = std::exchange(transaction.handlers.on_failure, nullptr);
  const bool concerns_tu = !transaction.is_answered;
  remove(transaction);
  if (handler && concerns_tu) handler(failure);
}

ClientTransactions::Transaction* ClientTransactions::find(std::uint64_t number) {
  const auto found = live_.find(number);
  return found == live_.end() ? nullptr : &found->second;
}

void ClientTransactions::remove(Transaction& transaction) {
  if (transaction.is_invite()) --invites_;
  const std::uint64_t number = transaction.number;
  live_.erase(number);
}

}  // namespace callpark::sip
