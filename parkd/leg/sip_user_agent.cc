#include "parkd/leg/sip_user_agent.h"

#include "base/random.h"
#include "kamailio_protocol/headers.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/incoming_request.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/outgoing_invite.h"
#include "parkd/leg/sent_cseq.h"
#include "parkd/leg/unproven_sender.h"
#include "parkd/message/characters.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

constexpr std::size_t kEarlyRequestsMax = 10000;

// RFC 3261 8.2.2.3; the value of Unsupported, empty if all that is required is understood. Replaces is: a phone that
// picks up what its lamp shows names a dialog, but the orbit that it dials decides which call it gets, unless the
// dialog is one of parkd's.
std::string unsupported_options(const sip::SipMessage& request) {
  std::string unsupported;
  for (const std::string_view option : request.all_headers(sip::HeaderName::kRequire)) {
    if (sip::same_ignoring_case(option, "timer") || sip::same_ignoring_case(option, "replaces")) continue;
    unsupported += (unsupported.empty() ? "" : ", ") + std::string(option);
  }
  return unsupported;
}

}  // namespace

SipUserAgent::SipUserAgent(UserAgent agent)
    : agent_(std::move(agent)),
      roles_(agent_),
      calls_(agent_, roles_, call_table_, conversation_table_, listeners_),
      conversations_(agent_, roles_, call_table_, conversation_table_, listeners_),
      referrals_(agent_, roles_, conversation_table_, listeners_) {}

SipUserAgent::~SipUserAgent() {
  conversation_table_.clear();  // what the legs report from here on is about nothing
  call_table_.abandon_all();
  roles_.abandon_all();
}

// Until the rows are read the dialog's conversation is not known; a 481 would end it. REFERs are refused at once, since
// Kamailio waits for them for seconds only.
bool SipUserAgent::keep_for_later(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (ready_ || request.to_tag().empty() || request.method() == sip::method::kRefer) return false;
  if (early_requests_.size() >= kEarlyRequestsMax) {
    respond(key, request, 500);
  } else {
    early_requests_.emplace_back(key, request);
  }
  return true;
}

void SipUserAgent::set_ready() {
  ready_ = true;
  for (const auto& [key, request] : std::exchange(early_requests_, {})) on_request(key, request, {});
}

void SipUserAgent::respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status,
                           std::string_view reason) {
  agent_.transactions.respond(key, sip::make_response(request, status, reason, random_token(kTagLength)));
}

void SipUserAgent::respond_with_capabilities(sip::ServerTransactionKey key, const sip::SipMessage& request,
                                             int status) {
  sip::SipMessage response = sip::make_response(request, status, {}, random_token(kTagLength));
  write_capabilities(response);
  agent_.transactions.respond(key, response);
}

void SipUserAgent::on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint&) {
  if (keep_for_later(key, request)) return;
  const std::string unsupported = unsupported_options(request);
  // A BYE counts whatever it requires: its sender has left.
  if (!unsupported.empty() && request.method() != sip::method::kBye) {
    sip::SipMessage response = sip::make_response(request, 420, {}, random_token(kTagLength));
    response.set_header(sip::HeaderName::kUnsupported, unsupported);
    return agent_.transactions.respond(key, response);
  }
  const DialogRoles::Entry* found = request.to_tag().empty() ? nullptr : roles_.find_for(request);
  if (!found) return on_request_outside(key, request);
  const LegPtr leg = found->leg;
  if (is_from_stranger(request, leg->dialog())) return respond(key, request, 403, "Not A Party Of This Call");
  leg->read_implied_ack(request);
  found = roles_.find_for(request);
  if (!found) return leg->refuse(key, request, 481);
  const DialogRoles::Entry entry = *found;  // what follows may close it
  if (entry.leg->accept(key, request)) on_request_inside(entry, key, request);
}

void SipUserAgent::on_request_outside(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string_view method = request.method();
  if (!request.to_tag().empty()) {
    return method == sip::method::kRefer ? on_refer_in_foreign_dialog(key, request) : respond(key, request, 481);
  }
  if (method == sip::method::kInvite) {
    return ready_ ? calls_.on_invite(key, request) : respond(key, request, 503);
  }
  if (method == sip::method::kOptions) return respond_with_capabilities(key, request, ready_ ? 200 : 503);
  respond_with_capabilities(key, request, 405);
}

void SipUserAgent::on_refer_in_foreign_dialog(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (!sender_of(request)) return respond(key, request, 481);
  if (!ready_) return respond(key, request, 503);
  referrals_.on_refer_outside(key, request);
}

void SipUserAgent::on_ack(const sip::SipMessage& ack, const sip::Endpoint&) {
  if (const auto* found = roles_.find_for(ack)) {
    const LegPtr leg = found->leg;
    const auto* call = std::get_if<CallRole>(&found->role);
    if (call && ack.header(kamailio_protocol::kCancelled)) calls_.note_cancelled(call->call);
    leg->on_ack(ack);
  }
}

void SipUserAgent::on_cancel(sip::ServerTransactionKey invite) {
  calls_.on_cancel(invite);
}

void SipUserAgent::on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) {
  // Each leg has a deadline of its own for what it waits for.
}

// parkd was killed after its re-INVITE: the agreement counts, only the ACK is missing.
void SipUserAgent::on_stray_2xx(const sip::SipMessage& response) {
  const std::uint32_t cseq = response.cseq().number;
  if (const auto* found = roles_.find_for(response)) {
    return agent_.transactions.send_ack(sip::make_ack_for_2xx(found->leg->dialog(), cseq_as_sent(response)),
                                        agent_.kamailio);
  }
  // A phone has answered a call that an earlier parkd has made: there is nothing at the other end. Of a re-INVITE, the
  // dialog may be one that another node has adopted.
  if (!ready_ || cseq != kFirstCseq || !response.contact()) return;
  auto dialog = sip::from_outgoing_invite(response, response);
  if (!dialog) return;
  agent_.transactions.send_ack(sip::make_ack_for_2xx(*dialog, count_as_sent(*dialog, response)), agent_.kamailio);
  std::make_shared<DialogLeg>(agent_, *std::move(dialog), CallIdOwner::kWe)->bye();
}

// ---- within a dialog ----

void SipUserAgent::on_request_inside(const DialogRoles::Entry& entry, sip::ServerTransactionKey key,
                                     const sip::SipMessage& request) {
  const std::string_view method = request.method();
  if (method == sip::method::kBye) return on_bye(entry, key, request);
  if (method == sip::method::kInvite || method == sip::method::kUpdate) return on_offer(entry, key, request);
  if (method == sip::method::kRefer) return on_refer_inside(entry, key, request);
  if (const auto* party = std::get_if<PartyRole>(&entry.role)) {
    return conversation_table_.at(party->conversation).on_plain_request(party->end, key, request);
  }
  const auto* call = std::get_if<CallRole>(&entry.role);
  if (call && method == sip::method::kInfo) return calls_.on_info(call->call, *entry.leg, key, request);
  answer_plain_request(*entry.leg, key, request);
}

void SipUserAgent::on_bye(const DialogRoles::Entry& entry, sip::ServerTransactionKey key,
                          const sip::SipMessage& request) {
  entry.leg->refuse(key, request, 200);
  entry.leg->abandon();
  if (const auto* party = std::get_if<PartyRole>(&entry.role)) {
    return listeners_.conversations->on_party_gone(party->conversation, party->end);
  }
  // That of a parker under consideration is reported when the half becomes a party.
  if (const auto* call = std::get_if<CallRole>(&entry.role)) calls_.on_bye(call->call);
}

void SipUserAgent::on_offer(const DialogRoles::Entry& entry, sip::ServerTransactionKey key,
                            const sip::SipMessage& request) {
  // RFC 3311 5.2: without an offer it waits for no other.
  if (request.method() == sip::method::kUpdate && sip::session_description(request).empty()) {
    return entry.leg->answer(key, request, std::nullopt, {});
  }
  // RFC 3261 14.2: an INVITE of parkd's is out.
  if (entry.leg->is_negotiating()) return entry.leg->refuse(key, request, 491);
  if (const auto* call = std::get_if<CallRole>(&entry.role)) {
    return call_table_.at(call->call).on_offer(key, request);
  }
  if (const auto* party = std::get_if<PartyRole>(&entry.role)) {
    return conversation_table_.at(party->conversation).on_offer(party->end, key, request);
  }
  entry.leg->refuse(key, request, 491);
}

void SipUserAgent::on_refer_inside(const DialogRoles::Entry& entry, sip::ServerTransactionKey key,
                                   const sip::SipMessage& request) {
  DialogRole role = entry.role;
  // Two workers of Kamailio may pass on a retriever's ACK behind its REFER.
  if (std::holds_alternative<CallRole>(role)) {
    entry.leg->assume_acknowledged();
    if (const auto* now = roles_.find_for(request)) role = now->role;
  }
  const auto* party = std::get_if<PartyRole>(&role);
  if (!party) return entry.leg->refuse(key, request, 603);
  referrals_.on_refer_of_party(entry.leg, *party, key, request);
}

}  // namespace callpark::leg
