// One INVITE of parkd's and what becomes of it, in every use: the target of a transfer or a recall, and a phone that is
// called back. All phones may ring; the first to answer gets the call, and every other answer is hung up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parkd/call/media.h"
#include "parkd/leg/call.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/outgoing_invite.h"

namespace callpark::leg {

/// Its transaction keeps it: answers may come when the call is over for parkd.
class OutgoingCall final : public Call, public std::enable_shared_from_this<OutgoingCall> {
 public:
  /// One of them is called, once, from the loop; none after end().
  struct Handlers {
    /// leg() is there. `remote` is set if mediad's media was offered.
    std::function<void(const std::optional<MediaRemote>& remote)> answered;
    std::function<void(int status)> refused;
    /// Of an answered call with mediad's media: where the phone receives from here on.
    std::function<void(const MediaRemote&)> media_changed;
  };
  OutgoingCall(UserAgent& agent, DialogRoles& roles, OutgoingInvite invite, Handlers handlers);

  void start();
  /// Instead of start(): the call is refused in the loop's next round.
  void refuse_soon(int status);
  /// parkd stops: nothing is sent, and no handler is called from here on.
  void abandon();

  bool is_in_name_of_caller() const { return !media_; }
  const LegPtr& leg() const override { return leg_; }
  const Party& party() const override { return party_; }
  std::string device() const override { return ""; }
  const std::optional<MediaAddress>& media() const override { return media_; }

  /// Acknowledges the 200.
  JoinOffer begin_join() override;
  void become_peer_of(const DialogFacts& caller) override;
  void on_offer(sip::ServerTransactionKey key, const sip::SipMessage& request) override;
  void end(int status, const std::string& reason) override;

 private:
  enum class Stage { kRinging, kAnswered, kOver };

  void on_response(const sip::SipMessage& response);
  void on_2xx(const sip::SipMessage& response);
  std::optional<MediaRemote> remote_in(const std::optional<sip::Sdp>& answer) const;
  bool is_repeated(const sip::DialogId& dialog) const;
  void limit_ringing();
  void refuse(int status);
  void acknowledge();

  UserAgent& agent_;
  DialogRoles& roles_;
  sip::SipMessage invite_;
  sip::Sdp offer_;
  std::string tenant_;
  Party party_;
  std::optional<MediaAddress> media_;
  Handlers handlers_;
  Stage stage_ = Stage::kRinging;
  sip::ClientTransactionKey key_{};
  LoopHandle deadline_;
  std::vector<sip::DialogId> answered_;
  LegPtr leg_;
  // The 200 of a target is not acknowledged before it is certain that the target gets the caller: a parkd that dies
  // meanwhile leaves no phone in a call with nothing at the other end.
  std::optional<sip::SipMessage> unsent_ack_;
};

}  // namespace callpark::leg
