#include "parkd/leg/outgoing_call.h"

#include <algorithm>
#include <utility>

#include "kamailio_protocol/headers.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/latching.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/sent_cseq.h"

namespace callpark::leg {
namespace {

// More than Kamailio lets any one number ring: 300 s of a ring group's, 180 s of any other.
constexpr Duration kRingingMax{330000};

}  // namespace

OutgoingCall::OutgoingCall(UserAgent& agent, DialogRoles& roles, OutgoingInvite invite, Handlers handlers)
    : agent_(agent),
      roles_(roles),
      invite_(std::move(invite.message)),
      offer_(std::move(invite.offer)),
      tenant_(std::move(invite.tenant)),
      party_(std::move(invite.party)),
      media_(std::move(invite.media)),
      handlers_(std::move(handlers)) {}

void OutgoingCall::start() {
  key_ = agent_.transactions.send_request(
      invite_, agent_.kamailio,
      {[self = shared_from_this()](const sip::SipMessage& response) { self->on_response(response); },
       [self = shared_from_this()](sip::ClientFailure) { self->refuse(408); }});
  limit_ringing();
}

void OutgoingCall::refuse_soon(int status) {
  agent_.loop.post([self = shared_from_this(), status] { self->refuse(status); });
}

void OutgoingCall::abandon() {
  stage_ = Stage::kOver;
  deadline_.reset();
}

// RFC 3261 17.1.1.2 lets a call ring for ever, and Kamailio, which does not, may die meanwhile. Each number of a ring
// group that rings in its turn sends a provisional response.
void OutgoingCall::limit_ringing() {
  deadline_ = agent_.loop.after(kRingingMax, [this] { agent_.transactions.cancel(key_); });
}

void OutgoingCall::on_response(const sip::SipMessage& response) {
  if (response.status() >= 300) return refuse(response.status());
  if (response.status() >= 200) return on_2xx(response);
  if (response.status() > 100 && stage_ == Stage::kRinging) limit_ringing();
}

void OutgoingCall::refuse(int status) {
  if (stage_ != Stage::kRinging) return;
  stage_ = Stage::kOver;
  deadline_.reset();
  handlers_.refused(status);
}

bool OutgoingCall::is_repeated(const sip::DialogId& dialog) const {
  return std::find(answered_.begin(), answered_.end(), dialog) != answered_.end();
}

std::optional<MediaRemote> OutgoingCall::remote_in(const std::optional<sip::Sdp>& answer) const {
  if (!media_ || !answer) return std::nullopt;
  const auto remote = read_answer(offer_, *answer, agent_.own_sockets);
  return remote ? std::optional(*remote) : std::nullopt;
}

void OutgoingCall::on_2xx(const sip::SipMessage& response) {
  auto dialog = sip::from_outgoing_invite(invite_, response);
  if (!dialog) return refuse(502);
  sip::SipMessage ack = sip::make_ack_for_2xx(*dialog, count_as_sent(*dialog, response));
  if (is_repeated(dialog->id)) {
    const bool is_considered = unsent_ack_ && leg_->dialog().id == dialog->id;
    if (!is_considered) agent_.transactions.send_ack(std::move(ack), agent_.kamailio);
    return;
  }
  answered_.push_back(dialog->id);
  const auto answer = description_in(response);
  auto remote = remote_in(answer);
  if (remote) remote = with_latching(*remote, *dialog);
  const bool is_usable = media_ ? remote.has_value() : answer.has_value();
  auto leg = std::make_shared<DialogLeg>(agent_, *std::move(dialog), CallIdOwner::kWe);
  leg->note_called();
  if (stage_ != Stage::kRinging || !is_usable) {
    // Cancelled too late, a second phone that answered, or an answer that is none.
    agent_.transactions.send_ack(std::move(ack), agent_.kamailio);
    leg->bye();
    return refuse(488);
  }
  stage_ = Stage::kAnswered;
  deadline_.reset();
  leg_ = std::move(leg);
  leg_->note_allow(response);
  leg_->set_local_sdp(offer_);
  leg_->set_remote_sdp(*answer);
  // A ring group, a call flow or a Contact was called: the party that has answered has this number.
  if (const auto user = response.header(kamailio_protocol::kUser); user && !user->empty()) {
    party_ = party_of_number(tenant_, std::string(*user));
  }
  name_party(*leg_, identity_of_remote(*leg_), party_);
  unsent_ack_ = std::move(ack);
  if (media_) acknowledge();
  handlers_.answered(remote);
}

void OutgoingCall::acknowledge() {
  if (unsent_ack_) agent_.transactions.send_ack(*std::exchange(unsent_ack_, std::nullopt), agent_.kamailio);
}

Call::JoinOffer OutgoingCall::begin_join() {
  acknowledge();
  return {*leg_->remote_sdp(), false};
}

// The target was offered what the caller had described earlier, or mediad's media.
void OutgoingCall::become_peer_of(const DialogFacts& caller) {
  acknowledge();
  show_caller(caller, *leg_, party_);
  if (!caller.remote_sdp()) return;
  if (!is_heard_alike(offer_, *caller.remote_sdp())) return offer_media_of(caller, leg_);
  agree_on_numbers(caller, leg_);
}

void OutgoingCall::on_offer(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (!media_) return leg_->refuse(key, request, 491);
  answer_offer_with_media(agent_, *leg_, key, request, *media_, handlers_.media_changed);
}

void OutgoingCall::end(int, const std::string&) {
  const bool is_answered = stage_ == Stage::kAnswered;
  stage_ = Stage::kOver;
  deadline_.reset();
  if (!is_answered) return agent_.transactions.cancel(key_);
  acknowledge();
  leg_->bye();
  roles_.close(leg_);
}

}  // namespace callpark::leg
