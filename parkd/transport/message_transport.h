// The transport as the transaction layer sees it: a way to send a message, and reports of messages and failures.
// TransportLayer is the real one; tests have one in memory.
#pragma once

#include <optional>

#include "parkd/message/sip_message.h"
#include "parkd/transport/endpoint.h"

namespace callpark::sip {

class MessageTransport {
 public:
  virtual ~MessageTransport() = default;

  /// Returns false if it is known at once that the message cannot be sent. True promises no delivery. Calls no
  /// callback.
  virtual bool send(const SipMessage& message, const Endpoint& destination) = 0;
  /// Returns our own address as a peer at `destination` must write to it, for Via and Contact. None if nothing listens
  /// there for that protocol and address family.
  virtual std::optional<Endpoint> local_endpoint(const Endpoint& destination) const = 0;
};

class TransportUser {
 public:
  virtual ~TransportUser() = default;

  /// A well-formed message of a peer. Requests already have `received` and `rport` in their topmost Via (RFC 3261
  /// 18.2.1, RFC 3581 4); responses are answers to a Via of ours (RFC 3261 18.1.2).
  virtual void on_message(SipMessage message, const Endpoint& source) = 0;
  /// A connection to `destination` failed or could not be made, and messages sent by it may be lost.
  virtual void on_send_failure(const Endpoint& destination) = 0;
};

}  // namespace callpark::sip
