#include "parkd/service/call_segments.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "parkd/service/call_times.h"

namespace callpark {
namespace {

std::string party_of(const park::OpenSegment& what, const Stay& stay) {
  switch (what.kind) {
    case park::SegmentKind::kTalkBefore:
    case park::SegmentKind::kTalk:
      return stay.parker;
    case park::SegmentKind::kParked:
      return "";
    case park::SegmentKind::kRecall:
      return number_of(what.target, stay);
    case park::SegmentKind::kTalkAfter:
    case park::SegmentKind::kHook:
      break;
  }
  return stay.retriever ? text_of(*stay.retriever) : stay.parker;
}

Segment segment_of(int number, const park::OpenSegment& what, std::optional<WallTime> began_at, const Stay& stay) {
  Segment segment;
  segment.number = number;
  segment.what = what;
  segment.began_at = began_at;
  segment.parked_at = stay.parked_at;
  segment.orbit = stay.orbit;
  segment.parker = stay.parker;
  segment.caller_number = stay.caller.number;
  segment.sip_call_id = stay.sip_call_id;
  segment.party = party_of(what, stay);
  return segment;
}

bool withdraws_stay(const park::Decision& decision) {
  return std::ranges::any_of(
      decision.actions, [](const park::Action& action) { return std::holds_alternative<park::WithdrawStay>(action); });
}

// As the CDR of a talk has the parties.
park::SegmentEnd end_in_cdr(park::SegmentEnd end, const Segment& talk) {
  if (talk.cdr_caller == PartyEnd::kCaller) return end;
  if (end == park::SegmentEnd::kCaller) return park::SegmentEnd::kCallee;
  return end == park::SegmentEnd::kCallee ? park::SegmentEnd::kCaller : end;
}

// A recall's step, or a stay, may have begun after the hook was asked; and a clock may have been set.
WallTime time_asked(const HookPermission& permission, const Segment& interrupted, WallTime ended_at) {
  const WallTime asked_at = std::min(permission.asked_at, ended_at);
  return interrupted.began_at ? std::max(asked_at, *interrupted.began_at) : asked_at;
}

EndedSegment hook_segment(int number, const HookPermission& permission, WallTime began_at, WallTime ended_at,
                          park::SegmentEnd led_to, const Stay& stay) {
  const bool is_failed = !permission.failure.empty();
  EndedSegment hook{segment_of(number, {park::SegmentKind::kHook}, began_at, stay), ended_at,
                    is_failed ? park::SegmentEnd::kAllowedOnError : park::SegmentEnd::kAllowed, permission.failure};
  if (led_to == park::SegmentEnd::kParked) hook.segment.party = stay.parker;
  return hook;
}

}  // namespace

CallSegments::CallSegments(const Stay& stay) : open_(segment_of(1, {}, std::nullopt, stay)) {}

void CallSegments::follow(park::Recorded recorded, const park::State& before, const park::Decision& decision,
                          const Stay& stay, WallTime now) {
  if (withdraws_stay(decision)) permit_park(std::nullopt);
  while (open_) {
    const auto change = park::next_change(open_->what, recorded, before, decision);
    if (!change) return;
    // The clock of the node that the call is taken over from may have been ahead.
    WallTime at = change->end == park::SegmentEnd::kParked ? stay.parked_at : now;
    if (open_->began_at) at = std::max(at, *open_->began_at);
    // The first park of the call may have failed: the talk belongs to the stay that it has led to.
    const bool leads_to_stay =
        open_->what.kind == park::SegmentKind::kTalkBefore || open_->what.kind == park::SegmentKind::kTalk;
    const auto permission = take_permission(change->end);
    Segment ended = leads_to_stay ? segment_of(open_->number, open_->what, open_->began_at, stay) : *open_;
    ended.cdr = open_->cdr;
    ended.park_permission.reset();
    int number = ended.number;
    const WallTime ended_at = permission ? time_asked(*permission, ended, at) : at;
    ended_.push_back({std::move(ended), ended_at, end_in_cdr(change->end, *open_)});
    if (permission) ended_.push_back(hook_segment(++number, *permission, ended_at, at, change->end, stay));
    open_.reset();
    if (change->next) open_ = segment_of(++number, *change->next, at, stay);
  }
}

void CallSegments::begin_talk(Cdr cdr, WallTime since) {
  open_->what = {park::SegmentKind::kTalk};
  open_->began_at = since;
  open_->cdr = std::move(cdr);
}

void CallSegments::swap_parties() {
  if (open_ && open_->cdr) open_->cdr_caller = other_end(open_->cdr_caller);
}

void CallSegments::permit_park(std::optional<HookPermission> permission) {
  if (open_) open_->park_permission = std::move(permission);
}

std::optional<HookPermission> CallSegments::take_permission(park::SegmentEnd end) {
  if (end == park::SegmentEnd::kParked) return std::exchange(open_->park_permission, std::nullopt);
  if (end == park::SegmentEnd::kRetrieved) return std::exchange(retrieve_permission_, std::nullopt);
  return std::nullopt;
}

void CallSegments::forget(int number) {
  std::erase_if(ended_, [number](const EndedSegment& ended) { return ended.segment.number <= number; });
}

}  // namespace callpark
