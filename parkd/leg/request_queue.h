// The requests of parkd's in one dialog that are neither INVITE, ACK nor BYE: one at a time. Two that are out at once
// may change places in a proxy with several workers, and the remote side answers 500 to the later CSeq (RFC
// 3261 12.2.2).
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "parkd/message/sip_message.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::leg {

/// Loop's thread only. Must outlive the transactions of what it sends.
class RequestQueue {
 public:
  struct Request {
    std::string method;
    std::function<void(sip::SipMessage&)> fill;
    sip::ClientHandlers handlers;
  };
  /// Puts a request on the wire, with the next CSeq.
  using Transmit = std::function<void(Request request)>;

  /// `on_free` is called when the last of the requests has its final response.
  RequestQueue(Transmit transmit, std::function<void()> on_free);
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  /// Sends the request when its turn comes. If 64 wait already, one that has a failure handler fails at once: a party
  /// that sends without end to one that never answers uses up no memory.
  void push(Request request);
  /// A request is out.
  bool is_busy() const { return is_out_; }
  /// While parkd's INVITE is out, what is pushed waits.
  void pause() { is_paused_ = true; }
  void resume();

  /// Sends at once those of this method that wait: nothing can follow the BYE that is to come.
  void flush(std::string_view method);
  /// Those of other methods that wait fail.
  void drop_all_but(std::string_view method);

 private:
  void send_next();
  void on_done();

  Transmit transmit_;
  std::function<void()> on_free_;
  std::deque<Request> waiting_;
  bool is_out_ = false;
  bool is_paused_ = false;
};

}  // namespace callpark::leg
