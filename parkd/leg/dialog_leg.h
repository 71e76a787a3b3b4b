// One dialog of parkd's, whatever it came from: a call, an adoption or a row. Sends one re-INVITE at a time and tries
// again where RFC 3261 allows it, sends its other requests one at a time, repeats each 2xx until its ACK, and keeps the
// session timer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "parkd/leg/dialog_facts.h"
#include "parkd/leg/offer_queue.h"
#include "parkd/leg/request_queue.h"
#include "parkd/leg/session_keeper.h"
#include "parkd/leg/unacknowledged_answer.h"
#include "parkd/leg/user_agent.h"

namespace callpark::leg {

/// Loop's thread only.
class DialogLeg : public DialogFacts, public std::enable_shared_from_this<DialogLeg> {
 public:
  DialogLeg(UserAgent& agent, DialogFacts facts, CallIdOwner owner);
  DialogLeg(UserAgent& agent, sip::DialogState dialog, CallIdOwner owner)
      : DialogLeg(agent, DialogFacts(std::move(dialog), agent.contact), owner) {}
  /// Continues a snapshot in the place of another user agent, or of an earlier parkd.
  static std::shared_ptr<DialogLeg> from_snapshot(UserAgent& agent, const DialogSnapshot& snapshot, CallIdOwner owner,
                                                  std::uint32_t cseq_gap, std::uint64_t version_gap = 100);
  DialogSnapshot snapshot() const;

  /// RFC 4916: names the shown party by UPDATE, and in From from here on; only for a phone that supports it.
  void show_in_from();
  /// Sends one UPDATE within some seconds, or what the remote side allows instead: the dialog of a row may have ended
  /// meanwhile, and its new owner has to keep its session timer.
  void probe();
  /// The session timer of a snapshot runs from here on, unless it does already.
  void keep_session();
  /// Called at most once, when the dialog ends by itself: a request of parkd's is answered 408 or 481, a 2xx is never
  /// acknowledged, or the session timer runs out. Not after bye() or close().
  void set_on_gone(std::function<void()> on_gone) { on_gone_ = std::move(on_gone); }
  /// Called if the answer to a session refresh differs from the one before. Not after close().
  void set_on_media_changed(std::function<void()> changed) { on_media_changed_ = std::move(changed); }
  /// A dialog from a snapshot is parkd's from here on, and no longer that of another user agent.
  void set_ours() {
    is_ours_ = true;
    keep_session();
  }
  bool is_closed() const { return closed_; }
  bool has_session_timer() const { return session_.agreed().has_value(); }

  /// Re-INVITEs with what `make` returns at that moment. While an earlier one is out this one waits, and replaces any
  /// that waited; what is replaced is answered kRefused. `done` is called once, with kGone by close() and bye().
  void offer(OfferMaker make, OnOffered done);
  /// An INVITE of either side is not through: one of the remote side has to be answered 491.
  bool is_negotiating() const;

  /// RFC 3261 12.2.2: false if the request is answered already (481 of a closed leg, 500 of an old CSeq).
  bool accept(sip::ServerTransactionKey key, const sip::SipMessage& request);
  /// The offer of this request is under consideration until its answer() or refuse().
  void consider(sip::ServerTransactionKey key) { considered_ = key; }
  bool is_considering() const { return considered_.has_value(); }
  /// Answers 200 with `sdp`; to an INVITE until one of the handlers is called.
  void answer(sip::ServerTransactionKey key, const sip::SipMessage& request, const std::optional<sip::Sdp>& sdp,
              AckHandlers handlers);
  void refuse(sip::ServerTransactionKey key, const sip::SipMessage& request, int status, std::string_view reason = {});
  void on_ack(const sip::SipMessage& ack);
  /// The remote side goes on in the dialog, so it has parkd's 200, wherever its ACK is. But an answer is waited for.
  void assume_acknowledged() {
    if (unacknowledged_ && !unacknowledged_->needs_answer()) on_acknowledged(std::nullopt);
  }
  /// The same if `request` implies it.
  void read_implied_ack(const sip::SipMessage& request) {
    if (unacknowledged_ && unacknowledged_->is_implied_by(request)) assume_acknowledged();
  }

  /// Sends a request that is neither INVITE nor BYE when those before it are through. Handlers may be empty; a request
  /// that never gets its turn fails. A NOTIFY gets its turn in a closed leg too, and before a BYE.
  void send(std::string_view method, std::function<void(sip::SipMessage&)> fill, sip::ClientHandlers handlers);
  /// Ends the dialog, at once; but a 2xx that waits for its ACK is waited for first (RFC 3261 15).
  void bye();
  /// The BYE waits for an ACK: on_ack() is to be called until `done`.
  bool is_leaving() const { return bye_when_acknowledged_; }
  void set_on_left(std::function<void()> done) { on_left_ = std::move(done); }
  /// Sends and answers nothing from here on; but a BYE that waits is sent.
  void close();
  /// Nor is that: the remote side sent BYE, or parkd ends and cannot be sent the ACK.
  void abandon();

 private:
  void start_offering();
  void send_invite();
  void on_invite_response(std::uint32_t cseq, const std::shared_ptr<const sip::Sdp>& offer,
                          const sip::SipMessage& response);
  void on_invite_failure();
  void on_invite_refused(const sip::SipMessage& response);
  void end_invite();
  void conclude(OfferOutcome outcome, const sip::Sdp* offer = nullptr, const sip::Sdp* answer = nullptr);
  void try_again_after(Duration delay);
  void refresh_by_update(std::function<void(const sip::SipMessage& response)> refused);
  void refresh_session();
  void ask_whether_there();
  void on_never_acknowledged();
  void on_acknowledged(const std::optional<sip::Sdp>& answer);
  void keep_session_timer(const std::optional<SessionTimer>& timer);
  void transmit(RequestQueue::Request request);
  void send_bye();
  void die();
  void leave();

  UserAgent& agent_;
  CallIdOwner owner_;
  bool is_ours_ = true;
  bool knows_own_media_ = true;  // false while the last description may be another's
  std::function<void()> on_gone_;
  std::function<void()> on_media_changed_;

  RequestQueue requests_;
  OfferQueue offers_;
  std::optional<std::uint32_t> inviting_;  // the CSeq with which the current offer is on the wire
  LoopHandle answer_deadline_;
  LoopHandle turn_deadline_;
  LoopHandle retry_;
  std::optional<sip::ServerTransactionKey> considered_;
  std::optional<UnacknowledgedAnswer> unacknowledged_;
  bool bye_when_acknowledged_ = false;
  std::function<void()> on_left_;
  bool closed_ = false;
  SessionKeeper session_;
  LoopHandle probe_;
};

using LegPtr = std::shared_ptr<DialogLeg>;

}  // namespace callpark::leg
