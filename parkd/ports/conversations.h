// Conversations: a caller and a peer, each with a dialog of parkd's. The caller hears music, or the two are bridged.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/info_key.h"
#include "parkd/call/media.h"
#include "parkd/call/parked_call.h"
#include "parkd/call/party.h"
#include "parkd/park/types.h"

namespace callpark {

/// What the caller is re-INVITEd to.
struct OfferMusic {
  MediaAddress media;
};
struct OfferCall {
  CallId call;  // a retriever, or an answered call of parkd's own
};
struct OfferPeer {};  // the media that the peer described last
using Offer = std::variant<OfferMusic, OfferCall, OfferPeer>;

struct ConversationSnapshot {
  DialogSnapshot caller;
  std::optional<DialogSnapshot> peer;
};

/// A conversation in which an extension holds the other end.
struct HeldConversation {
  ConversationId conversation;
  Hold hold;
  PartyEnd holder = PartyEnd::kPeer;
};

/// Loop's thread only.
class Conversations {
 public:
  virtual ~Conversations() = default;

  /// Accepts the two halves of a dialog between two other user agents; sends nothing. Nothing if another conversation
  /// has one of them.
  [[nodiscard]] virtual std::optional<ConversationId> adopt(const AdoptableDialog& dialog) = 0;
  /// Makes the dialogs again from a row, with the CSeqs raised by 1000.
  virtual ConversationId take_over(const ParkedCallRow& row) = 0;
  /// A call that is answered becomes the caller of a conversation without a peer.
  virtual ConversationId begin(CallId caller) = 0;
  /// Forgets both dialogs and sends nothing.
  virtual void forget(ConversationId conversation) = 0;

  /// Re-INVITEs the caller. Only the last offer is answered: one that is superseded while it is out is not.
  virtual void offer_to_caller(ConversationId conversation, park::Question question, const Offer& offer) = 0;
  /// While the two are bridged, what each sends is passed on to the other.
  virtual void set_bridged(ConversationId conversation, bool bridged) = 0;
  /// The call becomes the peer; the peer before it, if any, is forgotten.
  virtual void make_peer(ConversationId conversation, CallId call) = 0;
  /// The caller becomes the peer and the peer the caller. Neither notices.
  virtual void swap_parties(ConversationId conversation) = 0;
  /// BYE.
  virtual void end(ConversationId conversation, PartyEnd party) = 0;

  /// Both dialogs as they are now. No peer if its dialog is over.
  virtual ConversationSnapshot snapshot(ConversationId conversation) const = 0;
  /// Of the bridged conversations that the extension holds, the one that `device` means (FEATURES S7).
  virtual std::optional<HeldConversation> held_by(const Extension& extension, const std::string& device) const = 0;
};

class ConversationListener {
 public:
  virtual ~ConversationListener() = default;
  /// `music` is set if music was offered.
  virtual void on_offer_accepted(ConversationId conversation, park::Question question,
                                 const std::optional<MediaRemote>& music) = 0;
  /// `reason` and `changed` as in park::CallerRefused.
  virtual void on_offer_refused(ConversationId conversation, park::Question question, park::RefusalReason reason,
                                bool changed) = 0;
  /// The caller changed what it receives (hold, resume, another port) while it hears music.
  virtual void on_caller_media_changed(ConversationId conversation, const MediaRemote& music) = 0;
  /// The caller, which hears music, has pressed a key.
  virtual void on_caller_key(ConversationId conversation, const InfoKey& key) = 0;
  /// BYE, 481, 408, no answer at all, or a session timer that ran out.
  virtual void on_party_gone(ConversationId conversation, PartyEnd party) = 0;
};

}  // namespace callpark
