// What the park service needs of the outside, one interface a world: the database, the media server, the SIP legs. The
// adapters implement them; the service knows nothing else of SIP, SQL or RTP. Everything is called, and calls back, on
// the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/park/types.h"
#include "parkd/service/park_event.h"

namespace callpark {

/// Names a parked call for ever: 32 hexadecimal digits from a cryptographic source.
using ParkId = std::string;
/// Names an inbound feature call, or a REFER, while parkd owes it something. Never reused.
using CallId = std::uint64_t;
using ReferId = std::uint64_t;

// ---- data ----

/// One side of a SIP dialog as RFC 3261 12 defines it, with what is needed to make it again from a row. `local` is
/// whoever parkd speaks as. The session descriptions may be digests (o=, c=, m=, rtpmap and direction lines).
struct DialogSnapshot {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;
  std::string local_uri;
  std::string local_display;
  std::string remote_uri;
  std::string remote_display;
  std::uint32_t local_cseq = 0;
  std::optional<std::uint32_t> remote_cseq;
  std::string remote_target;
  std::vector<std::string> route_set;  // as written in Route headers, nearest first
  std::string local_sdp;               // what parkd, or the one whose place it took, said last
  std::string remote_sdp;              // what the other side said last
  PartyIdentity remote_identity = {};  // who that is to people
  std::string remote_aor = {};         // "102@demo.callpark" of an extension, whatever its URIs say; "" of others

  friend bool operator==(const DialogSnapshot&, const DialogSnapshot&) = default;
};

/// Who has a call on hold, and since when.
struct Hold {
  std::string device;  // "udp:127.0.0.11:5060": where his requests come from; "": nobody knows
  WallTime since{};    // the epoch: before this parkd began, or not at all
};

/// FEATURES S7: whether who calls from `device` means `one` rather than `other`. What that device holds goes first,
/// then what was held last.
inline bool goes_before(const Hold& one, const Hold& other, const std::string& device) {
  const bool one_here = one.device == device;
  const bool other_here = other.device == device;
  return one_here == other_here ? one.since >= other.since : one_here;
}

/// A dialog between two other user agents, seen from the place of each.
struct AdoptableDialog {
  DialogSnapshot caller;  // local = the parker, remote = the party to be parked
  DialogSnapshot parker;  // local = the party to be parked, remote = the parker
  Hold hold = {};         // the parker's
};

enum class PartyEnd { kCaller, kPeer };

/// A call that an extension has on hold, of those that are parkd's.
struct HeldCall {
  ParkId park_id;
  Hold hold;
  PartyEnd holder = PartyEnd::kPeer;
};

struct MediaAddress {
  std::string address;
  std::uint16_t port = 0;
  friend bool operator==(const MediaAddress&, const MediaAddress&) = default;
};

/// What a party agreed to send and receive. Names as in SDP: PCMU, PCMA, G722, opus.
struct MediaCodec {
  std::string name;
  int payload_type = 0;
  int clock_rate = 8000;
  std::optional<int> telephone_event;
  friend bool operator==(const MediaCodec&, const MediaCodec&) = default;
};

/// Where a party listens and what it understands; the outcome of an offer and its answer.
struct MediaRemote {
  MediaAddress remote;
  MediaCodec codec;
  bool listens = true;  // false: on hold, nothing is to be sent
  friend bool operator==(const MediaRemote&, const MediaRemote&) = default;
};

/// All that a media session says about itself, so that it can be opened again on the same port.
struct MediaSnapshot {
  std::string session;
  MediaAddress local;
  std::uint32_t ssrc = 0;
  std::optional<MediaRemote> remote;
  friend bool operator==(const MediaSnapshot&, const MediaSnapshot&) = default;
};

/// How a call that nobody retrieves is called back: as the tenant, or of a group park the group, says.
struct RecallSettings {
  park::RecallMode mode = park::RecallMode::kOff;
  int after_seconds = 90;
  int ring_seconds = 30;
  int retry_seconds = 10;
  int attempts_max = 3;  // 0: endless
  int alert_ring_group_wait_seconds = 30;
  std::string ring_group;
  std::string fallback_destination;

  park::RecallPolicy policy() const {
    return {mode, static_cast<std::uint32_t>(attempts_max), !fallback_destination.empty()};
  }
  friend bool operator==(const RecallSettings&, const RecallSettings&) = default;
};

enum class RowState { kAdopting, kParked, kRetrieving, kRetrieved };

/// One row of parked_calls.
struct ParkedCallRow {
  ParkId park_id;
  std::string tenant;
  std::string orbit;  // empty: the call holds none (retrieved)
  int slot = 0;
  RowState state = RowState::kAdopting;
  std::string parker;       // the extension that parked it
  std::string park_group;   // it was parked in this group; else ""
  std::string music_class;  // "": a ringback tone
  RecallSettings recall;
  park::Ladder ladder;       // where the recall stands
  WallTime recall_deadline;  // when its next step is due, or who is being called has had time enough
  DialogSnapshot caller;
  std::optional<DialogSnapshot> peer;  // kRetrieved: the retriever's dialog; else the parker's
  std::optional<MediaSnapshot> media;
  WallTime parked_at;
  WallTime deadline;        // when a call that nobody retrieves ends
  std::string retriever;    // who won it last, "" if nobody
  std::string owner;        // node
  std::uint64_t epoch = 0;  // rises when another node takes the call over
};

// ---- store ----

enum class CodeAction { kPark, kGroupPark, kRetrieve };
enum class BareCode { kOwnExtension, kRandomOrbit };

/// Numbers that belong to nobody: all of equal length, a star may lead.
struct OrbitRange {
  std::string first;
  std::string last;
  friend bool operator==(const OrbitRange&, const OrbitRange&) = default;
};

/// What the tables say of one dialled number and of who dials it; how it is understood is dialled_code.h's.
struct DialledFacts {
  struct Code {
    std::string code;  // as in park_codes; the longest that the number begins with
    CodeAction action;
    BareCode bare;
    std::string retrieve_code;  // of a code that parks: the code to announce
  };
  std::optional<Code> code;
  std::string remainder;  // what is behind the code, without a trailing '#'
  bool remainder_is_extension = false;
  /// Instead of a code: the park number of a range, or an orbit of it.
  std::optional<OrbitRange> range;
  std::string range_orbit;                      // "": its park number was dialled
  std::string park_group;                       // the user's; "": none
  std::vector<std::string> park_group_members;  // of a code that parks in the group
  bool may_park = false;
  bool may_group_park = false;
  bool may_retrieve = false;    // of a trunk: where this range lets it
  bool may_set_recall = false;  // may say for one call when its recall is due
  std::string language;         // the extension's, else the tenant's
  std::string music_class;      // "": a ringback tone
  int random_orbit_digits = 4;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;  // 0: no cap
  int park_seconds_max = 3600;
  RecallSettings recall;  // of a code that parks in the group, the group's
  /// A parker who cannot know the orbit is called back and told; and the call shows it.
  bool calls_back = true;
  bool call_back_shows_orbit = true;
};

struct StoreUnavailable {};

/// Somebody who is to be told something, by a text to his phones.
struct Recipient {
  std::string extension;
  std::string language;
};

struct OrbitWish {
  std::vector<std::string> orbits;  // the first that is free
  std::optional<OrbitRange> range;  // without orbits: the one that is free for the longest time; else a random one
  std::string park_group;           // parked for the members of this group
  int random_digits = 4;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;
};
struct OrbitGot {
  std::string orbit;
  int slot = 0;
};
/// The first of the orbits that has a call, else what the group has; of several calls the oldest.
struct RetrieveWish {
  std::vector<std::string> orbits;
  std::string park_group;  // "": none
};
enum class ClaimOrbitFailure { kTaken, kTooManyParked, kUnavailable };
enum class ClaimCallFailure { kNoneParked, kAlreadyPickedUp, kUnavailable };

/// The tables. Nothing here blocks; each answer comes once, on the loop, within the store's budget (2 s). Orders that
/// name the same park_id are carried out in the order given. Without a callback there is no answer: the store tries
/// again until the database is back.
class Store {
 public:
  template <class T>
  using Answer = std::function<void(T)>;

  virtual ~Store() = default;

  virtual void look_up(std::string tenant, std::string user, std::string dialled,
                       Answer<Result<DialledFacts, StoreUnavailable>> answer) = 0;
  /// Inserts the row (state kAdopting) at a free slot of the orbit, or, if the row exists (a re-park), moves it there.
  /// A random orbit is one that is neither in use nor in quarantine.
  virtual void claim_orbit(ParkedCallRow row, OrbitWish wish, Answer<Result<OrbitGot, ClaimOrbitFailure>> answer) = 0;
  /// The whole row. A row that has been won meanwhile (kRetrieving) stays won.
  virtual void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) = 0;
  /// Wins a call: kParked becomes kRetrieving, once.
  virtual void claim_call(std::string tenant, RetrieveWish wish, std::string retriever,
                          Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) = 0;
  /// Wins this call for whom a recall has called, with his dialog as the row's peer; once, like claim_call().
  virtual void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) = 0;
  /// kAdopting or kRetrieving becomes kParked.
  virtual void unclaim_call(ParkId park_id) = 0;
  /// The call talks: the row is written as kRetrieved with no orbit; a random orbit goes into quarantine.
  virtual void write_retrieved(ParkedCallRow row) = 0;
  virtual void remove(ParkId park_id, park::EndReason reason) = 0;
  /// Who is to have a text about this event, as the tenant and the park group want it.
  virtual void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) = 0;
  /// All rows that this node owns.
  virtual void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) = 0;
};

/// The record of what happened. Nobody waits for it, and nothing is lost while the database is away. Told again after a
/// crash, an event stands there once.
class Events {
 public:
  virtual ~Events() = default;
  virtual void append(ParkEvent event) = 0;
};

// ---- texts ----

/// One text to all phones of an extension. What answers a text calls `from`.
struct TextMessage {
  std::string tenant;
  std::string extension;
  std::string from;
  std::string text;
};

/// Nobody waits for the outcome.
class Messages {
 public:
  virtual ~Messages() = default;
  virtual void send(TextMessage message) = 0;
};

// ---- media ----

struct Music {
  std::string music_class;  // "": a ringback tone
};
/// A list of things to say, in a language; ends by itself.
struct Announcement {
  struct Prompt {
    std::string name;
  };
  struct Digits {
    std::string digits;
  };
  std::string language;
  std::vector<std::variant<Prompt, Digits>> list;
};
using Play = std::variant<Music, Announcement>;

struct MediaUnavailable {};

/// mediad. A session that was opened stays until it is closed: when mediad is restarted the adapter opens it again on
/// its port, and says so only when it had to be another.
class Media {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_media_played(const std::string& session) = 0;
    virtual void on_media_moved(const std::string& session, const MediaSnapshot& now) = 0;
  };
  using Opened = std::function<void(Result<MediaSnapshot, MediaUnavailable>)>;

  virtual ~Media() = default;
  virtual void set_listener(Listener* listener) = 0;
  /// Opens a session that sends nothing until connect(); `again` = what is known of it from an earlier parkd.
  virtual void open(std::string session, Play play, std::optional<MediaSnapshot> again, Opened answer) = 0;
  virtual void connect(const std::string& session, const MediaRemote& remote) = 0;
  virtual void play(const std::string& session, Play play) = 0;
  virtual void close(const std::string& session) = 0;
};

// ---- legs ----

/// Somebody dialled a number that is parkd's business.
struct FeatureCall {
  CallId call = 0;
  std::string tenant;
  std::string user;     // the authenticated extension; "": a trunk calls
  std::string trunk;    // its name
  std::string device;   // where it comes from, as in Hold
  std::string dialled;  // the user part of the Request-URI, unescaped
  std::string sip_call_id;
  std::optional<int> recall_after_seconds;  // as this call wishes
  std::optional<AdoptableDialog> held;      // what Kamailio found on hold, by S7
  /// Not empty: whatever is dialled, he is to have the place of the peer of this call (Replaces), who has sent him.
  ParkId takes_place_in;
};

/// Somebody transfers his call to a number that is parkd's business.
struct Referral {
  ReferId refer = 0;
  std::string tenant;
  std::string user;
  std::string dialled;
  std::string contact;   // the URI where it is not one of the tenant's domain: the Contact of a phone, it may be
  std::string replaces;  // the value of a Replaces header: an attended transfer
  std::string sip_call_id;
  std::optional<int> recall_after_seconds;  // as this call wishes
  AdoptableDialog dialog;
};

/// Whom a retriever transfers his caller to, or whom a recall calls.
struct TransferTarget {
  std::string tenant;
  std::string number;
  std::string replaces;
  std::string recalled_orbit = {};  // of a recall: where the caller is parked, for the display
  /// To be called there, if Kamailio finds that it is a phone of the tenant's; else `number`.
  std::string contact = {};
};

/// A call of parkd's own to an extension, with mediad's media.
struct ExtensionCall {
  std::string tenant;
  std::string extension;
  std::string display;  // of the number that calls
  std::string number;   // to be dialled by whoever calls back
};

/// The SIP user agent. Of each parked call it holds up to two dialogs: the caller's, and the peer's (the parker's half
/// of an adopted dialog, or a retriever's call).
class Legs {
 public:
  virtual ~Legs() = default;

  /// Takes the two halves of a foreign dialog under `park_id`; nothing is sent. False: another park has them.
  [[nodiscard]] virtual bool adopt(const ParkId& park_id, const AdoptableDialog& dialog) = 0;
  /// Makes the dialogs again from a row, with the CSeqs raised by 1000.
  virtual void take_over(const ParkedCallRow& row) = 0;
  /// Of the calls of ours that are talked in, and that this extension has put on hold, the one that `device` means.
  virtual std::optional<HeldCall> call_held_by(const std::string& tenant, const std::string& user,
                                               const std::string& device) const = 0;
  /// Gives up both dialogs without a word.
  virtual void forget(const ParkId& park_id) = 0;

  /// Re-INVITEs the caller. Only the last offer is answered: one that is superseded while it is under way is not.
  virtual void offer_music(const ParkId& park_id, park::Question question, const MediaAddress& media) = 0;
  virtual void offer_call(const ParkId& park_id, park::Question question, CallId retriever) = 0;
  virtual void offer_peer(const ParkId& park_id, park::Question question) = 0;
  /// BYE.
  virtual void end(const ParkId& park_id, PartyEnd party) = 0;
  virtual void bridge(const ParkId& park_id) = 0;
  virtual void unbridge(const ParkId& park_id) = 0;
  /// The retriever's call becomes the peer.
  virtual void make_peer(const ParkId& park_id, CallId retriever) = 0;
  /// Of two who talk, the caller becomes the peer and the peer the caller. Neither notices.
  virtual void swap_parties(const ParkId& park_id) = 0;

  /// A transfer by the peer, or a recall: calls the target in the caller's name, with the media that the caller said
  /// last.
  virtual void call_target(const ParkId& park_id, park::Question question, const TransferTarget& target) = 0;
  virtual void offer_target(const ParkId& park_id, park::Question question) = 0;
  virtual void end_target(const ParkId& park_id) = 0;
  virtual void make_target_peer(const ParkId& park_id) = 0;
  /// Of one who has answered.
  virtual DialogSnapshot target_snapshot(const ParkId& park_id) const = 0;
  /// Who that is: of a ring group, the member, and of a Contact, whose it is.
  virtual std::string target_user(const ParkId& park_id) const = 0;

  /// Both dialogs as they stand now, for the row.
  virtual DialogSnapshot caller_snapshot(const ParkId& park_id) const = 0;
  virtual std::optional<DialogSnapshot> peer_snapshot(const ParkId& park_id) const = 0;

  /// 202, and the NOTIFY that says 100. Both are in the parker's dialog, where parkd's CSeq passes the other party's:
  /// so not before it is as good as certain that parkd stays.
  virtual void accept_refer(ReferId refer) = 0;
  /// How a REFER ends: 200, or why not. An accepted one by its last NOTIFY, else by the answer to the REFER itself.
  virtual void conclude_refer(ReferId refer, int status, const std::string& reason) = 0;

  /// Answers a feature call with mediad's media: 183 or 200. Nothing when its offer has no codec in common.
  enum class Answer { kEarly, kFinal };
  virtual std::optional<MediaRemote> answer_with_media(CallId call, const MediaAddress& media, Answer answer) = 0;
  /// Answers a retriever with what the caller answered him.
  virtual void answer_retriever(CallId call, const ParkId& park_id) = 0;
  virtual void refuse(CallId call, int status, const std::string& reason) = 0;
  /// What becomes of the held call that Kamailio handed over with a feature call, said in the final response to that:
  /// kReleased, at once: its requests are its parties' again. kKept: parkd has it, whatever the response. Without a
  /// word a 2xx keeps it and all else releases it. The first word counts.
  enum class Adoption { kKept, kReleased };
  virtual void settle_adoption(CallId call, Adoption adoption) = 0;
  /// Calls all devices of an extension; the first to answer has it.
  virtual CallId call_extension(const ExtensionCall& call, const MediaAddress& media) = 0;
  /// BYE, or of a call that is not answered yet 480 or CANCEL. Without a word of it to the listener.
  virtual void hang_up(CallId call) = 0;
};

/// What the legs tell the service.
class LegsListener {
 public:
  virtual ~LegsListener() = default;
  virtual void on_feature_call(FeatureCall call) = 0;
  virtual void on_refer(Referral referral) = 0;
  /// A REFER within a dialog that parkd has of this parked call. Of the caller only while he talks, and only when he is
  /// the extension that Kamailio names as its sender.
  virtual void on_refer_of_party(const ParkId& park_id, PartyEnd party, Referral referral) = 0;

  virtual void on_offer_accepted(const ParkId& park_id, park::Question question,
                                 const std::optional<MediaRemote>& music) = 0;
  /// `changed` as in park::CallerRefused.
  virtual void on_offer_refused(const ParkId& park_id, park::Question question, bool changed) = 0;
  /// The caller changed what he takes (hold, resume, another port) while he hears music.
  virtual void on_caller_media_changed(const ParkId& park_id, const MediaRemote& music) = 0;
  virtual void on_target_answered(const ParkId& park_id, park::Question question) = 0;
  virtual void on_target_refused(const ParkId& park_id, park::Question question, int status) = 0;
  virtual void on_party_gone(const ParkId& park_id, PartyEnd party) = 0;

  virtual void on_call_confirmed(CallId call) = 0;  // the ACK of our 200
  virtual void on_call_lost(CallId call) = 0;       // there was never an ACK
  virtual void on_call_gone(CallId call) = 0;       // CANCEL or BYE; of a call to an extension also a refusal
  /// A call to an extension is answered; where it listens.
  virtual void on_extension_answered(CallId call, const MediaRemote& remote) = 0;
};

}  // namespace callpark
