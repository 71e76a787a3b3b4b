// What parkd knows of one of its dialogs: the SIP state, the last session description of each side, the remote party
// and what is shown to it. As a value it is a DialogSnapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/party.h"
#include "parkd/dialog/dialog.h"
#include "parkd/leg/session_timer.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

class DialogFacts {
 public:
  /// `contact` is the whole value of Contact in what parkd sends.
  DialogFacts(sip::DialogState dialog, std::string contact);
  /// Continues a snapshot, with the local CSeq raised by `cseq_gap`.
  DialogFacts(const DialogSnapshot& snapshot, std::uint32_t cseq_gap, std::string contact);
  DialogSnapshot snapshot() const;

  const sip::DialogState& dialog() const { return dialog_; }
  /// Sent instead of parkd's own from here on.
  void set_contact(std::string contact) { contact_ = std::move(contact); }
  const std::string& contact() const { return contact_; }

  const PartyIdentity& remote_identity() const { return remote_identity_; }
  /// An extension whatever its URIs are.
  const Party& remote_party() const { return remote_party_; }
  void set_remote_party(PartyIdentity identity, Party party);

  /// From here on each offer and answer names `who` to the remote side, which is a phone of `domain`.
  void show(PartyIdentity who, std::string domain) { shown_ = {std::move(who), std::move(domain)}; }
  void show_nobody() { shown_.reset(); }
  /// The next final response to a request of the remote side has this header, for Kamailio.
  void add_to_next_answer(std::string_view header, std::string_view value) { next_header_.emplace(header, value); }

  /// The last one of each side. A digest after an adoption, nothing if unknown.
  const std::optional<sip::Sdp>& local_sdp() const { return local_sdp_; }
  const std::optional<sip::Sdp>& remote_sdp() const { return remote_sdp_; }
  void set_local_sdp(sip::Sdp sdp) { local_sdp_ = std::move(sdp); }
  void set_remote_sdp(sip::Sdp sdp);
  std::optional<sip::SdpOrigin> local_origin() const;
  bool is_held_by_remote() const;
  /// Start of the hold; the epoch if it was there before this leg.
  WallTime held_at() const { return held_at_; }

 protected:
  sip::DialogState& mutable_dialog() { return dialog_; }
  /// The next request of the dialog, with `offer`.
  sip::SipMessage make_reinvite(const sip::Sdp& offer, const std::optional<SessionTimer>& agreed);
  /// 200 to an INVITE or UPDATE; `sdp` is the last one of the local side from here on.
  sip::SipMessage make_answer(const sip::SipMessage& request, const std::optional<sip::Sdp>& sdp,
                              const std::optional<SessionTimer>& timer);
  void write_next_header(sip::SipMessage& response);
  /// Allow, Supported, and the party that is shown.
  void write_own_headers(sip::SipMessage& message) const;
  /// RFC 4916: From names the shown party from here on. False if none is shown.
  bool show_in_local_uri();

 private:
  sip::DialogState dialog_;
  std::string contact_;
  PartyIdentity remote_identity_;
  Party remote_party_ = Outside{};
  struct Shown {
    PartyIdentity who;
    std::string domain;
  };
  std::optional<Shown> shown_;
  std::optional<std::pair<std::string, std::string>> next_header_;
  std::optional<sip::Sdp> local_sdp_;
  std::optional<sip::Sdp> remote_sdp_;
  WallTime held_at_{};
};

}  // namespace callpark::leg
