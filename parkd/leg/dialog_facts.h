// What parkd knows of one of its dialogs: the SIP state, the last session description of each side, the remote party
// and what is shown to it. As a value it is a DialogSnapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/media.h"
#include "parkd/call/party.h"
#include "parkd/dialog/dialog.h"
#include "parkd/leg/codec_choice.h"
#include "parkd/leg/description_versions.h"
#include "parkd/leg/payload_numbers.h"
#include "parkd/leg/session_timer.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

class DialogFacts {
 public:
  /// `contact` is the whole value of Contact in what parkd sends.
  DialogFacts(sip::DialogState dialog, std::string contact);
  /// Continues a snapshot, with the local CSeq raised by `cseq_gap` and the version of the next description by
  /// `version_gap`: others may have spoken in this dialog since.
  DialogFacts(const DialogSnapshot& snapshot, std::uint32_t cseq_gap, std::uint64_t version_gap, std::string contact);
  DialogSnapshot snapshot() const;

  const sip::DialogState& dialog() const { return dialog_; }
  /// Sent instead of parkd's own from here on.
  void set_contact(std::string contact) { contact_ = std::move(contact); }
  const std::string& contact() const { return contact_; }

  const PartyIdentity& remote_identity() const { return remote_identity_; }
  /// An extension whatever its URIs are.
  const Party& remote_party() const { return remote_party_; }
  void set_remote_party(PartyIdentity identity, Party party);
  /// parkd has begun the dialog.
  void note_called() { remote_was_called_ = true; }

  /// From here on each offer and answer names `who` to the remote side, which is a phone of `domain`.
  void show(PartyIdentity who, std::string domain) { shown_ = {std::move(who), std::move(domain)}; }
  void show_nobody() { shown_.reset(); }
  /// The next final response to a request of the remote side has this header, for Kamailio.
  void add_to_next_answer(std::string_view header, std::string_view value) { next_header_.emplace(header, value); }

  /// The last one of each side. A digest after an adoption, nothing if unknown.
  const std::optional<sip::Sdp>& local_sdp() const { return local_sdp_; }
  const std::optional<sip::Sdp>& remote_sdp() const { return remote_sdp_; }
  void set_local_sdp(sip::Sdp sdp);
  void set_remote_sdp(sip::Sdp sdp);
  /// The same of an offer. Recvonly is a hold of a party that has talked before and is not held itself: some phones
  /// hold so, though RFC 3264 8.4 does not (rules/hold.lua has the same rule).
  void set_remote_offer(sip::Sdp sdp);
  std::optional<sip::SdpOrigin> local_origin() const;
  /// Another party's media, or mediad's, as the next offer in this dialog.
  sip::Sdp offer_of(const sip::Sdp& other_party) const;
  sip::Sdp offer_of(const MediaAddress& mediad, const std::vector<PlayableCodec>& codecs) const;
  /// False if the remote side was offered other payload types of the party `other` than `other` has described.
  bool agrees_on_numbers_with(const DialogFacts& other) const;
  bool is_held_by_remote() const;
  /// Start of the hold; the epoch if it was there before this leg.
  WallTime held_at() const { return held_at_; }

  /// Reads Allow, if the message of the remote side has one.
  void note_allow(const sip::SipMessage& message);
  /// RFC 3311 4: an optional method is only for a party that lists it.
  bool allows(std::string_view method) const;
  /// The remote side has listed its methods, and this one is not among them.
  bool disallows(std::string_view method) const { return !remote_allow_.empty() && !allows(method); }

 protected:
  sip::DialogState& mutable_dialog() { return dialog_; }
  /// With a version that the remote side has not seen, unless it repeats the last description.
  sip::Sdp next_description(sip::Sdp sdp) { return versions_.next(std::move(sdp)); }
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
  void take_remote(sip::Sdp sdp, bool holds_by_recvonly);

  sip::DialogState dialog_;
  std::string contact_;
  PartyIdentity remote_identity_;
  Party remote_party_ = Outside{};
  bool remote_was_called_ = false;
  struct Shown {
    PartyIdentity who;
    std::string domain;
  };
  std::optional<Shown> shown_;
  std::optional<std::pair<std::string, std::string>> next_header_;
  std::optional<sip::Sdp> local_sdp_;
  std::optional<sip::Sdp> remote_sdp_;
  DescriptionVersions versions_;
  PayloadNumbers numbers_;
  std::string remote_allow_;
  bool holds_by_recvonly_ = false;
  WallTime held_at_{};
};

}  // namespace callpark::leg
