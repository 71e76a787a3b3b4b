// A feature call, from its INVITE until it is refused, ends, or becomes an end of a conversation: early media, the
// final answer, and the held call that Kamailio sent with it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "parkd/leg/call.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/incoming_request.h"
#include "parkd/ports/calls.h"

namespace callpark::leg {

class IncomingCall final : public Call {
 public:
  /// `leg` is that of the invite's dialog.
  IncomingCall(UserAgent& agent, DialogRoles& roles, LegPtr leg, sip::ServerTransactionKey key, sip::SipMessage invite,
               const FeatureInvite& read);
  /// From here on the requests of the held call's parker come to parkd. Not before the call has its role.
  void hold_adoptable(CallId id, const AdoptableDialog& held, const Extension& parker);

  sip::ServerTransactionKey key() const { return key_; }
  bool is_answered() const { return stage_ != Stage::kUnanswered; }

  const LegPtr& leg() const override { return leg_; }
  const Party& party() const override { return party_; }
  std::string device() const override;
  const std::optional<MediaAddress>& media() const override { return media_; }

  /// `changed` is called with where the party receives, each time that it describes that anew.
  using OnMedia = std::function<void(const MediaRemote&)>;
  void set_on_media(OnMedia changed) { on_media_ = std::move(changed); }

  /// 180, unless the call is answered.
  void ring();
  /// 183. Nothing if the offer has no codec in common with mediad, or if there is none: RFC 3261 13.2.1 wants parkd's
  /// offer in a response that is reliable.
  std::optional<MediaRemote> answer_early(const MediaAddress& media);
  /// 200 with mediad's media; the same. Without an offer the port of the result is 0, until the ACK brings the answer.
  std::optional<MediaRemote> answer_with_media(const MediaAddress& media, AckHandlers handlers);
  /// 200 with the media of this caller, unless offer_caller() has sent it; the party's phone shows the caller.
  void answer_with_caller(const DialogFacts& caller, AckHandlers handlers);
  /// The party has cancelled, and the 200 was sent before.
  void note_cancelled() { is_cancelled_ = true; }
  bool is_cancelled() const { return is_cancelled_; }
  /// The first one counts.
  void settle(Calls::Adoption adoption);

  /// The INVITE had no description and is not answered: offer_caller() comes before begin_join().
  bool awaits_offer() const { return !offer_ && stage_ == Stage::kUnanswered; }
  /// 200 with an offer of this caller's media; `handlers` get the answer of the ACK. The caller has described them.
  void offer_caller(const DialogFacts& caller, const AckHandlers& handlers);

  /// Of a call without an offer, the description that the ACK has brought.
  JoinOffer begin_join() override;
  void become_peer_of(const DialogFacts& caller) override;
  void on_offer(sip::ServerTransactionKey key, const sip::SipMessage& request) override;
  void end(int status, const std::string& reason) override;

 private:
  sip::SipMessage make_provisional(int status) const;
  enum class Stage { kUnanswered, kWithMedia, kOffered, kWithCaller };
  MediaRemote offer_with_media(const MediaAddress& media, const AckHandlers& handlers);
  void answer(Stage stage, const sip::Sdp& answer, AckHandlers handlers);

  UserAgent& agent_;
  DialogRoles& roles_;
  LegPtr leg_;
  sip::ServerTransactionKey key_;
  sip::SipMessage invite_;
  std::optional<sip::Sdp> offer_;
  Party party_;
  Stage stage_ = Stage::kUnanswered;
  std::optional<MediaAddress> media_;
  OnMedia on_media_;
  LegPtr held_half_;  // the parker's, of the held call
  std::optional<Calls::Adoption> adoption_;
  bool is_cancelled_ = false;
};

}  // namespace callpark::leg
