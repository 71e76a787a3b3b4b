// Calls of parkd's with one party: feature calls that come in, and calls that parkd makes. A call stays one until it is
// refused, ends, or becomes an end of a conversation.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/info_key.h"
#include "parkd/call/media.h"
#include "parkd/call/party.h"

namespace callpark {

/// An INVITE to a number that parkd serves.
struct FeatureCall {
  CallId call;
  std::string tenant;
  Party caller;                    // the authenticated extension, or a trunk of the tenant
  std::string device;              // source of the INVITE, as in Hold
  std::string dialled;             // user part of the Request-URI, unescaped
  std::string dialled_first = {};  // the number that the caller has dialled, if another has led to this one; else ""
  std::string sip_call_id;
  std::optional<int> recall_after_seconds;  // for this park only
  std::optional<AdoptableDialog> held;      // the call that Kamailio found on hold, by S7
  /// Replaces (RFC 3891): whatever is dialled, the caller is to become the peer of this conversation.
  std::optional<ConversationId> takes_place_in;
};

/// An INVITE of parkd's own.
struct OutgoingCall {
  /// In the name of a conversation's caller, with the media that the caller described last: a transfer or a recall. The
  /// 200 is not acknowledged before the target is offered to the caller.
  struct InNameOfCaller {
    ConversationId conversation;
    std::string replaces = {};  // value of a Replaces header, or ""
    /// Request-URI, if Kamailio finds that it is a phone of the tenant's; else, and if "", the number.
    std::string contact = {};
    /// Set for a recall: the parked call, and its orbit for the display.
    struct Recall {
      ParkId park_id;
      std::string orbit;
      std::string shown_name = {};  // instead of the caller's own; "": none
    };
    std::optional<Recall> recall = std::nullopt;
    /// Set for a caller in a menu: an earlier call for it, which a parkd that died has left, rings no more.
    std::optional<ParkId> menu_call = std::nullopt;
  };
  /// From parkd itself, with mediad's media. All devices ring; the first to answer gets the call.
  struct FromParkd {
    std::string display;  // of the number that calls
    std::string number;   // dialled by a phone that calls back
    MediaAddress media;
  };

  std::string tenant;
  std::string number;
  std::variant<InNameOfCaller, FromParkd> from;
};

/// Loop's thread only.
class Calls {
 public:
  virtual ~Calls() = default;

  /// Sends an INVITE. The listener gets one of on_call_answered() and on_call_refused(), never from within start().
  virtual CallId start(const OutgoingCall& call) = 0;
  /// 180 to a feature call that is not answered: its answer may need a moment.
  virtual void ring(CallId call) = 0;
  /// Answers a feature call with mediad's media: 183 or 200. Nothing if its offer has no codec in common, and no 183
  /// for one without an offer. The port is 0 until such a party's ACK has shown it: on_call_media_changed() follows.
  enum class Answer { kEarly, kFinal };
  virtual std::optional<MediaRemote> answer_with_media(CallId call, const MediaAddress& media, Answer answer) = 0;
  /// Answers a retriever with the media of the conversation's caller.
  virtual void answer_with_caller(CallId call, ConversationId conversation) = 0;
  /// Refuses a feature call; BYE if it is answered already. Does nothing if the call is over.
  virtual void refuse(CallId call, int status, const std::string& reason) = 0;
  /// The held call that Kamailio sent with a feature call. kReleased, at once: its requests are its parties' again.
  /// kKept: parkd has it, whatever the response. Without either a 2xx keeps it and all else releases it. Kamailio reads
  /// it in the final response; the first one counts.
  enum class Adoption { kKept, kReleased };
  virtual void settle_adoption(CallId call, Adoption adoption) = 0;
  /// BYE; 480 or CANCEL if the call is not answered. Not reported to the listener.
  virtual void hang_up(CallId call) = 0;
  /// Of an answered call.
  virtual DialogSnapshot snapshot(CallId call) const = 0;
  /// The other end: of an answered ring group the member, of a Contact the extension that has it.
  virtual Party party(CallId call) const = 0;
};

class CallListener {
 public:
  virtual ~CallListener() = default;
  virtual void on_feature_call(FeatureCall call) = 0;
  /// A call of start(). `remote` is set for a call of FromParkd.
  virtual void on_call_answered(CallId call, const std::optional<MediaRemote>& remote) = 0;
  /// A call of start() is over without an answer.
  virtual void on_call_refused(CallId call, int status) = 0;
  /// Of a call with mediad's media: where the party receives from here on.
  virtual void on_call_media_changed(CallId call, const MediaRemote& remote) = 0;
  /// Of a feature call that is answered.
  virtual void on_call_key(CallId call, const InfoKey& key) = 0;
  virtual void on_call_confirmed(CallId call) = 0;  // ACK of parkd's 200
  /// No ACK ever came, or the party had cancelled before it had the 200. The call is over.
  virtual void on_call_lost(CallId call) = 0;
  /// CANCEL or BYE. An answered call in a caller's name remains one until hang_up(); if it becomes a peer before, it is
  /// reported by on_party_gone() once more.
  virtual void on_call_gone(CallId call) = 0;
};

}  // namespace callpark
