#include "parkd/leg/party_watch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace callpark::leg {
namespace {

constexpr Duration kAgainAfter{60000};
// While signalling is broken, a talk goes on: a phone without its connection is reachable when it registers again,
// which may be an hour later.
constexpr int kPatienceIfUnreachable = 6;

// Kamailio answers 408 for a party that does not answer, and these if nothing could be sent to it.
bool is_silent(int status) {
  return status == 408;
}
bool is_unreachable(int status) {
  return status == 430 || status == 477 || status == 480;
}

}  // namespace

PartyWatch::PartyWatch(UserAgent& agent, LegPtr leg, std::function<void()> on_gone)
    : agent_(agent), leg_(std::move(leg)), on_gone_(std::move(on_gone)) {
  // Not all calls of a node at once.
  const auto half = static_cast<std::uint64_t>(agent_.ask_talking.count()) / 2;
  ask_after(agent_.ask_talking / 2 + Duration(static_cast<int>(random_below(half + 1))));
}

void PartyWatch::ask_after(Duration delay) {
  timer_ = agent_.loop.after(delay, [this] { ask(); });
}

void PartyWatch::ask() {
  if (leg_->is_closed()) return;
  if (leg_->has_session_timer()) return ask_after(agent_.ask_talking);
  const std::weak_ptr<bool> alive = alive_;
  const auto if_alive = [this, alive](int status) {
    if (!alive.expired()) on_answer(status);
  };
  leg_->send(sip::method::kOptions, {},
             {[if_alive](const sip::SipMessage& response) {
                if (response.status() >= 200) if_alive(response.status());
              },
              // Kamailio is away, which shows nothing about the party.
              [if_alive](sip::ClientFailure) { if_alive(0); }});
}

void PartyWatch::on_answer(int status) {
  if (leg_->is_closed()) return;
  const MonotonicTime now = monotonic_now();
  if (!is_silent(status) && !is_unreachable(status) && status != 481) {
    if (status != 0) unreachable_since_.reset();
    return ask_after(agent_.ask_talking);
  }
  if (!unreachable_since_) unreachable_since_ = now;
  const Duration patience = agent_.ask_talking * (is_silent(status) ? 1 : kPatienceIfUnreachable);
  if (status != 481 && now - *unreachable_since_ < patience) {
    return ask_after(std::min(kAgainAfter, agent_.ask_talking));
  }
  log_warning(leg_->dialog().id.call_id, "a talking party is gone: {} to each OPTIONS", status);
  const auto gone = std::exchange(on_gone_, {});
  if (gone) gone();
}

}  // namespace callpark::leg
