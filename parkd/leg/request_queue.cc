#include "parkd/leg/request_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace callpark::leg {
namespace {

constexpr std::size_t kWaitingMax = 64;

}  // namespace

RequestQueue::RequestQueue(EventLoop& loop, Duration patience, Transmit transmit, std::function<void()> on_free)
    : loop_(loop), patience_(patience), transmit_(std::move(transmit)), on_free_(std::move(on_free)) {}

void RequestQueue::push(Request request) {
  if (waiting_.size() >= kWaitingMax && request.handlers.on_failure) {
    return request.handlers.on_failure(sip::ClientFailure::kTransportError);
  }
  waiting_.push_back(std::move(request));
  send_next();
}

void RequestQueue::pause() {
  is_paused_ = true;
  pause_end_ = loop_.after(patience_, [this] { resume(); });
}

void RequestQueue::resume() {
  pause_end_.reset();
  is_paused_ = false;
  send_next();
}

void RequestQueue::send_next() {
  if (is_out_ || is_paused_ || waiting_.empty()) return;
  Request request = std::move(waiting_.front());
  waiting_.pop_front();
  is_out_ = true;
  const std::uint64_t number = ++sent_;
  deadline_ = loop_.after(patience_, [this] { let_pass(); });
  // A handler may send the next one, which waits until this one is done.
  request.handlers = {
      [this, number, handle = std::move(request.handlers.on_response)](const sip::SipMessage& response) {
        if (handle) handle(response);
        if (response.status() >= 200) on_done(number);
      },
      [this, number, handle = std::move(request.handlers.on_failure)](sip::ClientFailure failure) {
        if (handle) handle(failure);
        on_done(number);
      }};
  transmit_(std::move(request));
}

// An answer that comes late is that of a request that others have passed already.
void RequestQueue::on_done(std::uint64_t request) {
  if (request == sent_ && is_out_) let_pass();
}

void RequestQueue::let_pass() {
  deadline_.reset();
  is_out_ = false;
  send_next();
  if (!is_out_) on_free_();
}

void RequestQueue::flush(std::string_view method) {
  const auto end = std::stable_partition(waiting_.begin(), waiting_.end(),
                                         [method](const Request& one) { return one.method == method; });
  std::deque<Request> flushed(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  for (Request& request : flushed) transmit_(std::move(request));
}

void RequestQueue::drop_all_but(std::string_view method) {
  const auto end = std::stable_partition(waiting_.begin(), waiting_.end(),
                                         [method](const Request& one) { return one.method == method; });
  const std::deque<Request> dropped(std::make_move_iterator(end), std::make_move_iterator(waiting_.end()));
  waiting_.erase(end, waiting_.end());
  for (const Request& request : dropped) {
    if (request.handlers.on_failure) request.handlers.on_failure(sip::ClientFailure::kTransportError);
  }
}

}  // namespace callpark::leg
