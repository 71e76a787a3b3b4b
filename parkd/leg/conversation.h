// Two parties, each with a dialog of parkd's: a caller that hears music or is bridged with the peer. It needs no park.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "parkd/call/ids.h"
#include "parkd/call/media.h"
#include "parkd/call/party.h"
#include "parkd/leg/call.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/listeners.h"
#include "parkd/leg/party_watch.h"
#include "parkd/ports/conversations.h"

namespace callpark::leg {

/// Loop's thread only.
class Conversation final : public std::enable_shared_from_this<Conversation> {
 public:
  struct End {
    LegPtr leg = nullptr;
    Party party = Outside{};
    std::string device = {};  // source of the party's requests; "" if unknown
  };

  Conversation(ConversationId id, UserAgent& agent, DialogRoles& roles, const Listeners& listeners);

  ConversationId id() const { return id_; }
  const End& end(PartyEnd end) const { return end == PartyEnd::kCaller ? caller_ : peer_; }
  const LegPtr& leg(PartyEnd which) const { return end(which).leg; }
  bool is_bridged() const { return bridged_ && peer_.leg; }

  /// Gives the leg its role. If it is closed already, the party is reported gone in the loop's next round.
  void set_end(PartyEnd end, End with);
  /// The peer is a parker's half of an adopted dialog, and was this before.
  void set_parker(ParkerRole role) { parker_ = std::move(role); }
  const std::optional<ParkerRole>& parker() const { return parker_; }
  /// What the caller hears comes from there.
  void set_music(std::optional<MediaAddress> media) { music_ = std::move(media); }
  void set_bridged(bool bridged);
  /// The caller becomes the peer and the peer the caller.
  void swap();
  /// The call becomes the peer; the leg of the peer before it, if any, is closed.
  void make_peer(Call& call);

  void offer_music(park::Question question, const MediaAddress& media);
  void offer_call(park::Question question, const Call::JoinOffer& offer);
  void offer_peer(park::Question question);

  /// An INVITE, or an UPDATE with an offer, that the leg has accepted.
  void on_offer(PartyEnd end, sip::ServerTransactionKey key, const sip::SipMessage& request);
  /// Any request but INVITE, UPDATE, REFER and BYE.
  void on_plain_request(PartyEnd end, sip::ServerTransactionKey key, const sip::SipMessage& request);

 private:
  /// Whether the answer has to be read for where the caller receives, or that is known from before.
  enum class AnswerIs { kNeeded, kKnown };
  void offer_to_caller(park::Question question, OfferMaker make, AnswerIs answer_is, std::optional<MediaAddress> music);
  void on_offered(park::Question question, AnswerIs answer_is, const std::optional<MediaAddress>& music,
                  OfferOutcome outcome, const sip::Sdp* offer, const sip::Sdp* answer);
  void report_caller_media(const MediaRemote& remote);
  void answer_from_music(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_media_changed(PartyEnd end);
  void on_gone(PartyEnd end);
  std::unique_ptr<PartyWatch> watch(const LegPtr& leg);
  End& end_at(PartyEnd end) { return end == PartyEnd::kCaller ? caller_ : peer_; }

  const ConversationId id_;
  UserAgent& agent_;
  DialogRoles& roles_;
  const Listeners& listeners_;
  End caller_;
  End peer_;
  std::optional<ParkerRole> parker_;
  std::optional<MediaAddress> music_;
  bool bridged_ = false;
  // While the two are bridged.
  std::unique_ptr<PartyWatch> caller_watch_;
  std::unique_ptr<PartyWatch> peer_watch_;
};

}  // namespace callpark::leg
