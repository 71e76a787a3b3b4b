// Owns the live transactions of RFC 3261 17 and RFC 6026: finds the one that a message belongs to, runs its timers, and
// passes only new events to the transaction user (the dialogs and legs above).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "parkd/message/sip_message.h"
#include "parkd/transaction/alarm_clock.h"
#include "parkd/transaction/transaction_timers.h"
#include "parkd/transport/endpoint.h"
#include "parkd/transport/message_transport.h"

namespace callpark::sip {

/// Names of transactions, never reused in one run of the process. Zero names none.
enum class ClientTransactionKey : std::uint64_t {};
enum class ServerTransactionKey : std::uint64_t {};

/// kTimeout: no final response within 64*T1 (RFC 3261 17.1.4; treat as 408), or none within 64*T1 of a CANCEL.
/// kTransportError: the request could not be sent (treat as 503).
enum class ClientFailure : std::uint8_t { kTimeout, kTransportError };
/// kNoAck: our non-2xx answer to an INVITE was never acknowledged. kTransportError: an answer could not be sent; the
/// transaction still lives.
enum class ServerFailure : std::uint8_t { kNoAck, kTransportError };

/// No handler is called from inside a call of the layer, nor after abandon(). An empty handler is allowed.
struct ClientHandlers {
  /// Called for every provisional response, then the final one. Of an INVITE, each copy of a 2xx for 64*T1 more (RFC
  /// 6026): the TU answers each with the ACK. The layer has acknowledged any other final response itself.
  std::function<void(const SipMessage& response)> on_response;
  /// Called at most once, instead of a final response.
  std::function<void(ClientFailure failure)> on_failure;
};

class TransactionUser {
 public:
  virtual ~TransactionUser() = default;

  /// A new request, neither ACK nor CANCEL. The TU answers it with respond(), now or later; `request` is valid during
  /// the call only.
  virtual void on_request(ServerTransactionKey key, const SipMessage& request, const Endpoint& source) = 0;
  /// The ACK of a 2xx, or one that belongs to nothing.
  virtual void on_ack(const SipMessage& ack, const Endpoint& source) = 0;
  /// The INVITE is cancelled and has no final answer yet: answer it 487. The layer answers the CANCEL itself.
  virtual void on_cancel(ServerTransactionKey invite) = 0;
  virtual void on_server_transaction_failure(ServerTransactionKey key, ServerFailure failure) = 0;
  /// A 2xx to an INVITE that belongs to no transaction: of an earlier process, or later than RFC 6026 keeps one.
  /// Dropped unless the TU knows its dialog, where the other side repeats it until it is acknowledged.
  virtual void on_stray_2xx(const SipMessage& response) = 0;
};

struct TransactionCounts {
  std::size_t invite_client = 0;
  std::size_t invite_server = 0;
  std::size_t non_invite_client = 0;
  std::size_t non_invite_server = 0;
};

struct TransactionCounters {
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_received = 0;
  std::uint64_t retransmissions_sent = 0;
  std::uint64_t retransmissions_received = 0;
  std::uint64_t responses_unmatched = 0;  // RFC 6026 8.9: dropped, but see on_stray_2xx()
  std::uint64_t cancels_unmatched = 0;    // answered 481
  std::uint64_t answers_too_late = 0;     // respond() to a transaction that is over or already answered
  std::uint64_t client_timeouts = 0;
  std::uint64_t server_timeouts = 0;
  std::uint64_t transport_errors = 0;
};

/// Lives on the loop's thread.
class TransactionLayer final : public TransportUser {
 public:
  /// `transport` and `clock` must outlive the layer. `timers.reliable` is ignored: each transaction sets it by its
  /// transport.
  TransactionLayer(MessageTransport& transport, AlarmClock& clock, const TransactionTimers& timers = {});
  /// Forgets all transactions without a callback.
  ~TransactionLayer() override;
  TransactionLayer(const TransactionLayer&) = delete;
  TransactionLayer& operator=(const TransactionLayer&) = delete;

  /// Requests go to `user` from now on, which must outlive the layer. Before that they are dropped.
  void start(TransactionUser& user);

  /// Sends a request, neither ACK nor CANCEL, which has no Via yet: the layer adds it, with branch and rport. The layer
  /// waits without limit for the final response after a provisional response; the TU cancels after its own time limit.
  ClientTransactionKey send_request(SipMessage request, const Endpoint& destination, ClientHandlers handlers);
  /// Cancels an INVITE (RFC 3261 9.1): at once if it has a provisional response, else as soon as one comes. The
  /// INVITE's handlers still report the end: usually 487, or a 2xx that crossed, or kTimeout after 64*T1. Does nothing
  /// for an INVITE that is answered or unknown.
  void cancel(ClientTransactionKey invite);
  /// The handlers of this transaction are not called from now on; it ends by itself. For a TU that is destroyed first.
  void abandon(ClientTransactionKey key);

  /// Answers a request. Of an INVITE: any number of provisional responses, then one final; the TU must repeat a 2xx
  /// until its ACK comes (RFC 3261 13.3.1.4). Anything else after the final is ignored.
  void respond(ServerTransactionKey key, const SipMessage& response);
  /// True until the request has its final answer.
  bool is_unanswered(ServerTransactionKey key) const;

  /// Sends the ACK of a 2xx, without state. The request has no Via yet.
  void send_ack(SipMessage ack, const Endpoint& destination);

  /// Called with the time that each request within a dialog, BYE and re-INVITE among them, waited for its final
  /// response.
  void set_on_round_trip(std::function<void(Duration)> on_round_trip);

  TransactionCounts live() const noexcept;
  const TransactionCounters& counters() const noexcept;

  void on_message(SipMessage message, const Endpoint& source) override;
  void on_send_failure(const Endpoint& destination) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark::sip
