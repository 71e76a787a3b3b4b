// What must be true of the park machine and its world after every decision.
#pragma once

#include "tests/property/park_world.h"

namespace callpark::park {

inline void check_end(const World& w) {
  require(!w.refer_open && w.parker_call == ParkerCall::kNone, w, "the parker's request has no answer");
  require(w.retriever == RetrieverCall::kNone, w, "a retriever has no answer");
  require(w.row == Row::kNone, w, "a row outlives its call");
  require(w.target == TargetCall::kNone && !w.transfer_open, w, "a transfer outlives its call");
  require(!w.media_open && !w.opening, w, "a media session outlives its call");
  if (w.caller_is_ours) require(!w.caller_alive && !w.peer_alive, w, "a leg outlives its call");
  if (!w.peer_alive) require(!w.caller_alive, w, "a caller is left alone");
  require(w.was_parked == w.end_is_recorded, w, "a parked call without a recorded end");
}

inline void check_records(const World& w) {
  const bool asks = in<Gathering>(w) || in<Adopting>(w) || in<Recording>(w) || in<Returning>(w);
  require(asks || w.proposal != Proposal::kNextStay, w, "a proposed stay is neither committed nor withdrawn");
  require(!w.end_is_recorded || in<Ended>(w), w, "a call goes on after its recorded end");
  require(!w.has_stay || w.stay_record != StayRecord::kNone, w, "a stay is committed and not recorded as parked");
  const bool waits = in<Parked>(w) || in<Joining>(w) || in<Recalling>(w);
  if (waits) {
    require(w.has_stay && w.proposal == Proposal::kNone, w, "a caller waits in a stay that is not committed");
    require(w.stay_record == StayRecord::kParked, w, "a caller waits and is not recorded as parked");
  }
  if (talks(w)) require(w.stay_record != StayRecord::kParked, w, "a caller talks and is recorded as parked");
}

inline void check_segments(const World& w) {
  if (in<Ended>(w)) {
    const bool is_recorded = w.was_parked || w.is_from_menu;
    return require(is_recorded != w.segment.has_value(), w, "a recorded call without its last segment");
  }
  require(w.segment.has_value(), w, "a segment ends before its call");
  const SegmentKind kind = w.segment->kind;
  const bool waits = kind == SegmentKind::kParked || kind == SegmentKind::kRecall;
  require(waits == (w.stay_record == StayRecord::kParked), w, "the segment is another than the stay's");
  const SegmentKind before_park = w.is_from_menu ? SegmentKind::kTalk : SegmentKind::kTalkBefore;
  require(w.was_parked == (kind != before_park), w, "the talk before the park lasts too long");
  const bool is_called = w.machine.recall_progress.is_calling;
  if (waits) require(is_called == (kind == SegmentKind::kRecall), w, "an attempt is longer or shorter than its step");
}

inline void check_parked(const World& w, const Parked& parked) {
  const bool is_off = w.machine.policy.mode == RecallMode::kOff;
  require(is_off == std::holds_alternative<recall::Off>(parked.recall), w,
          "a parked call without its recall, or with one that is off");
  const bool is_timed = w.timers.runs(Timer::kRecall);
  require(!std::holds_alternative<recall::Waiting>(parked.recall) || is_timed, w, "a recall that waits for nothing");
  require(!std::holds_alternative<recall::Writing>(parked.recall) || w.write, w, "a recall that waits for nothing");
  require(!std::holds_alternative<recall::Calling>(parked.recall) || (w.target == TargetCall::kCalling && is_timed), w,
          "a phone that rings for ever");
  require(!std::holds_alternative<recall::Claiming>(parked.recall) || w.recall_claim, w,
          "a recall that waits for nothing");
  require(w.timers.runs(Timer::kGiveUp), w, "a parked call without a timer");
  require(w.row == Row::kParked, w, "a parked call that cannot be retrieved");
  require(!w.call_back_is_due || w.peer_alive, w, "a parker that never learns the orbit");
  const bool will_change = !w.offers.empty() || w.opening || w.timers.runs(Timer::kMusicRetry);
  require(will_change || (w.hears == Hears::kMusic && w.media_open), w, "a parked caller without music");
}

inline void check_waiting(const World& w) {
  constexpr std::string_view kForNothing = "waiting for nothing";
  require(!in<Gathering>(w) || w.claim || w.opening, w, kForNothing);
  require(!in<Recording>(w) || w.write, w, kForNothing);
  require(!in<Transferring>(w) || w.target == TargetCall::kCalling, w, kForNothing);
  const bool offers = in<Adopting>(w) || in<Connecting>(w) || in<Replacing>(w) || in<Restoring>(w) ||
                      in<Recalling>(w) || in<Joining>(w) || in<Returning>(w);
  require(!offers || !w.offers.empty(), w, kForNothing);
  require(!in<Recalling>(w) || w.row == Row::kRetrieving, w, kForNothing);
  require(!(in<Replacing>(w) || in<Joining>(w)) || w.retriever == RetrieverCall::kRinging, w, kForNothing);
  require(!in<Confirming>(w) || w.retriever == RetrieverCall::kAnswered, w, kForNothing);
  const bool has_retriever = in<Joining>(w) || in<Confirming>(w) || in<Replacing>(w);
  require(has_retriever || w.retriever == RetrieverCall::kNone, w, "a retriever that the machine has forgotten");
  require(!w.retriever_is_decided || w.retriever == RetrieverCall::kNone, w, "a retriever between two states");
}

inline void check(const World& w) {
  const bool ended = in<Ended>(w);
  require(ended == w.dismissed, w, "ended, but not dismissed, or the other way round");
  require(!w.keep_is_due || !w.caller_alive, w, "a parker is left alone with a caller that has a CSeq of parkd's");
  require(!w.caller_must_stay || in<Parked>(w), w, "a caller is not parked again when its retriever goes unheard");
  check_records(w);
  check_segments(w);
  if (ended) return check_end(w);
  check_waiting(w);
  const auto* parked = std::get_if<Parked>(&w.machine.phase);
  if (parked) check_parked(w, *parked);
  const bool transfers = in<Transferring>(w) || in<Connecting>(w);
  const bool recalls = in<Recalling>(w) || (parked && (std::holds_alternative<recall::Calling>(parked->recall) ||
                                                       std::holds_alternative<recall::Claiming>(parked->recall)));
  require(transfers == w.transfer_open, w, "a transfer left alone");
  require((transfers || recalls) == (w.target != TargetCall::kNone), w, "a target is called for nothing");
  const bool waits = parked || in<Joining>(w) || in<Recalling>(w) || in<Recording>(w) || in<Returning>(w);
  if (!waits && !in<Gathering>(w) && !in<Adopting>(w)) {
    require(!w.media_open && !w.opening, w, "music while no caller waits");
  }
  const bool holds = w.row == Row::kAdopting || w.row == Row::kParked || w.row == Row::kRetrieving;
  require(holds == (w.machine.orbit == Orbit::kHeld), w, "the orbit is held, or free, by the database alone");
  if (in<Talking>(w)) {
    require(w.bridged && w.peer_alive && w.caller_alive, w, "a talk without two parties and a bridge");
    require(w.hears == Hears::kPeer, w, "a talking caller that does not hear its peer");
    require(w.row == Row::kRetrieved, w, "a talk that a restart would not find");
  }
  require(!(w.bridged && w.hears == Hears::kMusic), w, "a bridge to a caller that hears music");
}

}  // namespace callpark::park
