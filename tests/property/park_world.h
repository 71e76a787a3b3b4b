// The world around the park machine, for the explorer: what the phones, the database, mediad and the records are like
// after what the machine has emitted, and what must always be true of them.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parkd/park/decide.h"
#include "parkd/park/history.h"
#include "parkd/park/names.h"
#include "parkd/park/segments.h"

namespace callpark::park {

enum class Row { kNone, kAdopting, kParked, kRetrieving, kRetrieved };
enum class Hears { kPeer, kMusic, kRetriever, kTarget, kNothing };
enum class ParkerCall { kNone, kUnanswered, kAnnouncing };
enum class TargetCall { kNone, kCalling, kAnswered };
enum class RetrieverCall { kNone, kRinging, kAnswered };

/// What the records have of the call's stay.
enum class StayRecord { kNone, kParked, kJoined };

/// The attempts of the recall that have a segment.
class Attempts {
 public:
  void forget() { last_ = 0; }
  /// False if the attempt has a segment already. Calls of the parker are not counted without a limit.
  bool add(const RecallPolicy& policy, const RecallProgress& progress) {
    const bool is_counted = policy.attempts_max != 0 || progress.target != RecallTarget::kParker;
    const int attempt = 1 + static_cast<int>(progress.target) + 4 * static_cast<int>(progress.attempts);
    return std::exchange(last_, attempt) != attempt || !is_counted;
  }
  int last() const { return last_; }

 private:
  int last_ = 0;
};

struct Offer {
  Question question;
  Hears what;
};

class Timers {
 public:
  void start(Timer timer) { running_ |= bit(timer); }
  void stop(Timer timer) { running_ &= ~bit(timer); }
  void stop_all() { running_ = 0; }
  bool runs(Timer timer) const { return (running_ & bit(timer)) != 0; }
  unsigned bits() const { return running_; }

 private:
  static unsigned bit(Timer timer) { return 1U << static_cast<unsigned>(timer); }
  unsigned running_ = 0;
};
constexpr Timer kTimers[] = {Timer::kGiveUp, Timer::kRecall, Timer::kParkerBye, Timer::kMusicRetry};

/// Everything around the machine. Questions have the machine's numbers until canonical() renames them.
struct World {
  State machine;
  std::optional<Question> claim;
  bool claim_is_doomed = false;  // the row was removed before the claim was answered
  std::optional<Question> recall_claim;
  bool recall_claim_is_doomed = false;  // a retriever was first; only the answer is late
  std::optional<Question> write;
  bool write_is_overtaken = false;  // later actions on the row are done; only the answer is late
  std::optional<Question> opening;
  bool media_open = false;
  bool may_move = true;
  std::vector<Offer> offers;
  Row row = Row::kNone;
  Hears hears = Hears::kPeer;
  bool caller_alive = true;
  bool caller_was_asked = false;  // a CSeq of parkd's has reached the caller, which the parker's would not
  bool caller_is_ours = false;
  bool peer_alive = true;
  bool bridged = false;
  bool refer_open = false;
  bool refer_accepted = false;    // of the open one: its NOTIFYs have passed the caller's CSeq
  bool parker_was_sent = false;   // anything in the caller's name, so that the caller's own BYE is refused
  bool call_back_is_due = false;  // the REFER was concluded, and the parker does not know the orbit
  ParkerLearnsOrbit learns_orbit = ParkerLearnsOrbit::kItself;
  ParkerCall parker_call = ParkerCall::kNone;
  // Within one decision only.
  bool keep_is_due = false;  // the feature call is over, and the caller was asked
  bool adoption_kept = false;
  bool caller_must_stay = false;  // its retriever has gone without talking to it
  RetrieverCall retriever = RetrieverCall::kNone;
  Retriever retriever_number = 0;
  TargetCall target = TargetCall::kNone;
  Question target_question = 0;
  bool transfer_open = false;
  int transfers_left = 1;
  bool retriever_is_decided = false;  // its ACK has come, or will never come
  bool recall_deadline_is_set = true;
  bool rings_after_fallback = false;  // the fallback has been called: no target comes after it
  int retrieves_left = 2;
  int reparks_left = 1;
  int replacements_left = 1;
  Timers timers;
  bool dismissed = false;
  // The records.
  Recorded recorded = Recorded::kNothing;
  Proposal proposal = Proposal::kNone;
  bool has_stay = false;  // one was committed
  StayRecord stay_record = StayRecord::kNone;
  bool was_parked = false;  // in this stay or one before
  bool end_is_recorded = false;
  std::optional<OpenSegment> segment = OpenSegment{};
  bool is_from_menu = false;  // its talk has a CDR
  Attempts attempts;          // of this stay
  bool has_talked = false;    // in this stay, after the retrieve
};

struct Violation {
  std::string what;
};

template <class P>
bool in(const World& world) {
  return std::holds_alternative<P>(world.machine.phase);
}

inline void require(bool condition, const World& world, std::string_view what) {
  if (!condition) throw Violation{std::string(what) + " in " + name_of(world.machine)};
}

/// Two parties talk: what parkd passes on is no longer about the parker's dialog.
inline bool talks(const World& w) {
  return in<Talking>(w) || in<Transferring>(w) || in<Connecting>(w) || in<Replacing>(w) || in<Restoring>(w);
}

/// Carries out what the machine emits.
class Perform {
 public:
  explicit Perform(World& world) : w_(world) {}

  void operator()(const ClaimOrbit& action) {
    require(!w_.claim, w_, "two claims at once");
    w_.claim = action.question;
    w_.rings_after_fallback = false;  // each park has a recall of its own
    w_.claim_is_doomed = false;
  }
  void operator()(const WriteParked& action) {
    require(w_.row != Row::kNone && w_.row != Row::kRetrieved, w_, "a row is completed that is not there");
    w_.write = action.question;
    w_.write_is_overtaken = false;
  }
  void operator()(const UnclaimCall&) {
    require(w_.row != Row::kNone && w_.row != Row::kRetrieved, w_, "a row without orbit becomes parked");
    w_.row = Row::kParked;
    w_.write_is_overtaken = true;
  }
  void operator()(const WriteRetrieved&) { free_orbit(); }
  void operator()(const FreeOrbit&) { free_orbit(); }
  void operator()(const RemoveRow&) {
    require(w_.row != Row::kNone || w_.claim, w_, "a row is removed that is not there");
    require(w_.proposal != Proposal::kNextStay, w_, "the end of a call is reported of a stay that never was");
    w_.row = Row::kNone;
    w_.claim_is_doomed = w_.claim.has_value();
    w_.write_is_overtaken = true;
  }
  void operator()(const CommitStay&) {
    require(w_.proposal != Proposal::kNone, w_, "a stay is committed that was not proposed, or twice");
    require(w_.row != Row::kNone && w_.row != Row::kRetrieved, w_, "a stay without a row");
    w_.proposal = Proposal::kNone;
    w_.has_stay = true;
    w_.stay_record = StayRecord::kNone;
  }
  void operator()(const WithdrawStay&) {
    require(w_.proposal == Proposal::kNextStay, w_, "a stay is withdrawn that was not proposed, or the only one");
    w_.proposal = Proposal::kNone;
  }
  void operator()(const OpenMedia& action) {
    require(!w_.media_open && !w_.opening, w_, "a second media session");
    w_.opening = action.question;
  }
  void operator()(const CloseMedia&) {
    require(w_.media_open || w_.opening, w_, "media closed that is not open");
    w_.media_open = false;
    w_.opening.reset();
  }
  void operator()(const OfferMusic& action) {
    require(w_.media_open, w_, "music is offered without a media session");
    offer(action.question, Hears::kMusic);
  }
  void operator()(const OfferRetriever& action) {
    w_.rings_after_fallback = false;  // cut short: repeated if the retrieve is undone
    require(w_.retriever == RetrieverCall::kRinging && w_.retriever_number == action.retriever, w_,
            "a retriever is offered that does not wait");
    w_.call_back_is_due = false;
    offer(action.question, Hears::kRetriever);
  }
  void operator()(const OfferPeer& action) {
    require(w_.peer_alive, w_, "a peer is offered that is gone");
    offer(action.question, Hears::kPeer);
  }
  void operator()(const EndCaller&) {
    require(w_.caller_alive, w_, "BYE to a caller that is gone");
    w_.caller_alive = false;
  }
  void operator()(const Bridge&) {
    require(!w_.bridged, w_, "bridged twice");
    w_.bridged = true;
    w_.caller_is_ours = true;
  }
  void operator()(const Unbridge&) {
    require(w_.bridged, w_, "a bridge is removed that is not there");
    w_.bridged = false;
  }
  void operator()(const EndPeer&) {
    require(w_.peer_alive, w_, "BYE to a peer that is gone");
    w_.peer_alive = false;
  }
  void operator()(const AcceptReferral&) {
    require(w_.refer_open && !w_.refer_accepted, w_, "a 202 without a REFER");
    w_.refer_accepted = w_.parker_was_sent = true;
  }
  void operator()(const ConcludeReferral&) {
    require(w_.refer_open, w_, "a NOTIFY without a REFER");
    require_parked();
    w_.refer_open = w_.refer_accepted = false;
    w_.call_back_is_due = w_.learns_orbit == ParkerLearnsOrbit::kByCallBack;
  }
  void operator()(const RefuseReferral&) {
    require(w_.refer_open, w_, "the refusal of a REFER that does not wait");
    require(!w_.refer_accepted || w_.caller_was_asked, w_, "a call is left as it was, but for the CSeq of the NOTIFYs");
    w_.refer_open = w_.refer_accepted = false;
  }
  void operator()(const AnnounceOrbit&) {
    require(w_.parker_call == ParkerCall::kUnanswered, w_, "an announcement without a call that waits");
    require_parked();
    w_.parker_call = ParkerCall::kAnnouncing;
    w_.learns_orbit = ParkerLearnsOrbit::kItself;
  }
  void operator()(const RefuseParkerCall&) {
    require(w_.parker_call == ParkerCall::kUnanswered, w_, "the refusal of a feature call that does not wait");
    require(!w_.caller_was_asked || !w_.caller_alive || w_.adoption_kept, w_,
            "a parker is left alone with a caller that has a CSeq of parkd's");
    w_.parker_call = ParkerCall::kNone;
  }
  void operator()(const KeepAdoption&) {
    require(w_.parker_call == ParkerCall::kUnanswered || std::exchange(w_.keep_is_due, false), w_,
            "the adoption is kept by a call that has not failed");
    w_.adoption_kept = true;
  }
  void operator()(const EndAnnouncement&) {
    require(w_.parker_call == ParkerCall::kAnnouncing, w_, "an announcement ended that is not played");
    w_.parker_call = ParkerCall::kNone;
  }
  void operator()(const CallParkerBack&) {
    require(std::exchange(w_.call_back_is_due, false), w_, "a parker is called back that knows the orbit");
    require(!w_.peer_alive, w_, "a parker is called back that still has the call");
  }
  void operator()(const AnswerRetriever& action) {
    require_retriever(RetrieverCall::kRinging, action.retriever);
    require(w_.hears == Hears::kRetriever, w_, "a retriever is answered that the caller does not hear");
    w_.retriever = RetrieverCall::kAnswered;
  }
  void operator()(const RefuseRetriever& action) { end_retriever(RetrieverCall::kRinging, action.retriever); }
  void operator()(const EndRetriever& action) { end_retriever(RetrieverCall::kAnswered, action.retriever); }
  void operator()(const MakePeer& action) {
    require_retriever(RetrieverCall::kAnswered, action.retriever);
    require(!w_.peer_alive, w_, "two peers");
    w_.retriever = RetrieverCall::kNone;
    w_.peer_alive = true;
    w_.hears = Hears::kPeer;
  }
  void operator()(const CallTarget& action) {
    require(w_.target == TargetCall::kNone, w_, "a second target is called");
    w_.target = TargetCall::kCalling;
    w_.target_question = action.question;
  }
  void operator()(const OfferTarget& action) {
    require(w_.target == TargetCall::kAnswered, w_, "a target is offered that has not answered");
    w_.call_back_is_due = false;
    offer(action.question, Hears::kTarget);
  }
  void operator()(const EndTarget&) {
    require(w_.target != TargetCall::kNone, w_, "a target's call is ended that is not there");
    w_.target = TargetCall::kNone;
  }
  void operator()(const MakeTargetPeer&) {
    require(w_.target == TargetCall::kAnswered && !w_.peer_alive, w_, "two peers");
    w_.target = TargetCall::kNone;
    w_.peer_alive = true;
    require(w_.hears == Hears::kTarget, w_, "a peer that the caller does not hear");
    w_.hears = Hears::kPeer;
  }
  void operator()(const CallRecallTarget& action) {
    require(w_.row == Row::kParked, w_, "a recall of a call that is not parked");
    require(w_.segment == OpenSegment{SegmentKind::kRecall, action.target}, w_, "an attempt without its segment");
    require(action.target != RecallTarget::kNone, w_, "a recall without a target");
    require(w_.recall_deadline_is_set, w_, "no time to answer");
    require(!w_.rings_after_fallback, w_, "the recall goes on after its last step");
    w_.rings_after_fallback = action.target == RecallTarget::kFallback;
    (*this)(CallTarget{action.question});
  }
  void operator()(const ClaimForTarget& action) {
    require(w_.target == TargetCall::kAnswered, w_, "claimed for a target that has not answered");
    require(!w_.recall_claim || w_.recall_claim_is_doomed, w_, "two claims at once");
    w_.recall_claim = action.question;
    w_.recall_claim_is_doomed = false;
  }
  void operator()(const SetRecallDeadline&) { w_.recall_deadline_is_set = true; }
  void operator()(const ConcludeTransfer&) { conclude_transfer(); }
  void operator()(const RefuseTransfer&) { conclude_transfer(); }
  void operator()(const StartTimer& action) { w_.timers.start(action.timer); }
  void operator()(const StopTimer& action) { w_.timers.stop(action.timer); }
  void operator()(const Dismiss&) {
    require(!w_.dismissed, w_, "dismissed twice");
    require(!w_.caller_was_asked || !w_.caller_alive, w_, "a caller is left to its parker with a CSeq of parkd's");
    const bool has_bye_to_come = w_.peer_alive && !w_.caller_alive;
    require(!has_bye_to_come || (!w_.parker_was_sent && !w_.caller_was_asked), w_,
            "a peer that parkd came between is left to the caller's own BYE");
    w_.dismissed = true;
    w_.timers.stop_all();
    w_.offers.clear();
    w_.bridged = false;
  }

 private:
  void conclude_transfer() {
    require(w_.transfer_open, w_, "a transfer is concluded that was not asked for");
    w_.transfer_open = false;
  }
  void offer(Question question, Hears what) {
    require(w_.caller_alive, w_, "a re-INVITE to a caller that is gone");
    require(!w_.bridged, w_, "a re-INVITE crosses what the bridge passes on");
    require(!w_.refer_open || w_.refer_accepted, w_, "a caller is asked before the REFER has its answer");
    w_.offers.push_back({question, what});
    w_.caller_was_asked = true;
  }
  void free_orbit() {
    require(w_.row != Row::kNone || w_.claim, w_, "an orbit is freed that is not held");
    require(w_.proposal != Proposal::kNextStay, w_, "a talk goes on in a stay that never was");
    w_.proposal = Proposal::kNone;
    w_.row = Row::kRetrieved;
    w_.claim_is_doomed = w_.claim.has_value();
    w_.write_is_overtaken = true;
  }
  void require_parked() {
    require(w_.row == Row::kParked || w_.row == Row::kRetrieving, w_,
            "the parker learns of it before the row is written");
    require(w_.proposal == Proposal::kNone && w_.has_stay, w_, "the parker learns of it before the stay is committed");
  }
  void require_retriever(RetrieverCall stage, Retriever number) {
    require(w_.retriever == stage && w_.retriever_number == number, w_, "an action on a retriever that is not there");
  }
  void end_retriever(RetrieverCall stage, Retriever number) {
    require_retriever(stage, number);
    w_.retriever = RetrieverCall::kNone;
  }

  World& w_;
};

/// Writes down what happened. The actions of its decision are still to come, but for CommitStay.
inline void write_down(World& w, const Happening& happening) {
  using Kind = Happening::Kind;
  require(!w.end_is_recorded, w, "something is recorded after the end");
  if (happening.kind == Kind::kParked) {
    require(w.has_stay, w, "a stay is recorded that was not committed");
    require(w.stay_record == StayRecord::kNone, w, "a stay is recorded as parked twice");
    w.stay_record = StayRecord::kParked;
    w.was_parked = true;
    return;
  }
  require(w.was_parked, w, "something is recorded of a call that was never parked");
  require(w.stay_record != StayRecord::kNone, w, "something is recorded of a stay that is not recorded as parked");
  if (happening.kind == Kind::kRetrieved || happening.kind == Kind::kRecalled) {
    require(w.stay_record == StayRecord::kParked, w, "a stay is recorded as retrieved or recalled twice, or as both");
    const bool is_recall = happening.kind == Kind::kRecalled;
    require(w.hears == (is_recall ? Hears::kTarget : Hears::kRetriever), w, "another has the caller than is recorded");
    require((happening.target == RecallTarget::kFallback) == w.rings_after_fallback, w, "another target is recorded");
    w.stay_record = StayRecord::kJoined;
    return;
  }
  require((happening.kind == Kind::kGaveUp) == (happening.reason == EndReason::kGaveUp), w,
          "an end without its reason");
  if (happening.kind == Kind::kGaveUp || happening.reason == EndReason::kTimedOut) {
    require(w.stay_record == StayRecord::kParked, w,
            "a caller that does not wait is recorded as one that waited too long");
  }
  require(happening.kind != Kind::kGaveUp || !w.caller_alive, w, "a caller has given up and is there");
  w.end_is_recorded = true;
}

}  // namespace callpark::park
