#include "parkd/leg/dialog_leg.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/dialog_snapshot.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

constexpr int kOfferAttemptsMax = 4;
constexpr Duration kRefreshRetry{10000};
// A 500 to a re-INVITE mostly means that the other side has seen a higher CSeq than Kamailio knew of.
constexpr std::uint32_t kCseqLeap = 1000;

// RFC 3261 14.1, in its units of 10 ms.
Duration glare_wait(CallIdOwner owner) {
  return owner == CallIdOwner::kWe ? Duration(2100 + 10 * static_cast<int>(random_below(191)))
                                   : Duration(10 * static_cast<int>(random_below(201)));
}

std::optional<sip::Sdp> parse_body(const sip::SipMessage& message) {
  auto sdp = sip::parse_sdp(sip::session_description(message));
  if (!sdp) return std::nullopt;
  return *std::move(sdp);
}

}  // namespace

void write_capabilities(sip::SipMessage& message) {
  message.set_header("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER, NOTIFY");
  message.set_header("Supported", "timer");
}

DialogLeg::DialogLeg(UserAgent& agent, sip::DialogState dialog, CallIdOwner owner)
    : agent_(agent), dialog_(std::move(dialog)), owner_(owner), contact_(agent.contact) {}

std::shared_ptr<DialogLeg> DialogLeg::from_snapshot(UserAgent& agent, const DialogSnapshot& snapshot, CallIdOwner owner,
                                                    std::uint32_t cseq_gap) {
  sip::DialogState dialog = dialog_of(snapshot);
  dialog.local_cseq += cseq_gap;
  auto leg = std::make_shared<DialogLeg>(agent, std::move(dialog), owner);
  leg->is_ours_ = false;
  leg->remote_identity_ = snapshot.remote_identity;
  leg->remote_aor_ = snapshot.remote_aor;
  leg->local_sdp_ = read_sdp_digest(snapshot.local_sdp);
  leg->remote_sdp_ = read_sdp_digest(snapshot.remote_sdp);
  return leg;
}

DialogSnapshot DialogLeg::snapshot() const {
  DialogSnapshot snapshot = snapshot_of(dialog_, local_sdp_ ? sip::write_sdp(*local_sdp_) : "",
                                        remote_sdp_ ? sip::write_sdp(*remote_sdp_) : "");
  snapshot.remote_identity = remote_identity_;
  snapshot.remote_aor = remote_aor_;
  return snapshot;
}

void DialogLeg::write_who_and_what(sip::SipMessage& message) const {
  write_capabilities(message);
  if (shown_) write_connected_identity(message, shown_->who, shown_->domain);
}

void DialogLeg::show_in_from() {
  if (closed_ || !shown_) return;
  const sip::NameAddr address = shown_address(shown_->who, shown_->domain);
  dialog_.local_uri = address.uri.to_string();
  dialog_.local_display = address.display;
  refresh_by_update([](const sip::SipMessage&) {});
}

void DialogLeg::probe() {
  // Not all of a node's calls at once.
  const Duration wait(1000 + static_cast<int>(random_below(4000)));
  probe_ = agent_.loop.after(wait, [this, self = shared_from_this()] {
    refresh_by_update([self](const sip::SipMessage& response) {
      // Whoever does not know UPDATE, or cannot be reached at the moment, may be there all the same.
      if (response.status() == 481) self->die();
    });
  });
}

void DialogLeg::refresh_by_update(std::function<void(const sip::SipMessage& response)> refused) {
  send(sip::method::kUpdate,
       [this](sip::SipMessage& update) {
         write_who_and_what(update);
         // RFC 4028 7.2: it is a session refresh, and without the timer it would end it.
         offer_session_timer(update, session_timer_);
       },
       {[self = shared_from_this(), refused = std::move(refused)](const sip::SipMessage& response) {
          if (self->closed_ || response.status() < 200) return;
          if (response.status() >= 300) return refused(response);
          self->keep_session_timer(read_session_timer(response));
        },
        {}});
}

void DialogLeg::write_said_with_answer(sip::SipMessage& response) {
  if (said_with_answer_) response.set_header(said_with_answer_->first, said_with_answer_->second);
  said_with_answer_.reset();
}

void DialogLeg::set_remote_sdp(sip::Sdp sdp) {
  const bool was_held = is_held_by_remote();
  remote_sdp_ = std::move(sdp);
  if (!was_held && is_held_by_remote()) held_at_ = wall_now();
}

bool DialogLeg::is_held_by_remote() const {
  if (!remote_sdp_) return false;
  const sip::SdpMedia* line = sip::audio(*remote_sdp_);
  return line && sip::is_hold(*remote_sdp_, *line);
}

// ---- our re-INVITE ----

void DialogLeg::offer(OfferMaker make, OnOffered done) {
  if (closed_) return done(Outcome::kGone, nullptr, nullptr);
  auto replaced = std::exchange(next_, Offering{std::move(make), std::move(done), 0});
  start_offering();
  if (replaced) replaced->done(Outcome::kRefused, nullptr, nullptr);
}

bool DialogLeg::is_negotiating() const {
  return inviting_ || considered_ || unacknowledged_;
}

void DialogLeg::start_offering() {
  if (closed_ || is_negotiating()) return;
  if (next_) {
    // One that waits to be tried again is replaced, but its waiting time after a 491 stands.
    auto replaced = std::exchange(current_, std::exchange(next_, std::nullopt));
    if (replaced) {
      current_->attempts = replaced->attempts;
      replaced->done(Outcome::kRefused, nullptr, nullptr);
    }
  }
  if (current_ && !inviting_ && !retry_) send_invite();
}

void DialogLeg::send_invite() {
  ++current_->attempts;
  sip::SipMessage invite = sip::make_request_in(dialog_, sip::method::kInvite, contact_);
  auto sdp = std::make_shared<const sip::Sdp>(current_->make());
  write_who_and_what(invite);
  offer_session_timer(invite, session_timer_);
  invite.set_body(sip::kSdpType, sip::write_sdp(*sdp));
  const std::uint32_t cseq = dialog_.local_cseq;
  inviting_ = cseq;
  // The transaction keeps the leg: a 2xx must be acknowledged even when nobody wants the dialog any more.
  const auto key = agent_.transactions.send_request(
      std::move(invite), agent_.kamailio,
      {[self = shared_from_this(), cseq, sdp](const sip::SipMessage& response) {
         self->on_invite_response(cseq, sdp, response);
       },
       [self = shared_from_this()](sip::ClientFailure) { self->on_invite_failure(); }});
  // RFC 3261 17.1.1.2 lets an INVITE ring for ever. Nobody rings in the middle of a call; but a proxy may die between
  // its 100 and the final answer.
  answer_deadline_ = agent_.loop.after(64 * agent_.timers.t1, [this, key] { agent_.transactions.cancel(key); });
}

void DialogLeg::on_invite_response(std::uint32_t cseq, const std::shared_ptr<const sip::Sdp>& offer,
                                   const sip::SipMessage& response) {
  if (response.status() < 200) return;
  if (response.status() < 300) {
    const bool is_copy = inviting_ != cseq;
    is_ours_ = true;
    if (!is_copy) sip::refresh_target(dialog_, response);
    agent_.transactions.send_ack(sip::make_ack_for_2xx(dialog_, cseq), agent_.kamailio);
    if (is_copy || closed_) return;
    local_sdp_ = *offer;
    std::optional<sip::Sdp> answer = parse_body(response);
    keep_session_timer(read_session_timer(response));
    if (!answer) return conclude(Outcome::kUnusable);
    set_remote_sdp(*answer);
    return conclude(Outcome::kAccepted, offer.get(), &*answer);
  }
  if (!closed_) on_invite_refused(response);
}

void DialogLeg::on_invite_refused(const sip::SipMessage& response) {
  const bool may_try_again = current_->attempts < kOfferAttemptsMax;
  switch (response.status()) {
    // RFC 3261 12.2.1.2 and 14.1: the dialog is over. Not one that is still another's: he may yet be heard there.
    case 408:
      if (!is_ours_) break;
      send_bye();
      return conclude(Outcome::kGone);
    case 481:
      return conclude(Outcome::kGone);
    case 491:
      if (may_try_again) return try_again_after(glare_wait(owner_));
      break;
    case 500:
      if (may_try_again) {
        dialog_.local_cseq += kCseqLeap;
        return try_again_after(Duration(0));
      }
      break;
    case 422:
      if (const auto raised = session_timer_ ? raised_by_422(response, *session_timer_) : std::nullopt;
          raised && may_try_again) {
        session_timer_ = raised;
        return try_again_after(Duration(0));
      }
      break;
    default:
      break;
  }
  log_info(dialog_.id.call_id, "re-INVITE refused: {} {}", response.status(), response.reason());
  conclude(Outcome::kRefused);
}

// The proxy says 408 of a party that it cannot reach; that the proxy is away says nothing about the party.
void DialogLeg::on_invite_failure() {
  if (closed_) return;
  log_warning(dialog_.id.call_id, "re-INVITE was not answered, the proxy is away");
  conclude(Outcome::kRefused);
}

void DialogLeg::try_again_after(Duration delay) {
  inviting_.reset();
  answer_deadline_.reset();
  retry_ = agent_.loop.after(delay, [this, self = shared_from_this()] {
    retry_.reset();
    start_offering();
  });
}

void DialogLeg::conclude(Outcome outcome, const sip::Sdp* offer, const sip::Sdp* answer) {
  inviting_.reset();
  answer_deadline_.reset();
  const Offering offering = *std::exchange(current_, std::nullopt);
  const auto self = shared_from_this();
  offering.done(outcome, offer, answer);
  if (outcome == Outcome::kGone) return die();
  start_offering();
}

// ---- their INVITE ----

bool DialogLeg::accept(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (closed_) {
    // Our BYE and theirs may cross.
    refuse(key, request, request.method() == sip::method::kBye ? 200 : 481);
    return false;
  }
  if (!sip::accept_cseq(dialog_, request)) {
    // The parker's proxy-side CSeq may be ahead of what is true (we have sent as this party): ending is always allowed.
    if (request.method() == sip::method::kBye) return true;
    refuse(key, request, 500);
    return false;
  }
  sip::refresh_target(dialog_, request);
  return true;
}

void DialogLeg::answer(sip::ServerTransactionKey key, const sip::SipMessage& request,
                       const std::optional<sip::Sdp>& sdp, OnAcknowledged acknowledged) {
  if (considered_ == key) considered_.reset();
  // RFC 3261 15.1.2: what is pending when the dialog ends.
  if (closed_) return refuse(key, request, 487);
  const auto timer = answer_session_timer(request);
  if (!timer) {
    agent_.transactions.respond(key, make_interval_too_small(request, timer.error(), dialog_.id.local_tag));
    return start_offering();
  }
  sip::SipMessage response = sip::make_response(request, 200, {}, dialog_.id.local_tag);
  sip::copy_record_route(request, response);
  response.set_header(sip::HeaderName::kContact, contact_);
  write_who_and_what(response);
  write_session_timer(response, *timer, request);
  write_said_with_answer(response);
  keep_session_timer(*timer);
  if (sdp) {
    local_sdp_ = *sdp;
    response.set_body(sip::kSdpType, sip::write_sdp(*sdp));
  }
  agent_.transactions.respond(key, response);
  if (request.method() != sip::method::kInvite) return start_offering();
  unacknowledged_.emplace(Unacknowledged{request.cseq().number,
                                         sip::session_description(request).empty(),
                                         key,
                                         std::move(response),
                                         agent_.timers.t1,
                                         std::move(acknowledged),
                                         {},
                                         {}});
  unacknowledged_->retransmission =
      agent_.loop.after(unacknowledged_->interval, [this, self = shared_from_this()] { retransmit(); });
  unacknowledged_->deadline =
      agent_.loop.after(64 * agent_.timers.t1, [this, self = shared_from_this()] { on_never_acknowledged(); });
}

// RFC 3261 13.3.1.4: T1, doubling up to T2, over any transport.
void DialogLeg::retransmit() {
  if (!unacknowledged_) return;
  agent_.transactions.respond(unacknowledged_->key, unacknowledged_->response);
  unacknowledged_->interval = std::min(2 * unacknowledged_->interval, agent_.timers.t2);
  unacknowledged_->retransmission =
      agent_.loop.after(unacknowledged_->interval, [this, self = shared_from_this()] { retransmit(); });
}

void DialogLeg::on_never_acknowledged() {
  if (!unacknowledged_) return;
  const OnAcknowledged acknowledged = std::exchange(unacknowledged_, std::nullopt)->acknowledged;
  log_warning(dialog_.id.call_id, "our 200 was never acknowledged");
  if (closed_) return leave();
  const auto self = shared_from_this();
  send_bye();
  die();
  if (acknowledged.lost) acknowledged.lost();
}

void DialogLeg::on_ack(const sip::SipMessage& ack) {
  if (unacknowledged_ && ack.cseq().number == unacknowledged_->cseq) take_as_acknowledged(parse_body(ack));
}

void DialogLeg::take_as_acknowledged(const std::optional<sip::Sdp>& answer) {
  if (!unacknowledged_) return;
  const OnAcknowledged acknowledged = std::exchange(unacknowledged_, std::nullopt)->acknowledged;
  if (closed_) return leave();
  const auto self = shared_from_this();
  if (acknowledged.confirmed) acknowledged.confirmed(answer ? &*answer : nullptr);
  start_offering();
}

// RFC 3261 14.1: nobody sends an INVITE before his last one is through, so he has our 200. Two workers of Kamailio may
// pass his ACK and this one on in the other order.
void DialogLeg::take_next_invite_as_ack(const sip::SipMessage& request) {
  if (!unacknowledged_ || unacknowledged_->brings_answer || request.method() != sip::method::kInvite) return;
  if (request.cseq().number > unacknowledged_->cseq) take_as_acknowledged();
}

void DialogLeg::refuse(sip::ServerTransactionKey key, const sip::SipMessage& request, int status,
                       std::string_view reason) {
  sip::SipMessage response = sip::make_response(request, status, reason, dialog_.id.local_tag);
  // RFC 3261 14.2: so that a 500 is tried again.
  if (status == 500) response.set_header(sip::HeaderName::kRetryAfter, std::to_string(random_below(11)));
  write_said_with_answer(response);
  agent_.transactions.respond(key, response);
  if (considered_ == key) {
    considered_.reset();
    start_offering();
  }
}

// ---- other requests ----

void DialogLeg::send(std::string_view method, const std::function<void(sip::SipMessage&)>& fill,
                     sip::ClientHandlers handlers) {
  sip::SipMessage request = sip::make_request_in(dialog_, method, contact_);
  if (fill) fill(request);
  agent_.transactions.send_request(std::move(request), agent_.kamailio, std::move(handlers));
}

void DialogLeg::bye() {
  if (closed_) return;
  close();
  if (unacknowledged_) {
    bye_when_acknowledged_ = true;
  } else {
    send_bye();
  }
}

void DialogLeg::send_bye() {
  send(sip::method::kBye, {}, {});
}

void DialogLeg::leave() {
  if (!std::exchange(bye_when_acknowledged_, false)) return;
  send_bye();
  if (const auto done = std::exchange(on_left_, {})) done();
}

void DialogLeg::close() {
  closed_ = true;
  retry_.reset();
  refresh_.reset();
  expiry_.reset();
  probe_.reset();
  on_gone_ = {};
  on_media_changed_ = {};
  const auto self = shared_from_this();
  for (auto* offering : {&current_, &next_}) {
    if (auto dropped = std::exchange(*offering, std::nullopt)) dropped->done(Outcome::kGone, nullptr, nullptr);
  }
}

void DialogLeg::abandon() {
  unacknowledged_.reset();
  bye_when_acknowledged_ = false;
  on_left_ = {};
  close();
}

void DialogLeg::keep_session_timer(const std::optional<SessionTimer>& timer) {
  session_timer_ = timer;
  refresh_.reset();
  expiry_.reset();
  if (!timer) return;
  if (const auto refresh = refresh_after(*timer)) refresh_session_after(*refresh);
  expiry_ = agent_.loop.after(end_after(*timer), [this, self = shared_from_this()] {
    log_warning(dialog_.id.call_id, "the session timer ran out");
    send_bye();
    die();
  });
}

// What is refused is tried again until the timer runs out; any re-INVITE that is accepted starts it anew.
void DialogLeg::refresh_session_after(Duration delay) {
  refresh_ = agent_.loop.after(delay, [this, self = shared_from_this()] {
    refresh_session_after(kRefreshRetry);
    if (current_ || next_ || !local_sdp_) return;
    offer([this] { return *local_sdp_; },
          [this, self, before = remote_sdp_](Outcome outcome, const sip::Sdp*, const sip::Sdp* answer) {
            const bool changed = outcome == Outcome::kAccepted && (!before || !is_heard_alike(*before, *answer));
            if (changed && on_media_changed_) on_media_changed_();
          });
  });
}

void DialogLeg::die() {
  const auto on_gone = std::exchange(on_gone_, {});
  close();
  if (on_gone) on_gone();
}

}  // namespace callpark::leg
