// Walks through every state that the park machine and the world around it can reach: every answer the world owes may
// come next, in any order, late ones too. Each state is checked against what must always be true, and from each the end
// must be reachable. Machines with one fault each are walked through too, and every fault must be found.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/match.h"
#include "parkd/park/decide.h"
#include "parkd/park/recall.h"

namespace callpark::park {
namespace {

enum class Row { kNone, kAdopting, kParked, kRetrieving, kRetrieved };
enum class Hears { kPeer, kMusic, kRetriever, kTarget, kNothing };
enum class ParkerCall { kNone, kUnanswered, kAnnouncing };
enum class TargetCall { kNone, kCalling, kAnswered };
enum class RetrieverCall { kNone, kRinging, kAnswered };

struct Offer {
  Question question;
  Hears what;
};

// Everything around the machine. Numbers of questions stand for themselves until canonical() renames them.
struct World {
  State machine;
  std::optional<Question> claim;
  bool claim_is_doomed = false;  // the row was ordered to be removed before the claim was answered
  std::optional<Question> recall_claim;
  bool recall_claim_is_doomed = false;  // a retriever was first; only the answer is late
  std::optional<Question> write;
  bool write_is_overtaken = false;  // later orders about the row have been carried out; only the answer is late
  std::optional<Question> opening;
  bool media_open = false;
  bool may_move = true;
  std::vector<Offer> offers;
  Row row = Row::kNone;
  Hears hears = Hears::kPeer;
  bool caller_alive = true;
  bool caller_was_asked = false;  // a CSeq of parkd's has reached him, which the parker's would not
  bool caller_is_ours = false;
  bool peer_alive = true;
  bool bridged = false;
  bool refer_open = false;
  bool refer_accepted = false;        // of the open one: its NOTIFYs have passed the caller's CSeq
  bool parker_is_to_be_told = false;  // his REFER was accepted, and he may not know of the orbit
  ParkerCall parker_call = ParkerCall::kNone;
  RetrieverCall retriever = RetrieverCall::kNone;
  Retriever retriever_number = 0;
  TargetCall target = TargetCall::kNone;
  Question target_question = 0;
  bool transfer_open = false;
  int transfers_left = 1;
  bool retriever_is_decided = false;  // his ACK has come, or will never come
  bool recall_deadline_is_set = true;
  bool rings_after_fallback = false;  // the fallback has been called: nobody comes after it
  int retrieves_left = 2;
  int reparks_left = 1;
  int replacements_left = 1;
  std::set<Timer> timers;
  bool dismissed = false;
};

using Machine = std::function<Decision(const State&, const Event&)>;

struct Violation {
  std::string what;
};

std::string_view phase_name(const State& state) {
  static constexpr std::string_view kNames[] = {"Gathering",  "Adopting",  "Recording",    "Parked",     "Joining",
                                                "Confirming", "Talking",   "Transferring", "Connecting", "Replacing",
                                                "Restoring",  "Recalling", "Returning",    "Ended"};
  static_assert(std::size(kNames) == std::variant_size_v<Phase>);
  return kNames[state.phase.index()];
}

std::string_view event_name(const Event& event) {
  static constexpr std::string_view kNames[] = {
      "ParkAsked",          "ParkerReferred",   "TransferAsked",      "TargetAnswered", "TargetRefused",
      "RecallClaimed",      "RecallNotClaimed", "ReplacementAsked",   "OrbitClaimed",   "OrbitRefused",
      "RowWritten",         "RowNotWritten",    "MediaOpened",        "MediaFailed",    "MediaMoved",
      "CallerAccepted",     "CallerRefused",    "CallerGone",         "PeerGone",       "ParkerCallGone",
      "AnnouncementPlayed", "CallClaimed",      "RetrieverConfirmed", "RetrieverGone",  "RetrieverLost",
      "TimerFired"};
  static_assert(std::size(kNames) == std::variant_size_v<Event>);
  return kNames[event.index()];
}

template <class P>
bool in(const World& world) {
  return std::holds_alternative<P>(world.machine.phase);
}

void require(bool condition, const World& world, std::string_view what) {
  if (!condition) throw Violation{std::string(what) + " in " + std::string(phase_name(world.machine))};
}

// ------------------------------------------------------------------------------------------ the world obeys the
// machine

class Obey {
 public:
  explicit Obey(World& world) : w_(world) {}

  void operator()(const ClaimOrbit& order) {
    require(!w_.claim, w_, "two claims at once");
    w_.claim = order.question;
    w_.rings_after_fallback = false;  // each park has its own ladder
    w_.claim_is_doomed = false;
  }
  void operator()(const WriteParked& order) {
    require(w_.row != Row::kNone && w_.row != Row::kRetrieved, w_, "a row is completed that is not there");
    w_.write = order.question;
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
    w_.row = Row::kNone;
    w_.claim_is_doomed = w_.claim.has_value();
    w_.write_is_overtaken = true;
  }
  void operator()(const OpenMedia& order) {
    require(!w_.media_open && !w_.opening, w_, "a second media session");
    w_.opening = order.question;
  }
  void operator()(const CloseMedia&) {
    require(w_.media_open || w_.opening, w_, "media closed that is not open");
    w_.media_open = false;
    w_.opening.reset();
  }
  void operator()(const OfferMusic& order) {
    require(w_.media_open, w_, "music is offered without a media session");
    offer(order.question, Hears::kMusic);
  }
  void operator()(const OfferRetriever& order) {
    w_.rings_after_fallback = false;  // cut short: once more, should the retrieve be undone
    require(w_.retriever == RetrieverCall::kRinging && w_.retriever_number == order.retriever, w_,
            "somebody is offered who does not wait");
    w_.parker_is_to_be_told = false;
    offer(order.question, Hears::kRetriever);
  }
  void operator()(const OfferPeer& order) {
    require(w_.peer_alive, w_, "a peer is offered who is gone");
    offer(order.question, Hears::kPeer);
  }
  void operator()(const EndCaller&) {
    require(w_.caller_alive, w_, "BYE to a caller who is gone");
    w_.caller_alive = false;
  }
  void operator()(const Bridge&) {
    require(!w_.bridged, w_, "bridged twice");
    w_.bridged = true;
    w_.caller_is_ours = true;
  }
  void operator()(const Unbridge&) {
    require(w_.bridged, w_, "a bridge taken down that does not stand");
    w_.bridged = false;
  }
  void operator()(const EndPeer&) {
    require(w_.peer_alive, w_, "BYE to a peer who is gone");
    w_.peer_alive = false;
  }
  void operator()(const AcceptPark&) {
    require(w_.row == Row::kParked || w_.row == Row::kRetrieving, w_, "the parker is told before the row is written");
    require(w_.refer_open || w_.parker_call == ParkerCall::kUnanswered, w_, "an acceptance that nobody waits for");
    if (std::exchange(w_.refer_open, false)) {
      w_.refer_accepted = false;
      w_.parker_is_to_be_told = true;
      return;
    }
    w_.parker_call = ParkerCall::kAnnouncing;
  }
  void operator()(const AcceptRefer&) {
    require(w_.refer_open && !w_.refer_accepted, w_, "a 202 that nobody waits for");
    w_.refer_accepted = true;
  }
  void operator()(const TellParker&) {
    require(std::exchange(w_.parker_is_to_be_told, false), w_, "the parker is told twice, or for nothing");
    require(!w_.peer_alive, w_, "a parker is called back who still has the call");
  }
  void operator()(const RefusePark&) {
    require(w_.refer_open || w_.parker_call == ParkerCall::kUnanswered, w_, "a refusal that nobody waits for");
    require(!w_.refer_accepted || w_.caller_was_asked, w_, "a call is left as it was, but for the CSeq of the NOTIFYs");
    w_.refer_open = w_.refer_accepted = false;
    w_.parker_call = ParkerCall::kNone;
  }
  void operator()(const KeepAdoption&) {
    require(w_.parker_call == ParkerCall::kNone, w_, "the adoption is kept by a call that is not given up");
  }
  void operator()(const EndParkerCall&) {
    require(w_.parker_call == ParkerCall::kAnnouncing, w_, "a feature call ended that is not up");
    w_.parker_call = ParkerCall::kNone;
  }
  void operator()(const AnswerRetriever& order) {
    require_retriever(RetrieverCall::kRinging, order.retriever);
    require(w_.hears == Hears::kRetriever, w_, "a retriever is answered whom the caller does not hear");
    w_.retriever = RetrieverCall::kAnswered;
  }
  void operator()(const RefuseRetriever& order) { end_retriever(RetrieverCall::kRinging, order.retriever); }
  void operator()(const EndRetriever& order) { end_retriever(RetrieverCall::kAnswered, order.retriever); }
  void operator()(const MakePeer& order) {
    require_retriever(RetrieverCall::kAnswered, order.retriever);
    require(!w_.peer_alive, w_, "two peers");
    w_.retriever = RetrieverCall::kNone;
    w_.peer_alive = true;
    w_.hears = Hears::kPeer;
  }
  void operator()(const CallTarget& order) {
    require(w_.target == TargetCall::kNone, w_, "a second target is called");
    w_.target = TargetCall::kCalling;
    w_.target_question = order.question;
  }
  void operator()(const OfferTarget& order) {
    require(w_.target == TargetCall::kAnswered, w_, "a target is offered who has not answered");
    w_.parker_is_to_be_told = false;
    offer(order.question, Hears::kTarget);
  }
  void operator()(const EndTarget&) {
    require(w_.target != TargetCall::kNone, w_, "a target's call is ended that is not there");
    w_.target = TargetCall::kNone;
  }
  void operator()(const MakeTargetPeer&) {
    require(w_.target == TargetCall::kAnswered && !w_.peer_alive, w_, "two peers");
    w_.target = TargetCall::kNone;
    w_.peer_alive = true;
    require(w_.hears == Hears::kTarget, w_, "a peer whom the caller does not hear");
    w_.hears = Hears::kPeer;
  }
  void operator()(const CallRecallTarget& order) {
    require(w_.row == Row::kParked, w_, "somebody is called back for a call that is not parked");
    require(order.target != RecallTarget::kNone, w_, "a recall of nobody");
    require(w_.recall_deadline_is_set, w_, "no time to answer");
    require(!w_.rings_after_fallback, w_, "the ladder goes on behind its end");
    w_.rings_after_fallback = order.target == RecallTarget::kFallback;
    (*this)(CallTarget{order.question});
  }
  void operator()(const ClaimForTarget& order) {
    require(w_.target == TargetCall::kAnswered, w_, "claimed for nobody");
    require(!w_.recall_claim || w_.recall_claim_is_doomed, w_, "two claims at once");
    w_.recall_claim = order.question;
    w_.recall_claim_is_doomed = false;
  }
  void operator()(const SetRecallDeadline&) { w_.recall_deadline_is_set = true; }
  void operator()(const AcceptTransfer&) { conclude_transfer(); }
  void operator()(const RefuseTransfer&) { conclude_transfer(); }
  void operator()(const StartTimer& order) { w_.timers.insert(order.timer); }
  void operator()(const StopTimer& order) { w_.timers.erase(order.timer); }
  void operator()(const Dismiss&) {
    require(!w_.dismissed, w_, "dismissed twice");
    require(!w_.caller_was_asked || !w_.caller_alive, w_, "a caller is left to his parker with a CSeq of ours");
    w_.dismissed = true;
    w_.timers.clear();
    w_.offers.clear();
    w_.bridged = false;
  }

 private:
  void conclude_transfer() {
    require(w_.transfer_open, w_, "a transfer is concluded that nobody asked for");
    w_.transfer_open = false;
  }
  void offer(Question question, Hears what) {
    require(w_.caller_alive, w_, "a re-INVITE to a caller who is gone");
    require(!w_.bridged, w_, "a re-INVITE crosses what the bridge passes on");
    require(!w_.refer_open || w_.refer_accepted, w_, "a caller is asked, and the REFER still waits for its answer");
    w_.offers.push_back({question, what});
    w_.caller_was_asked = true;
  }
  void free_orbit() {
    require(w_.row != Row::kNone || w_.claim, w_, "an orbit is freed that is not held");
    w_.row = Row::kRetrieved;
    w_.claim_is_doomed = w_.claim.has_value();
    w_.write_is_overtaken = true;
  }
  void require_retriever(RetrieverCall stage, Retriever number) {
    require(w_.retriever == stage && w_.retriever_number == number, w_, "an order about a retriever who is not there");
  }
  void end_retriever(RetrieverCall stage, Retriever number) {
    require_retriever(stage, number);
    w_.retriever = RetrieverCall::kNone;
  }

  World& w_;
};

// --------------------------------------------------------------------------------------------- what must always be
// true

void check(const World& w) {
  const bool ended = in<Ended>(w);
  require(ended == w.dismissed, w, "ended, but not dismissed, or the other way round");
  if (ended) {
    require(!w.refer_open && w.parker_call == ParkerCall::kNone, w, "the parker is owed an answer");
    require(w.retriever == RetrieverCall::kNone, w, "a retriever is owed an answer");
    require(w.row == Row::kNone, w, "a row outlives its call");
    require(w.target == TargetCall::kNone && !w.transfer_open, w, "a transfer outlives its call");
    require(!w.media_open && !w.opening, w, "a media session outlives its call");
    if (w.caller_is_ours) require(!w.caller_alive && !w.peer_alive, w, "a leg outlives its call");
    if (!w.peer_alive) require(!w.caller_alive, w, "a caller is left with nobody");
    return;
  }
  require(!in<Gathering>(w) || w.claim || w.opening, w, "waiting for nothing");
  require(!in<Adopting>(w) || !w.offers.empty(), w, "waiting for nothing");
  require(!in<Recording>(w) || w.write, w, "waiting for nothing");
  require(!in<Transferring>(w) || w.target == TargetCall::kCalling, w, "waiting for nothing");
  require(!in<Connecting>(w) || !w.offers.empty(), w, "waiting for nothing");
  require(!in<Replacing>(w) || (!w.offers.empty() && w.retriever == RetrieverCall::kRinging), w, "waiting for nothing");
  require(!in<Restoring>(w) || !w.offers.empty(), w, "waiting for nothing");
  const bool transfers = in<Transferring>(w) || in<Connecting>(w);
  using Recall = Parked::Recall;
  const auto* parked = std::get_if<Parked>(&w.machine.phase);
  const bool recalls =
      in<Recalling>(w) || (parked && (parked->recall == Recall::kCalling || parked->recall == Recall::kClaiming));
  require(transfers == w.transfer_open, w, "a transfer left alone");
  require((transfers || recalls) == (w.target != TargetCall::kNone), w, "somebody is called for nothing");
  require(!in<Recalling>(w) || (!w.offers.empty() && w.row == Row::kRetrieving), w, "waiting for nothing");
  if (parked) {
    const bool is_off = w.machine.policy.mode == RecallMode::kOff;
    require(is_off == (parked->recall == Recall::kNone), w,
            "a parked call that is not called back, or against its will");
    const bool is_timed = w.timers.count(Timer::kRecall) == 1;
    require(parked->recall != Recall::kWaiting || is_timed, w, "a recall that waits for nothing");
    require(parked->recall != Recall::kWriting || w.write, w, "a recall that waits for nothing");
    require(parked->recall != Recall::kCalling || (w.target == TargetCall::kCalling && is_timed), w,
            "a phone that rings for ever");
    require(parked->recall != Recall::kClaiming || w.recall_claim, w, "a recall that waits for nothing");
  }
  require(!in<Joining>(w) || !w.offers.empty(), w, "waiting for nothing");
  require(!in<Returning>(w) || !w.offers.empty(), w, "waiting for nothing");
  const bool waits = in<Parked>(w) || in<Joining>(w) || in<Recalling>(w) || in<Recording>(w) || in<Returning>(w);
  if (in<Parked>(w)) {
    require(w.timers.count(Timer::kGiveUp) == 1, w, "a parked call without a timer");
    require(w.row == Row::kParked, w, "a parked call that nobody can retrieve");
    require(!w.parker_is_to_be_told || w.peer_alive, w, "a parker who never learns where his call is");
    const bool will_change = !w.offers.empty() || w.opening || w.timers.count(Timer::kMusicRetry) == 1;
    require(will_change || (w.hears == Hears::kMusic && w.media_open), w, "a parked caller without music");
  }
  if (!waits && !in<Gathering>(w) && !in<Adopting>(w)) {
    require(!w.media_open && !w.opening, w, "music while nobody waits");
  }
  const bool holds = w.row == Row::kAdopting || w.row == Row::kParked || w.row == Row::kRetrieving;
  require(holds == (w.machine.orbit == Orbit::kHeld), w, "the orbit is held, or free, by the database alone");
  if (in<Talking>(w)) {
    require(w.bridged && w.peer_alive && w.caller_alive, w, "a talk without two parties and a bridge");
    require(w.hears == Hears::kPeer, w, "a talking caller who does not hear his peer");
    require(w.row == Row::kRetrieved, w, "a talk that a restart would not find");
  }
  require(!(w.bridged && w.hears == Hears::kMusic), w, "a bridge to a caller who hears music");
  if (in<Confirming>(w)) require(w.retriever == RetrieverCall::kAnswered, w, "waiting for nobody's ACK");
  require(!w.retriever_is_decided || w.retriever == RetrieverCall::kNone, w, "a retriever is left between two states");
  if (in<Joining>(w)) require(w.retriever == RetrieverCall::kRinging, w, "joining nobody");
  const bool is_served = in<Joining>(w) || in<Confirming>(w) || in<Replacing>(w);
  require(is_served || w.retriever == RetrieverCall::kNone, w, "somebody calls, and nobody sees to him");
}

// -------------------------------------------------------------------------------------------------- what may come next

struct Next {
  Event event;
  std::function<void(World&)> before;  // what is true in the world by the time that the machine is told
};

std::vector<Next> next_events(const World& w) {
  std::vector<Next> next;
  const auto add = [&next](Event event, std::function<void(World&)> before) {
    next.push_back({std::move(event), std::move(before)});
  };
  if (w.claim) {
    add(OrbitClaimed{*w.claim}, [](World& x) {
      if (!x.claim_is_doomed) x.row = Row::kAdopting;
      x.claim.reset();
    });
    add(OrbitRefused{*w.claim, RefusalReason::kOrbitTaken}, [](World& x) { x.claim.reset(); });
  }
  if (w.recall_claim) {
    if (w.row == Row::kParked && !w.recall_claim_is_doomed) {
      add(RecallClaimed{*w.recall_claim}, [](World& x) {
        x.row = Row::kRetrieving;
        x.recall_claim.reset();
      });
    }
    add(RecallNotClaimed{*w.recall_claim}, [](World& x) { x.recall_claim.reset(); });
  }
  if (w.write) {
    add(RowWritten{*w.write}, [](World& x) {
      if (x.row == Row::kAdopting && !x.write_is_overtaken) x.row = Row::kParked;
      x.write.reset();
    });
    add(RowNotWritten{*w.write}, [](World& x) { x.write.reset(); });
  }
  if (w.opening) {
    add(MediaOpened{*w.opening}, [](World& x) {
      x.media_open = true;
      x.opening.reset();
    });
    add(MediaFailed{*w.opening}, [](World& x) { x.opening.reset(); });
  }
  if (w.media_open && w.may_move) {
    add(MediaMoved{w.machine.media_question}, [](World& x) {
      x.may_move = false;
      // What he hears now comes from nowhere; told apart from music only by being wrong.
      if (x.hears == Hears::kMusic) x.hears = Hears::kRetriever;
    });
  }
  // Offers are answered in the order in which they were made, also those that a later one has overtaken.
  if (!w.offers.empty() && w.caller_alive) {
    const Offer offer = w.offers.front();
    add(CallerAccepted{offer.question}, [offer](World& x) {
      x.offers.erase(x.offers.begin());
      x.hears = offer.what;
      x.caller_is_ours = true;
    });
    add(CallerRefused{offer.question}, [](World& x) { x.offers.erase(x.offers.begin()); });
    if (offer.what == Hears::kMusic || offer.what == Hears::kRetriever) {
      add(CallerRefused{offer.question, true}, [](World& x) {
        x.offers.erase(x.offers.begin());
        x.hears = Hears::kNothing;
        x.caller_is_ours = true;
      });
    }
  }
  if (w.caller_alive && (w.caller_is_ours || !w.offers.empty())) {
    add(CallerGone{}, [](World& x) {
      x.caller_alive = false;
      x.offers.clear();
    });
  }
  if (w.peer_alive) add(PeerGone{}, [](World& x) { x.peer_alive = false; });
  if (w.parker_call != ParkerCall::kNone) add(ParkerCallGone{}, [](World& x) { x.parker_call = ParkerCall::kNone; });
  if (w.parker_call == ParkerCall::kAnnouncing) {
    add(AnnouncementPlayed{}, [](World&) {});
    // In the dialog that he parked, so only while that is up; the peer of a talk is the retriever.
    const bool talks =
        in<Talking>(w) || in<Transferring>(w) || in<Connecting>(w) || in<Replacing>(w) || in<Restoring>(w);
    if (w.peer_alive && !talks) add(ParkerReferred{}, [](World& x) { x.refer_open = true; });
  }
  if (w.row == Row::kParked && w.retriever == RetrieverCall::kNone && w.retrieves_left > 0) {
    add(CallClaimed{w.retriever_number + 1}, [](World& x) {
      x.row = Row::kRetrieving;
      x.recall_claim_is_doomed = true;
      x.retriever = RetrieverCall::kRinging;
      x.retriever_is_decided = false;
      ++x.retriever_number;
      --x.retrieves_left;
    });
  }
  // Also when another transfer is under way.
  if (w.bridged && w.row == Row::kRetrieved && w.retriever == RetrieverCall::kNone && w.replacements_left > 0) {
    add(ReplacementAsked{w.retriever_number + 1}, [](World& x) {
      x.retriever = RetrieverCall::kRinging;
      x.retriever_is_decided = false;
      ++x.retriever_number;
      --x.replacements_left;
    });
  }
  if (w.retriever != RetrieverCall::kNone) {
    add(RetrieverGone{w.retriever_number}, [](World& x) { x.retriever = RetrieverCall::kNone; });
  }
  if (w.retriever == RetrieverCall::kAnswered) {
    add(RetrieverConfirmed{w.retriever_number}, [](World& x) { x.retriever_is_decided = true; });
    add(RetrieverLost{w.retriever_number}, [](World& x) { x.retriever_is_decided = true; });
  }
  for (const Timer timer : w.timers) {
    add(TimerFired{timer}, [timer](World& x) {
      x.timers.erase(timer);
      if (timer == Timer::kRecall) x.recall_deadline_is_set = false;
    });
  }
  if (w.target == TargetCall::kCalling) {
    add(TargetAnswered{w.target_question}, [](World& x) { x.target = TargetCall::kAnswered; });
    add(TargetRefused{w.target_question}, [](World& x) { x.target = TargetCall::kNone; });
  }
  if (in<Talking>(w) && w.transfers_left > 0) {
    add(TransferAsked{}, [](World& x) {
      --x.transfers_left;
      x.transfer_open = true;
    });
  }
  if (in<Talking>(w) && w.reparks_left > 0) {
    add(ParkAsked{Request::kRefer, w.machine.policy}, [](World& x) {
      --x.reparks_left;
      x.refer_open = true;
    });
    if (w.parker_call == ParkerCall::kNone) {
      add(ParkAsked{Request::kCall, w.machine.policy}, [](World& x) {
        --x.reparks_left;
        x.parker_call = ParkerCall::kUnanswered;
      });
    }
  }
  return next;
}

// --------------------------------------------------------------------------------------------------------- the walking

// Questions are only ever compared, so worlds that differ in nothing but their numbers are one.
void canonical(World& w) {
  std::vector<Question*> live;
  const auto use = [&live](Question& question) { live.push_back(&question); };
  std::visit(overloaded{[&](Gathering& p) { use(p.claim); }, [&](Adopting& p) { use(p.offer); },
                        [&](Recording& p) { use(p.write); },
                        [&](Parked& p) {
                          if (p.offer) use(*p.offer);
                          if (p.recall == Parked::Recall::kNone || p.recall == Parked::Recall::kWaiting) {
                            p.recall_question = 0;
                          } else {
                            use(p.recall_question);
                          }
                        },
                        [&](Joining& p) { use(p.offer); }, [](Confirming&) {}, [](Talking&) {},
                        [&](Transferring& p) { use(p.call); }, [&](Connecting& p) { use(p.offer); },
                        [&](Replacing& p) { use(p.offer); }, [&](Restoring& p) { use(p.offer); },
                        [&](Recalling& p) { use(p.offer); }, [&](Returning& p) { use(p.offer); }, [](Ended&) {}},
             w.machine.phase);
  if (w.media_open || w.opening) {
    use(w.machine.media_question);
  } else {
    w.machine.media_question = 0;
  }
  for (auto* question : {&w.claim, &w.recall_claim, &w.write, &w.opening}) {
    if (*question) use(**question);
  }
  for (Offer& offer : w.offers) use(offer.question);
  if (w.target == TargetCall::kCalling)
    use(w.target_question);
  else
    w.target_question = 0;
  std::vector<Question> numbers;
  for (const Question* question : live) numbers.push_back(*question);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (Question* question : live) {
    const auto place = std::lower_bound(numbers.begin(), numbers.end(), *question);
    *question = static_cast<Question>(place - numbers.begin()) + 1;
  }
  w.machine.last_question = static_cast<Question>(numbers.size());
}

std::string key_of(const World& w) {
  std::string key;
  key.reserve(96);
  // Each is small: an enumerator, a flag, or a question after canonical().
  const auto put = [&key](auto value) { key.push_back(static_cast<char>(value)); };
  const auto put_question = [&](const std::optional<Question>& question) { put(question ? *question : 0); };
  put(w.machine.phase.index());
  std::visit(overloaded{[&](const Gathering& p) { put(p.claim); }, [&](const Adopting& p) { put(p.offer); },
                        [&](const Recording& p) { put(p.write); },
                        [&](const Parked& p) {
                          put_question(p.offer);
                          put(p.recall);
                          put(p.recall_question);
                        },
                        [&](const Joining& p) { put(p.offer); }, [](const Confirming&) {}, [](const Talking&) {},
                        [&](const Transferring& p) { put(p.call); }, [&](const Connecting& p) { put(p.offer); },
                        [&](const Replacing& p) { put(p.offer); }, [&](const Restoring& p) { put(p.offer); },
                        [&](const Recalling& p) { put(p.offer); }, [&](const Returning& p) { put(p.offer); },
                        [](const Ended&) {}},
             w.machine.phase);
  const RecallPolicy& policy = w.machine.policy;
  const Ladder& ladder = w.machine.ladder;
  for (const int value : {static_cast<int>(policy.mode), static_cast<int>(policy.attempts_max),
                          static_cast<int>(ladder.target), static_cast<int>(ladder.attempts)}) {
    put(value);
  }
  for (const bool flag : {policy.has_fallback, ladder.is_calling, w.recall_deadline_is_set, w.rings_after_fallback,
                          w.parker_is_to_be_told})
    put(flag);
  for (const int value :
       {static_cast<int>(w.machine.request), static_cast<int>(w.machine.caller), static_cast<int>(w.machine.peer),
        static_cast<int>(w.machine.orbit), static_cast<int>(w.machine.media), static_cast<int>(w.row),
        static_cast<int>(w.hears), static_cast<int>(w.parker_call), static_cast<int>(w.retriever),
        static_cast<int>(w.target), w.retrieves_left, w.transfers_left, w.reparks_left, w.replacements_left}) {
    put(value);
  }
  for (const bool flag : {w.claim_is_doomed, w.write_is_overtaken, w.media_open, w.may_move, w.caller_alive,
                          w.caller_was_asked, w.caller_is_ours, w.peer_alive, w.bridged, w.refer_open, w.refer_accepted,
                          w.transfer_open, w.retriever_is_decided, w.dismissed, w.recall_claim_is_doomed}) {
    put(flag);
  }
  put(w.machine.media_question);
  put(w.target_question);
  for (const auto& question : {w.claim, w.recall_claim, w.write, w.opening}) put_question(question);
  put(w.offers.size());
  for (const Offer& offer : w.offers) {
    put(offer.question);
    put(offer.what);
  }
  for (const Timer timer : w.timers) put(timer);
  return key;
}

struct Exploration {
  std::size_t worlds = 0;
  std::optional<std::string> violation;
};

World obey(World world, const Decision& decision) {
  world.machine = decision.next;
  for (const Action& action : decision.actions) std::visit(Obey(world), action);
  check(world);
  canonical(world);
  return world;
}

void begin_with(const RecallPolicy& policy, std::vector<World>& worlds) {
  World nothing;
  if (policy.mode != RecallMode::kOff) {
    // A recall is walked through with one retriever and one more park; without, everything else is.
    nothing.retrieves_left = 1;
    nothing.transfers_left = nothing.replacements_left = 0;
  }
  World refer = nothing;
  refer.refer_open = true;
  worlds.push_back(obey(refer, begin(Request::kRefer, policy)));
  World call = nothing;
  call.parker_call = ParkerCall::kUnanswered;
  worlds.push_back(obey(call, begin(Request::kCall, policy)));
  World found = nothing;
  found.caller_was_asked = found.caller_is_ours = true;
  found.row = Row::kParked;
  found.hears = Hears::kMusic;
  worlds.push_back(obey(found, resume(Found::kParked, policy, {})));
  const RecallTarget first = next_target(policy, {});
  const Ladder calling = climb(policy, {}, first);
  if (policy.mode != RecallMode::kOff) worlds.push_back(obey(found, resume(Found::kParked, policy, calling)));
  World uncertain = found;
  uncertain.row = Row::kRetrieving;
  uncertain.hears = Hears::kRetriever;
  worlds.push_back(obey(uncertain, resume(Found::kUncertain, policy, {})));
  if (policy.mode != RecallMode::kOff) worlds.push_back(obey(uncertain, resume(Found::kUncertain, policy, calling)));
  World retrieved = found;
  retrieved.row = Row::kRetrieved;
  retrieved.hears = Hears::kPeer;
  worlds.push_back(obey(retrieved, resume(Found::kRetrieved, policy, {})));
}

std::vector<World> beginnings() {
  std::vector<World> worlds;
  begin_with({}, worlds);
  for (const RecallMode mode :
       {RecallMode::kParkerOnly, RecallMode::kParkerThenRingGroup, RecallMode::kRingGroupOnly}) {
    for (const std::uint32_t attempts_max : {0U, 1U, 2U}) {
      if (mode != RecallMode::kParkerOnly && attempts_max != 1) continue;  // they do not ask how often
      for (const bool has_fallback : {false, true}) begin_with({mode, attempts_max, has_fallback}, worlds);
    }
  }
  return worlds;
}

// How a world was first come to: from which other, and what happened there.
struct Step {
  std::size_t from = 0;
  std::string_view phase;
  std::string_view event;
};

std::string way_to(const std::vector<Step>& steps, Step last) {
  std::string way;
  for (; !last.event.empty(); last = steps[last.from]) {
    way = std::string(last.phase) + ": " + std::string(last.event) + "\n" + way;
  }
  return way;
}

Exploration explore(const Machine& machine) {
  Exploration result;
  std::unordered_map<std::string, std::size_t> seen;
  std::deque<World> queue;
  std::vector<std::vector<std::size_t>> predecessors;
  std::vector<bool> can_end;
  std::vector<Step> steps;
  const auto visit = [&](const World& world, const Step& step) {
    const auto [place, is_new] = seen.try_emplace(key_of(world), seen.size());
    if (is_new) {
      predecessors.emplace_back();
      can_end.push_back(in<Ended>(world));
      queue.push_back(world);
      steps.push_back(step);
    }
    if (!step.event.empty()) predecessors[place->second].push_back(step.from);
  };
  try {
    for (const World& world : beginnings()) visit(world, {});
    for (std::size_t number = 0; !queue.empty(); ++number) {
      const World world = std::move(queue.front());
      queue.pop_front();
      if (in<Ended>(world)) continue;
      for (const Next& next : next_events(world)) {
        World told = world;
        next.before(told);
        const Step step{number, phase_name(world.machine), event_name(next.event)};
        try {
          visit(obey(told, machine(told.machine, next.event)), step);
        } catch (Violation& violation) {
          violation.what += " after\n" + way_to(steps, step);
          throw;
        }
      }
    }
  } catch (const Violation& violation) {
    result.violation = violation.what;
    return result;
  }
  result.worlds = seen.size();
  std::deque<std::size_t> ends;
  for (std::size_t i = 0; i < can_end.size(); ++i) {
    if (can_end[i]) ends.push_back(i);
  }
  while (!ends.empty()) {
    const std::size_t end = ends.front();
    ends.pop_front();
    for (const std::size_t before : predecessors[end]) {
      if (can_end[before]) continue;
      can_end[before] = true;
      ends.push_back(before);
    }
  }
  if (std::find(can_end.begin(), can_end.end(), false) != can_end.end()) {
    result.violation = "a call that can never end";
  }
  return result;
}

TEST(ParkExplorer, EveryReachableStateKeepsTheInvariantsAndCanEnd) {
  const Exploration result = explore(decide);
  EXPECT_FALSE(result.violation) << *result.violation;
  std::cout << "the park machine and its world: " << result.worlds << " reachable states\n";
  RecordProperty("reachable_states", std::to_string(result.worlds));
  EXPECT_GT(result.worlds, 1000U);
}

// ------------------------------------------------------------------------------------------------------------- mutants

struct Mutant {
  std::string name;
  Machine machine;
};

template <class A>
Mutant forgets(std::string name) {
  return {"forgets " + std::move(name), [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            auto& actions = decision.actions;
            actions.erase(std::remove_if(actions.begin(), actions.end(),
                                         [](const Action& action) { return std::holds_alternative<A>(action); }),
                          actions.end());
            return decision;
          }};
}

template <class E>
Mutant ignores(std::string name) {
  return {"ignores " + std::move(name), [](const State& state, const Event& event) {
            return std::holds_alternative<E>(event) ? Decision{state, {}} : decide(state, event);
          }};
}

// Takes a late answer for the one to the question that is open now.
template <class E>
Mutant trusts(std::string name, std::function<std::optional<Question>(const State&)> open_question) {
  return {"does not ask which question " + std::move(name) + " answers",
          [open_question](const State& state, const Event& event) {
            Event mended = event;
            if (auto* answer = std::get_if<E>(&mended)) {
              if (const auto question = open_question(state)) answer->question = *question;
            }
            return decide(state, mended);
          }};
}

Mutant believes_an_unusable_answer_changed_nothing() {
  return {"believes that an answer of no use has changed nothing", [](const State& state, const Event& event) {
            const auto* refused = std::get_if<CallerRefused>(&event);
            return decide(state, refused ? CallerRefused{refused->question} : event);
          }};
}

std::optional<Question> open_offer(const State& state) {
  if (const auto* phase = std::get_if<Adopting>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Parked>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Joining>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Connecting>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Replacing>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Restoring>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Recalling>(&state.phase)) return phase->offer;
  if (const auto* phase = std::get_if<Returning>(&state.phase)) return phase->offer;
  return std::nullopt;
}

Mutant tells_the_parker_too_early() {
  return {"tells the parker when the caller has answered, before the row is written",
          [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (std::holds_alternative<CallerAccepted>(event) && std::holds_alternative<Adopting>(state.phase) &&
                std::holds_alternative<Recording>(decision.next.phase) && state.request != Request::kNone) {
              decision.actions.emplace_back(AcceptPark{});
            }
            return decision;
          }};
}

Mutant plays_on_while_they_talk() {
  return {"leaves the music on at the retrieve", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (!std::holds_alternative<Confirming>(decision.next.phase)) return decision;
            auto& actions = decision.actions;
            actions.erase(std::remove_if(actions.begin(), actions.end(),
                                         [](const Action& a) { return std::holds_alternative<CloseMedia>(a); }),
                          actions.end());
            return decision;
          }};
}

Mutant leaves_the_replaced_one_in_his_call() {
  return {"leaves him in his call whose place another takes", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (!std::holds_alternative<Replacing>(state.phase)) return decision;
            auto& actions = decision.actions;
            actions.erase(std::remove_if(actions.begin(), actions.end(),
                                         [](const Action& a) { return std::holds_alternative<EndPeer>(a); }),
                          actions.end());
            return decision;
          }};
}

Mutant does_not_give_back_who_was_to_be_taken_over() {
  return {"bridges as if nothing had been, when who was to take the place gives up",
          [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (!std::holds_alternative<Restoring>(decision.next.phase)) return decision;
            decision.next.phase = Talking{};
            decision.actions = {Bridge{}};
            return decision;
          }};
}

Mutant keeps_the_bridge_while_another_takes_the_place() {
  return {"lets the bridge stand while another takes the place", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (!std::holds_alternative<ReplacementAsked>(event)) return decision;
            auto& actions = decision.actions;
            actions.erase(std::remove_if(actions.begin(), actions.end(),
                                         [](const Action& a) { return std::holds_alternative<Unbridge>(a); }),
                          actions.end());
            return decision;
          }};
}

Mutant lets_go_of_the_orbit_at_the_claim() {
  return {"frees the orbit before the retriever has confirmed", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (std::holds_alternative<CallClaimed>(event) && std::holds_alternative<Joining>(decision.next.phase)) {
              decision.actions.emplace_back(WriteRetrieved{});
            }
            return decision;
          }};
}

Mutant refuses_but_keeps_the_marker() {
  return {"ends without dismissing", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (std::holds_alternative<OrbitRefused>(event)) {
              auto& actions = decision.actions;
              actions.erase(std::remove_if(actions.begin(), actions.end(),
                                           [](const Action& a) { return std::holds_alternative<Dismiss>(a); }),
                            actions.end());
            }
            return decision;
          }};
}

Mutant stays_on_the_ladder() {
  return {"does not remember whom it has called", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (decision.next.ladder.is_calling) decision.next.ladder.target = RecallTarget::kNone;
            return decision;
          }};
}

Mutant rings_on_at_a_retrieve() {
  return {"lets the recalled phone ring when somebody else retrieves", [](const State& state, const Event& event) {
            Decision decision = decide(state, event);
            if (!std::holds_alternative<CallClaimed>(event)) return decision;
            auto& actions = decision.actions;
            actions.erase(std::remove_if(actions.begin(), actions.end(),
                                         [](const Action& a) { return std::holds_alternative<EndTarget>(a); }),
                          actions.end());
            return decision;
          }};
}

std::vector<Mutant> mutants() {
  return {
      forgets<ClaimOrbit>("to claim the orbit"),
      forgets<WriteParked>("to complete the row"),
      forgets<UnclaimCall>("to make the row parked again"),
      forgets<WriteRetrieved>("to write the retrieve"),
      forgets<FreeOrbit>("to free the orbit"),
      forgets<RemoveRow>("to remove the row"),
      forgets<OpenMedia>("to open media"),
      forgets<CloseMedia>("to close media"),
      forgets<OfferMusic>("to offer the music"),
      forgets<OfferRetriever>("to offer the retriever"),
      forgets<OfferPeer>("to give the caller back"),
      forgets<EndCaller>("BYE to the caller"),
      forgets<Bridge>("the bridge"),
      forgets<Unbridge>("to take the bridge down"),
      forgets<EndPeer>("BYE to the peer"),
      forgets<AcceptRefer>("the 202"),
      forgets<AcceptPark>("to tell the parker yes"),
      forgets<RefusePark>("to tell the parker no"),
      forgets<EndParkerCall>("to end the feature call"),
      forgets<TellParker>("to tell the parker where the call is"),
      forgets<AnswerRetriever>("to answer the retriever"),
      forgets<RefuseRetriever>("to refuse the retriever"),
      forgets<EndRetriever>("to hang up on the retriever"),
      forgets<MakePeer>("to make the retriever the peer"),
      forgets<CallTarget>("to call the target"),
      forgets<OfferTarget>("to offer the target"),
      forgets<EndTarget>("to end the target's call"),
      forgets<MakeTargetPeer>("to make the target the peer"),
      forgets<AcceptTransfer>("to tell of the transfer"),
      forgets<RefuseTransfer>("to tell that the transfer failed"),
      forgets<StartTimer>("the timers"),
      forgets<Dismiss>("to let go"),
      ignores<OrbitClaimed>("the claim"),
      ignores<OrbitRefused>("the refused claim"),
      ignores<RowWritten>("the written row"),
      ignores<RowNotWritten>("the row that was not written"),
      ignores<MediaOpened>("the opened media"),
      ignores<MediaFailed>("the failed media"),
      ignores<MediaMoved>("the moved media"),
      ignores<CallerAccepted>("the caller's answer"),
      ignores<CallerRefused>("the caller's refusal"),
      ignores<CallerGone>("the caller's BYE"),
      ignores<PeerGone>("the peer's BYE"),
      ignores<ParkerCallGone>("the parker's hanging up"),
      ignores<CallClaimed>("the retriever"),
      ignores<RetrieverConfirmed>("the retriever's ACK"),
      ignores<RetrieverGone>("the retriever's CANCEL"),
      ignores<RetrieverLost>("the ACK that never came"),
      ignores<ParkAsked>("the wish to park again"),
      ignores<TransferAsked>("the transfer"),
      ignores<ReplacementAsked>("who is to take the peer's place"),
      ignores<TargetAnswered>("the target's answer"),
      ignores<TargetRefused>("the target's refusal"),
      ignores<ParkerReferred>("the attended transfer"),
      ignores<RecallClaimed>("the call won for a recall"),
      ignores<RecallNotClaimed>("the call lost by a recall"),
      forgets<CallRecallTarget>("to call back"),
      forgets<ClaimForTarget>("to win the call for a recall"),
      forgets<SetRecallDeadline>("when the recall is due"),
      stays_on_the_ladder(),
      rings_on_at_a_retrieve(),
      trusts<CallerAccepted>("an accepted re-INVITE", open_offer),
      trusts<CallerRefused>("a refused re-INVITE", open_offer),
      believes_an_unusable_answer_changed_nothing(),
      tells_the_parker_too_early(),
      plays_on_while_they_talk(),
      leaves_the_replaced_one_in_his_call(),
      does_not_give_back_who_was_to_be_taken_over(),
      keeps_the_bridge_while_another_takes_the_place(),
      lets_go_of_the_orbit_at_the_claim(),
      refuses_but_keeps_the_marker(),
  };
}

TEST(ParkExplorer, EveryMutantIsFound) {
  std::size_t killed = 0;
  const auto all = mutants();
  for (const Mutant& mutant : all) {
    const Exploration result = explore(mutant.machine);
    EXPECT_TRUE(result.violation) << "survived: " << mutant.name;
    if (result.violation) ++killed;
  }
  std::cout << killed << " of " << all.size() << " mutants of the park machine found\n";
}

}  // namespace
}  // namespace callpark::park
