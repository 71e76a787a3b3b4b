// What the transaction layer needs from below: a way to send a message, and to be told of messages and failures.
// TransportLayer is the real one; tests have one in memory.
#pragma once

#include <optional>

#include "parkd/message/sip_message.h"
#include "parkd/transport/endpoint.h"

namespace callpark::sip {

class MessageTransport {
 public:
  virtual ~MessageTransport() = default;

  /// False when it is known at once that the message cannot go. True promises no delivery. Calls nobody back.
  virtual bool send(const SipMessage& message, const Endpoint& destination) = 0;
  /// Our own address as a peer at `destination` has to write to it: what Via and Contact say. None when nothing
  /// listens there for that protocol and address family.
  virtual std::optional<Endpoint> local_endpoint(const Endpoint& destination) const = 0;
};

class TransportUser {
 public:
  virtual ~TransportUser() = default;

  /// A well-formed message of a peer. Requests have `received` and `rport` in their topmost Via already
  /// (RFC 3261 18.2.1, RFC 3581 4); responses are answers to a Via of ours (RFC 3261 18.1.2).
  virtual void on_message(SipMessage message, const Endpoint& source) = 0;
  /// A connection to `destination` could not be made or broke, and messages sent by it may be lost.
  virtual void on_send_failure(const Endpoint& destination) = 0;
};

}  // namespace callpark::sip
