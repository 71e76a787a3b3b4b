// One dialog of parkd's, however it came to be: called, adopted or taken over from a row. Sends re-INVITEs one at a
// time and tries again where RFC 3261 says so, sends each 2xx until its ACK comes, keeps the session timer, and knows
// what both sides said last about media.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "parkd/dialog/dialog.h"
#include "parkd/leg/session_timer.h"
#include "parkd/leg/user_agent.h"
#include "parkd/service/ports.h"

namespace callpark::leg {

/// RFC 3261 14.1: who chose the Call-ID waits longer after a 491.
enum class CallIdOwner { kWe, kThey };

class DialogLeg : public std::enable_shared_from_this<DialogLeg> {
 public:
  enum class Outcome {
    kAccepted,
    kRefused,   // the session is what it was
    kUnusable,  // accepted, with an answer that cannot be read
    kGone,      // the dialog is over, by the other side's answer or by close() and bye()
  };
  using OfferMaker = std::function<sip::Sdp()>;
  /// `offer` and `answer` are null unless kAccepted.
  using OnOffered = std::function<void(Outcome outcome, const sip::Sdp* offer, const sip::Sdp* answer)>;

  /// Loop's thread only. `on_gone` comes at most once, when the dialog dies by itself: a request of ours answered 408
  /// or 481, a 2xx that is never acknowledged, or a session timer that ran out. Not after bye() or close().
  DialogLeg(UserAgent& agent, sip::DialogState dialog, CallIdOwner owner);
  static std::shared_ptr<DialogLeg> from_snapshot(UserAgent& agent, const DialogSnapshot& snapshot, CallIdOwner owner,
                                                  std::uint32_t cseq_gap);
  DialogSnapshot snapshot() const;
  /// Says another Contact than parkd's from here on.
  void set_contact(std::string contact) { contact_ = std::move(contact); }
  const std::string& contact() const { return contact_; }
  /// Who the remote side is to people.
  const PartyIdentity& remote_identity() const { return remote_identity_; }
  /// Of an extension "102@demo.callpark", whatever its URIs say; "" of others.
  const std::string& remote_aor() const { return remote_aor_; }
  void set_remote_party(PartyIdentity identity, std::string aor) {
    remote_identity_ = std::move(identity);
    remote_aor_ = std::move(aor);
  }
  /// From here on the remote side, a phone of `domain`, is told in each offer and answer that it talks to `who`.
  void show(PartyIdentity who, std::string domain) { shown_ = {std::move(who), std::move(domain)}; }
  void show_nobody() { shown_.reset(); }
  /// RFC 4916: the same by UPDATE, in From from here on; only for one that supports it.
  void show_in_from();
  /// Within some seconds an UPDATE, once: a dialog from a row may have ended meanwhile, and its session timer has to be
  /// kept by whoever takes it over.
  void probe();
  void set_on_gone(std::function<void()> on_gone) { on_gone_ = std::move(on_gone); }
  /// The answer to a session refresh was another than before. Never after close().
  void set_on_media_changed(std::function<void()> changed) { on_media_changed_ = std::move(changed); }
  /// Of one made from a snapshot: it is parkd's, and not still another's in whose place parkd asks.
  void set_ours() { is_ours_ = true; }

  const sip::DialogState& dialog() const { return dialog_; }
  /// What was said last; a digest after an adoption, none when nobody knows.
  const std::optional<sip::Sdp>& local_sdp() const { return local_sdp_; }
  const std::optional<sip::Sdp>& remote_sdp() const { return remote_sdp_; }
  void set_remote_sdp(sip::Sdp sdp);
  void set_local_sdp(sip::Sdp sdp) { local_sdp_ = std::move(sdp); }
  bool is_held_by_remote() const;
  /// Since when; the epoch when it was said before this leg was made.
  WallTime held_at() const { return held_at_; }
  bool is_closed() const { return closed_; }

  /// Re-INVITEs with what `make` gives at that moment. While an earlier one is under way this one waits, and takes the
  /// place of any that waited; what is replaced is answered kRefused. `done` comes once, kGone from close() and bye().
  void offer(OfferMaker make, OnOffered done);
  /// An INVITE of either side is not through: theirs has to be answered 491.
  bool is_negotiating() const;

  /// RFC 3261 12.2.2: false when the request is answered already (481 of a closed leg, 500 of an old CSeq).
  bool accept(sip::ServerTransactionKey key, const sip::SipMessage& request);
  /// From here to its answer() or refuse() this offer of theirs is being considered.
  void consider(sip::ServerTransactionKey key) { considered_ = key; }
  bool is_considering() const { return considered_.has_value(); }
  /// 200 with `sdp`; that of an INVITE again and again until `confirmed` or, after 64*T1, `lost`. The ACK's session
  /// description is passed on when there is one.
  struct OnAcknowledged {
    std::function<void(const sip::Sdp* answer)> confirmed;
    std::function<void()> lost;
  };
  void answer(sip::ServerTransactionKey key, const sip::SipMessage& request, const std::optional<sip::Sdp>& sdp,
              OnAcknowledged acknowledged);
  void refuse(sip::ServerTransactionKey key, const sip::SipMessage& request, int status, std::string_view reason = {});
  void on_ack(const sip::SipMessage& ack);
  /// Who goes on in the dialog has our 200, wherever his ACK is.
  void take_as_acknowledged(const std::optional<sip::Sdp>& answer = std::nullopt);
  /// The same when `request` is his next INVITE and the ACK would bring no answer that we need.
  void take_next_invite_as_ack(const sip::SipMessage& request);

  /// A request of any other kind. Its handlers may be empty.
  void send(std::string_view method, const std::function<void(sip::SipMessage&)>& fill, sip::ClientHandlers handlers);
  /// Ends the dialog; a 2xx that waits for its ACK is waited for first (RFC 3261 15).
  void bye();
  /// Goes with the next answer() or refuse(), to Kamailio.
  void say_with_answer(std::string_view header, std::string_view value) { said_with_answer_.emplace(header, value); }
  /// The BYE waits for an ACK: on_ack() is to be called until `done`.
  bool is_leaving() const { return bye_when_acknowledged_; }
  void set_on_left(std::function<void()> done) { on_left_ = std::move(done); }
  /// Says nothing, and answers nothing from here on; only a BYE that waits is still sent.
  void close();
  /// Not even that: the remote side sent BYE, or nobody is left who would pass on the ACK.
  void abandon();

 private:
  struct Offering {
    OfferMaker make;
    OnOffered done;
    int attempts = 0;
  };
  struct Unacknowledged {
    std::uint32_t cseq;
    bool brings_answer;
    sip::ServerTransactionKey key;
    sip::SipMessage response;
    Duration interval;
    OnAcknowledged acknowledged;
    LoopHandle retransmission;
    LoopHandle deadline;
  };

  void start_offering();
  void send_invite();
  void write_who_and_what(sip::SipMessage& message) const;
  void write_said_with_answer(sip::SipMessage& response);
  void on_invite_response(std::uint32_t cseq, const std::shared_ptr<const sip::Sdp>& offer,
                          const sip::SipMessage& response);
  void on_invite_failure();
  void on_invite_refused(const sip::SipMessage& response);
  void conclude(Outcome outcome, const sip::Sdp* offer = nullptr, const sip::Sdp* answer = nullptr);
  void refresh_by_update(std::function<void(const sip::SipMessage& response)> refused);
  void refresh_session_after(Duration delay);
  void try_again_after(Duration delay);
  void retransmit();
  void on_never_acknowledged();
  void keep_session_timer(const std::optional<SessionTimer>& timer);
  void die();
  void send_bye();
  void leave();

  UserAgent& agent_;
  sip::DialogState dialog_;
  CallIdOwner owner_;
  std::string contact_;
  PartyIdentity remote_identity_;
  std::string remote_aor_;
  struct Shown {
    PartyIdentity who;
    std::string domain;
  };
  std::optional<Shown> shown_;
  std::optional<sip::Sdp> local_sdp_;
  std::optional<sip::Sdp> remote_sdp_;
  WallTime held_at_{};
  std::optional<std::pair<std::string, std::string>> said_with_answer_;
  std::function<void()> on_gone_;
  std::function<void()> on_media_changed_;
  bool is_ours_ = true;

  std::optional<Offering> current_;
  std::optional<Offering> next_;
  std::optional<std::uint32_t> inviting_;  // the CSeq with which current_ is on the wire
  LoopHandle answer_deadline_;
  std::optional<sip::ServerTransactionKey> considered_;
  LoopHandle retry_;
  std::optional<Unacknowledged> unacknowledged_;
  bool bye_when_acknowledged_ = false;
  std::function<void()> on_left_;
  bool closed_ = false;
  std::optional<SessionTimer> session_timer_;
  LoopHandle refresh_;
  LoopHandle expiry_;
  LoopHandle probe_;
};

/// "INVITE, ACK, ...": what parkd understands.
void write_capabilities(sip::SipMessage& message);

}  // namespace callpark::leg
