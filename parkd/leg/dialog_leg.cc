#include "parkd/leg/dialog_leg.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/sent_cseq.h"

namespace callpark::leg {
namespace {

// A 500 mostly means that the remote side has seen a higher CSeq than Kamailio knew of.
constexpr std::uint32_t kCseqLeap = 1000;

}  // namespace

DialogLeg::DialogLeg(UserAgent& agent, DialogFacts facts, CallIdOwner owner)
    : DialogFacts(std::move(facts)),
      agent_(agent),
      owner_(owner),
      requests_(
          agent.loop, agent.timers.t2, [this](RequestQueue::Request request) { transmit(std::move(request)); },
          [this] { start_offering(); }),
      session_(agent.loop) {}

LegPtr DialogLeg::from_snapshot(UserAgent& agent, const DialogSnapshot& snapshot, CallIdOwner owner,
                                std::uint32_t cseq_gap, std::uint64_t version_gap) {
  auto leg = std::make_shared<DialogLeg>(agent, DialogFacts(snapshot, cseq_gap, version_gap, agent.contact), owner);
  leg->is_ours_ = false;
  leg->knows_own_media_ = false;
  leg->session_.assume(agreed_in(snapshot));
  return leg;
}

// ---- parkd's re-INVITE ----

void DialogLeg::offer(OfferMaker make, OnOffered done) {
  if (closed_) return done(OfferOutcome::kGone, nullptr, nullptr);
  offers_.put(std::move(make), std::move(done), [this] { start_offering(); });
}

bool DialogLeg::is_negotiating() const {
  return inviting_ || considered_ || unacknowledged_;
}

void DialogLeg::start_offering() {
  if (closed_ || is_negotiating()) return;
  if (!offers_.next() || inviting_ || retry_) return;
  if (!requests_.is_busy()) return send_invite();
  // A remote side that never answers the request before must not keep a hold or a retrieve back.
  if (turn_deadline_) return;
  turn_deadline_ = agent_.loop.after(agent_.timers.t2, [this, self = shared_from_this()] {
    turn_deadline_.reset();
    if (!is_negotiating() && !retry_ && offers_.current()) send_invite();
  });
}

void DialogLeg::send_invite() {
  turn_deadline_.reset();
  OfferQueue::Offering& offering = *offers_.current();
  ++offering.attempts;
  auto sdp = std::make_shared<const sip::Sdp>(next_description(offering.make()));
  sip::SipMessage invite = make_reinvite(*sdp, session_.agreed());
  const std::uint32_t cseq = dialog().local_cseq;
  inviting_ = cseq;
  requests_.pause();
  // The transaction keeps the leg: a 2xx must be acknowledged even when the dialog is of no use any more.
  const auto key = agent_.transactions.send_request(
      std::move(invite), agent_.kamailio,
      {[self = shared_from_this(), cseq, sdp](const sip::SipMessage& response) {
         self->on_invite_response(cseq, sdp, response);
       },
       [self = shared_from_this()](sip::ClientFailure) { self->on_invite_failure(); }});
  // RFC 3261 17.1.1.2 lets an INVITE ring for ever. No phone rings in the middle of a call; but a proxy may die between
  // its 100 and the final answer.
  answer_deadline_ = agent_.loop.after(64 * agent_.timers.t1, [this, key] { agent_.transactions.cancel(key); });
}

void DialogLeg::on_invite_response(std::uint32_t cseq, const std::shared_ptr<const sip::Sdp>& offer,
                                   const sip::SipMessage& response) {
  if (response.status() < 200) return;
  const bool is_copy = inviting_ != cseq;
  const std::uint32_t sent = count_as_sent(mutable_dialog(), response);
  if (response.status() < 300) {
    is_ours_ = true;
    if (!is_copy) sip::refresh_target(mutable_dialog(), response);
    note_allow(response);
    agent_.transactions.send_ack(sip::make_ack_for_2xx(dialog(), sent), agent_.kamailio);
  }
  if (is_copy) return;
  end_invite();
  if (closed_) return;
  if (response.status() >= 300) return on_invite_refused(response);
  set_local_sdp(*offer);
  knows_own_media_ = true;
  const std::optional<sip::Sdp> answer = description_in(response);
  keep_session_timer(read_session_timer(response));
  if (!answer) return conclude(OfferOutcome::kUnusable);
  set_remote_sdp(*answer);
  conclude(OfferOutcome::kAccepted, offer.get(), &*answer);
}

void DialogLeg::on_invite_refused(const sip::SipMessage& response) {
  switch (after_refusal(response.status(), offers_.may_try_again(), is_ours_)) {
    case AfterRefusal::kHangUp:
      send_bye();
      [[fallthrough]];
    case AfterRefusal::kDialogOver:
      return conclude(OfferOutcome::kGone);
    case AfterRefusal::kTryAfterGlare:
      return try_again_after(glare_wait(owner_));
    case AfterRefusal::kTryHigherCSeq:
      mutable_dialog().local_cseq += kCseqLeap;
      return try_again_after(Duration(0));
    case AfterRefusal::kTryLongerInterval:
      if (const auto raised = session_.agreed() ? raised_by_422(response, *session_.agreed()) : std::nullopt) {
        session_.assume(*raised);
        return try_again_after(Duration(0));
      }
      break;
    case AfterRefusal::kKeepSession:
      break;
  }
  log_info(dialog().id.call_id, "re-INVITE refused: {} {}", response.status(), response.reason());
  conclude(outcome_of_refusal(response.status()));
}

// Kamailio answers 408 for a party that it cannot reach; a Kamailio that is away shows nothing about the party.
void DialogLeg::on_invite_failure() {
  end_invite();
  if (closed_) return;
  log_warning(dialog().id.call_id, "re-INVITE was not answered, the proxy is away");
  conclude(OfferOutcome::kNotReached);
}

void DialogLeg::end_invite() {
  inviting_.reset();
  answer_deadline_.reset();
  requests_.resume();
}

void DialogLeg::try_again_after(Duration delay) {
  retry_ = agent_.loop.after(delay, [this, self = shared_from_this()] {
    retry_.reset();
    start_offering();
  });
}

void DialogLeg::conclude(OfferOutcome outcome, const sip::Sdp* offer, const sip::Sdp* answer) {
  const OfferQueue::Offering offering = offers_.take_current();
  const auto self = shared_from_this();
  offering.done(outcome, offer, answer);
  return outcome == OfferOutcome::kGone ? die() : start_offering();
}

// ---- requests of the remote side ----

bool DialogLeg::accept(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (closed_) {
    // parkd's BYE and that of the remote side may cross.
    refuse(key, request, request.method() == sip::method::kBye ? 200 : 481);
    return false;
  }
  if (!sip::accept_cseq(mutable_dialog(), request)) {
    // Kamailio's count may be ahead of the remote side, since parkd has sent requests as this party. A BYE always
    // counts.
    if (request.method() == sip::method::kBye) return true;
    refuse(key, request, 500);
    return false;
  }
  sip::refresh_target(mutable_dialog(), request);
  note_allow(request);
  return true;
}

void DialogLeg::answer(sip::ServerTransactionKey key, const sip::SipMessage& request,
                       const std::optional<sip::Sdp>& sdp, AckHandlers handlers) {
  if (considered_ == key) considered_.reset();
  // RFC 3261 15.1.2: what is pending when the dialog ends.
  if (closed_) return refuse(key, request, 487);
  const auto timer = answer_session_timer(request);
  if (!timer) {
    agent_.transactions.respond(key, make_interval_too_small(request, timer.error(), dialog().id.local_tag));
    return start_offering();
  }
  sip::SipMessage response = make_answer(request, sdp, *timer);
  knows_own_media_ = knows_own_media_ || sdp;
  write_next_header(response);
  keep_session_timer(*timer);
  agent_.transactions.respond(key, response);
  if (request.method() != sip::method::kInvite) return start_offering();
  unacknowledged_.emplace(agent_, key, request, std::move(response), std::move(handlers),
                          [this, self = shared_from_this()] { on_never_acknowledged(); });
}

void DialogLeg::on_never_acknowledged() {
  const auto lost = unacknowledged_->handlers().lost;
  unacknowledged_.reset();
  log_warning(dialog().id.call_id, "parkd's 200 was never acknowledged");
  if (closed_) return leave();
  send_bye();
  die();
  if (lost) lost();
}

void DialogLeg::on_ack(const sip::SipMessage& ack) {
  if (unacknowledged_ && unacknowledged_->is_answered_by(ack)) on_acknowledged(description_in(ack));
}

void DialogLeg::on_acknowledged(const std::optional<sip::Sdp>& answer) {
  if (!unacknowledged_) return;
  const auto confirmed = unacknowledged_->handlers().confirmed;
  const auto self = shared_from_this();
  unacknowledged_.reset();
  if (closed_) return leave();
  if (confirmed) confirmed(answer ? &*answer : nullptr);
  start_offering();
}

void DialogLeg::refuse(sip::ServerTransactionKey key, const sip::SipMessage& request, int status,
                       std::string_view reason) {
  sip::SipMessage response = sip::make_response(request, status, reason, dialog().id.local_tag);
  // RFC 3261 14.2: so that the request is tried again.
  if (status == 500) response.set_header(sip::HeaderName::kRetryAfter, std::to_string(random_below(11)));
  if (status == 503) write_retry(agent_, response);
  write_next_header(response);
  agent_.transactions.respond(key, response);
  if (considered_ == key) {
    considered_.reset();
    start_offering();
  }
}

// ---- parkd's other requests ----

void DialogLeg::send(std::string_view method, std::function<void(sip::SipMessage&)> fill,
                     sip::ClientHandlers handlers) {
  requests_.push({std::string(method), std::move(fill), std::move(handlers)});
}

// The transaction keeps the leg: its queue waits for the response.
void DialogLeg::transmit(RequestQueue::Request request) {
  sip::SipMessage message = sip::make_request_in(mutable_dialog(), request.method, contact());
  if (request.fill) request.fill(message);
  agent_.transactions.send_request(
      std::move(message), agent_.kamailio,
      {[self = shared_from_this(), handle = std::move(request.handlers.on_response)](const sip::SipMessage& response) {
         count_as_sent(self->mutable_dialog(), response);
         if (handle) handle(response);
       },
       [self = shared_from_this(), handle = std::move(request.handlers.on_failure)](sip::ClientFailure failure) {
         if (handle) handle(failure);
       }});
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

// A final NOTIFY that waits is sent before the BYE, behind which the remote side would answer it 481.
void DialogLeg::send_bye() {
  requests_.flush(sip::method::kNotify);
  const auto try_once_more = [this](const sip::SipMessage& response) {
    if (response.status() != 500) return;
    mutable_dialog().local_cseq += kCseqLeap;
    transmit({std::string(sip::method::kBye), {}, {}});
  };
  transmit({std::string(sip::method::kBye), {}, {try_once_more, {}}});
}

void DialogLeg::leave() {
  if (!std::exchange(bye_when_acknowledged_, false)) return;
  send_bye();
  if (const auto done = std::exchange(on_left_, {})) done();
}

void DialogLeg::close() {
  closed_ = true;
  for (LoopHandle* timer : {&retry_, &turn_deadline_, &probe_}) timer->reset();
  session_.stop();
  on_gone_ = {};
  on_media_changed_ = {};
  const auto self = shared_from_this();
  requests_.drop_all_but(sip::method::kNotify);
  offers_.close();
}

void DialogLeg::abandon() {
  unacknowledged_.reset();
  bye_when_acknowledged_ = false;
  on_left_ = {};
  close();
}

void DialogLeg::die() {
  const auto on_gone = std::exchange(on_gone_, {});
  close();
  if (on_gone) on_gone();
}

}  // namespace callpark::leg
