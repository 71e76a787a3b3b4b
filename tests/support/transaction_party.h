// One side of a simulated SIP conversation: a transaction layer, and a transaction user that writes down what it
// receives.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "parkd/transaction/transaction_layer.h"
#include "tests/support/simulated_sip.h"

namespace callpark::sip {

class TransactionParty final : public TransactionUser {
 public:
  TransactionParty(SimulatedTime& time, SimulatedNetwork& network, const Endpoint& at, TransactionTimers timers = {})
      : endpoint(at), clock(time), transport(network, at), layer(transport, clock, timers) {
    network.attach(at, layer);
    layer.start(*this);
  }

  struct Request {
    ServerTransactionKey key;
    SipMessage message;
  };

  const Endpoint endpoint;
  SimulatedClock clock;
  SimulatedTransport transport;
  TransactionLayer layer;

  std::vector<Request> requests;
  std::vector<SipMessage> acks;
  std::vector<ServerTransactionKey> cancels;
  std::vector<std::pair<ServerTransactionKey, ServerFailure>> server_failures;
  std::vector<int> statuses;  // of the responses to what send() sent
  std::vector<ClientFailure> failures;
  /// Called with each new request, after it is written down.
  std::function<void(const Request&)> answer;
  std::function<void(ServerTransactionKey)> answer_cancel;

  /// Sends a request; its outcome is written down in `statuses` and `failures`.
  ClientTransactionKey send(SipMessage request, const Endpoint& to) {
    return layer.send_request(std::move(request), to,
                              {[this](const SipMessage& response) { statuses.push_back(response.status()); },
                               [this](ClientFailure failure) { failures.push_back(failure); }});
  }
  void respond(const Request& request, int status) {
    layer.respond(request.key, make_response(request.message, status, {}, "callee"));
  }

  void on_request(ServerTransactionKey key, const SipMessage& request, const Endpoint&) override {
    requests.push_back({key, request});
    if (answer) answer(Request(requests.back()));
  }
  void on_ack(const SipMessage& ack, const Endpoint&) override { acks.push_back(ack); }
  void on_cancel(ServerTransactionKey invite) override {
    cancels.push_back(invite);
    if (answer_cancel) answer_cancel(invite);
  }
  void on_stray_2xx(const SipMessage&) override {}
  void on_server_transaction_failure(ServerTransactionKey key, ServerFailure failure) override {
    server_failures.emplace_back(key, failure);
  }

  std::size_t live() const {
    const TransactionCounts counts = layer.live();
    return counts.invite_client + counts.invite_server + counts.non_invite_client + counts.non_invite_server;
  }
};

/// A request as a TU makes it: everything but Via.
inline SipMessage simulated_request(std::string_view method, const Endpoint& to, std::string_view call_id = "call-1",
                                    std::uint32_t cseq = 1) {
  SipMessage request = make_request(method, "sip:parkd@" + to.host_and_port());
  request.add_header(HeaderName::kFrom, "<sip:101@demo.callpark>;tag=caller");
  request.add_header(HeaderName::kTo, "<sip:102@demo.callpark>");
  request.add_header(HeaderName::kCallId, call_id);
  request.set_cseq(cseq, method);
  return request;
}

}  // namespace callpark::sip
