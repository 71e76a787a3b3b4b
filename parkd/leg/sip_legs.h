// parkd's SIP user agent: takes feature calls and REFERs from Kamailio, holds the dialogs of parked and retrieved
// calls, and carries out what the service orders. What a retriever and his caller ask of each other is passed on here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "parkd/dialog/dialog_table.h"
#include "parkd/leg/dialog_leg.h"
#include "parkd/leg/user_agent.h"
#include "parkd/service/ports.h"

namespace callpark::leg {

/// Lives on the loop's thread.
class SipLegs final : public Legs, public sip::TransactionUser {
 public:
  explicit SipLegs(UserAgent agent);
  ~SipLegs() override;
  SipLegs(const SipLegs&) = delete;
  SipLegs& operator=(const SipLegs&) = delete;

  /// To be called before the transaction layer is started.
  void set_listener(LegsListener* listener) { listener_ = listener; }
  /// Until then OPTIONS and feature calls are answered 503, so that Kamailio keeps the calls with their parkers.
  void set_ready();

  bool adopt(const ParkId& park_id, const AdoptableDialog& dialog) override;
  void take_over(const ParkedCallRow& row) override;
  std::optional<HeldCall> call_held_by(const std::string& tenant, const std::string& user,
                                       const std::string& device) const override;
  void forget(const ParkId& park_id) override;
  void offer_music(const ParkId& park_id, park::Question question, const MediaAddress& media) override;
  void offer_call(const ParkId& park_id, park::Question question, CallId retriever) override;
  void offer_peer(const ParkId& park_id, park::Question question) override;
  void end(const ParkId& park_id, PartyEnd party) override;
  void bridge(const ParkId& park_id) override;
  void unbridge(const ParkId& park_id) override;
  void make_peer(const ParkId& park_id, CallId retriever) override;
  void swap_parties(const ParkId& park_id) override;
  void call_target(const ParkId& park_id, park::Question question, const TransferTarget& target) override;
  void offer_target(const ParkId& park_id, park::Question question) override;
  void end_target(const ParkId& park_id) override;
  void make_target_peer(const ParkId& park_id) override;
  DialogSnapshot target_snapshot(const ParkId& park_id) const override;
  std::string target_user(const ParkId& park_id) const override;
  DialogSnapshot caller_snapshot(const ParkId& park_id) const override;
  std::optional<DialogSnapshot> peer_snapshot(const ParkId& park_id) const override;
  void accept_refer(ReferId refer) override;
  void conclude_refer(ReferId refer, int status, const std::string& reason) override;
  std::optional<MediaRemote> answer_with_media(CallId call, const MediaAddress& media, Answer answer) override;
  void answer_retriever(CallId call, const ParkId& park_id) override;
  void refuse(CallId call, int status, const std::string& reason) override;
  void settle_adoption(CallId call, Adoption adoption) override;
  CallId call_extension(const ExtensionCall& call, const MediaAddress& media) override;
  void hang_up(CallId call) override;

  void on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint& source) override;
  void on_ack(const sip::SipMessage& ack, const sip::Endpoint& source) override;
  void on_cancel(sip::ServerTransactionKey invite) override;
  void on_server_transaction_failure(sip::ServerTransactionKey key, sip::ServerFailure failure) override;
  void on_stray_2xx(const sip::SipMessage& response) override;

 private:
  using LegPtr = std::shared_ptr<DialogLeg>;
  // What a dialog is to parkd.
  struct ParkerSeat {  // the parker's half of a foreign dialog, while his REFER or his feature call is considered
    DialogSnapshot other;
    std::string owner;  // tenant and extension
    CallId call = 0;    // 0: a REFER
  };
  struct TargetSeat {};  // whom the peer transfers the caller to, and who has answered
  struct PartySeat {
    ParkId park_id;
    PartyEnd end;
  };
  struct CallSeat {
    CallId call;
  };
  struct Seat {
    LegPtr leg;
    std::variant<ParkerSeat, TargetSeat, PartySeat, CallSeat> role;
  };
  struct Call {
    LegPtr leg;
    sip::ServerTransactionKey key;
    sip::SipMessage invite;
    sip::Sdp offer;
    std::string owner;                 // tenant and extension
    LegPtr held_half;                  // the parker's, of the call that he has on hold
    std::optional<Adoption> adoption;  // what becomes of that call
    std::optional<MediaAddress> media;
    enum class Stage { kUnanswered, kAnswered } stage = Stage::kUnanswered;
  };
  struct PendingRefer {
    LegPtr leg;
    sip::ServerTransactionKey key;
    std::optional<sip::SipMessage> request;  // until it is answered
  };
  // A call to an extension that is not answered.
  struct Calling {
    sip::ClientTransactionKey invite;
    sip::Sdp offer;
    MediaAddress media;
    std::string owner;
  };
  // Whom the peer transfers the caller to.
  struct Target {
    park::Question question;
    sip::ClientTransactionKey invite;
    std::string owner;
    sip::Sdp offer;
    LegPtr leg;  // once he has answered
    // His 200 is not acknowledged before it is known that he gets the caller: a parkd that dies meanwhile leaves no
    // phone in a call with nobody.
    std::optional<sip::SipMessage> unsent_ack;
    LoopHandle deadline;
  };
  struct Parked {
    LegPtr caller;
    LegPtr peer;
    std::optional<ParkerSeat> parker;   // what the peer was before
    std::optional<MediaAddress> music;  // what the caller hears comes from there
    std::optional<Target> target;
    bool bridged = false;
    // Tenant and extension, and where his requests come from; empty of a caller who is no extension.
    std::string caller_owner;
    std::string caller_device;
    std::string peer_owner;
    std::string peer_device;
  };
  struct Place {
    ParkId park_id;
    PartyEnd end;
    friend bool operator==(const Place&, const Place&) = default;
  };

  void on_invite(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_refer_outside(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_request_inside(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_bye(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_reinvite(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_refer_inside(Seat seat, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_plain_request(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void answer_from_music(const ParkId& park_id, Parked& parked, sip::ServerTransactionKey key,
                         const sip::SipMessage& request);
  void answer_from_announcement(Call& call, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void pass_offer_on(Parked& parked, PartyEnd from, sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_media_changed(const ParkId& park_id, PartyEnd end);
  void answer_call(CallId id, Call& call, const sip::Sdp& answer);
  void on_extension_answer(CallId id, const sip::SipMessage& invite, std::vector<sip::DialogId>& answered,
                           const sip::SipMessage& response);
  void give_up_calling(CallId id);
  /// Whether it has to be read where the caller wants his sound, or is known from what he said before.
  enum class AnswerIs { kNeeded, kKnown };
  void offer_to_caller(const ParkId& park_id, park::Question question, DialogLeg::OfferMaker make, AnswerIs answer_is,
                       std::optional<MediaAddress> music);
  /// Null when the question is an old one, or answered.
  Target* awaited_target(const ParkId& park_id, park::Question question);
  void wait_for_target(const ParkId& park_id, park::Question question);
  void refuse_target(const ParkId& park_id, park::Question question, int status);
  void acknowledge(Target& target);
  void on_target_answer(const ParkId& park_id, park::Question question, const sip::SipMessage& invite,
                        std::vector<sip::DialogId>& answered, const sip::SipMessage& response);
  ReferId begin_refer(const LegPtr& leg, sip::ServerTransactionKey key, const sip::SipMessage& request);
  static void notify(DialogLeg& leg, int status, const std::string& reason, std::string_view subscription_state);

  LegPtr parkers_half(const AdoptableDialog& dialog);
  void seat(const LegPtr& leg, const ParkId& park_id, PartyEnd end);
  void unseat(const LegPtr& leg);
  void release(const LegPtr& half);
  /// The retriever, or who was called, sees the caller and not the number he has dialled.
  static void show_caller(const DialogLeg& caller, DialogLeg& peer, const std::string& peer_owner);
  void set_owner(const ParkId& park_id, Parked& parked, PartyEnd end, std::string owner);
  bool comes_too_early(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status, std::string_view reason = {});
  Parked* find(const ParkId& park_id);
  const Parked& at(const ParkId& park_id) const { return parked_.at(park_id); }

  UserAgent agent_;
  LegsListener* listener_ = nullptr;
  bool ready_ = false;
  std::vector<std::pair<sip::ServerTransactionKey, sip::SipMessage>> early_requests_;
  std::uint64_t last_id_ = 0;
  sip::DialogTable<Seat> dialogs_;
  std::unordered_map<ParkId, Parked> parked_;
  std::unordered_map<CallId, Calling> callings_;
  std::unordered_map<CallId, Call> calls_;
  std::unordered_map<sip::ServerTransactionKey, CallId> calls_by_invite_;
  std::unordered_map<ReferId, PendingRefer> refers_;
  std::unordered_multimap<std::string, Place> places_by_owner_;
};

}  // namespace callpark::leg
