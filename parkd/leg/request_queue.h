// The requests of parkd's in one dialog that are neither INVITE, ACK nor BYE: one at a time. Two that are out at once
// may change places in a proxy with several workers, and the remote side answers 500 to the later CSeq (RFC
// 3261 12.2.2).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
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

  /// `on_free` is called when the last of the requests has its final response, or has had `patience`. A request that is
  /// out for so long, or a pause of so long, holds nothing back any more: RFC 3261 12.2.2 wants the CSeq to rise, and a
  /// remote side that never answers the one may be waiting for the next.
  RequestQueue(EventLoop& loop, Duration patience, Transmit transmit, std::function<void()> on_free);
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  /// Sends the request when its turn comes. If 64 wait already, one that has a failure handler fails at once: a party
  /// that sends without end to one that never answers uses up no memory.
  void push(Request request);
  /// A request is out.
  bool is_busy() const { return is_out_; }
  /// While parkd's INVITE is out, what is pushed waits.
  void pause();
  void resume();

  /// Sends at once those of this method that wait: nothing can follow the BYE that is to come.
  void flush(std::string_view method);
  /// Those of other methods that wait fail.
  void drop_all_but(std::string_view method);

 private:
  void send_next();
  void on_done(std::uint64_t request);
  void let_pass();

  EventLoop& loop_;
  Duration patience_;
  Transmit transmit_;
  std::function<void()> on_free_;
  std::deque<Request> waiting_;
  std::uint64_t sent_ = 0;
  bool is_out_ = false;  // the last one that was sent, and within its patience
  bool is_paused_ = false;
  LoopHandle deadline_;
  LoopHandle pause_end_;
};

}  // namespace callpark::leg
