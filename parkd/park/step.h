// One step of the park machine. Its transitions are listed here by region; the file of that name has them. Only for
// the machine's own files.
#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "parkd/park/decide.h"

namespace callpark::park {

/// The state as it becomes, and the actions as they come up.
class Step {
 public:
  explicit Step(const State& state) : state_(state) {}

  void begin(Request request, ParkerLearnsOrbit learns_orbit);
  void resume(Found found);
  void decide(const Event& event);
  Decision done() && { return {state_, std::move(actions_)}; }

 private:
  // A transition that is not listed changes nothing: its event is late.
  template <class P, class E>
  void on(const P&, const E&) {}

  // adoption: from the request to the written row, or back
  void on(const Gathering& gathering, const OrbitClaimed& event);
  void on(const Gathering& gathering, const OrbitRefused& event);
  void on(const Gathering& gathering, const MediaOpened& event);
  void on(const Gathering& gathering, const MediaFailed& event);
  void on(const Gathering& gathering, const ParkerCallGone& event);
  void on(const Adopting& adopting, const MediaMoved& event);
  void on(const Adopting& adopting, const CallerAccepted& event);
  void on(const Adopting& adopting, const CallerRefused& event);
  void on(const Adopting& adopting, const ParkerCallGone& event);
  void on(const Adopting& adopting, const CallClaimed& event);
  void on(const Recording& recording, const MediaMoved& event);
  void on(const Recording& recording, const RowWritten& event);
  void on(const Recording& recording, const RowNotWritten& event);
  void on(const Recording& recording, const ParkerCallGone& event);
  void on(const Recording& recording, const CallClaimed& event);
  void on(const Returning& returning, const CallerAccepted& event);
  void on(const Returning& returning, const CallerRefused& event);
  void on(const Returning& returning, const PeerGone& event);

  // stay: the caller waits, until a retriever or the target of a recall has it
  void on(const Parked& parked, const MediaOpened& event);
  void on(const Parked& parked, const MediaFailed& event);
  void on(const Parked& parked, const MediaMoved& event);
  void on(const Parked& parked, const CallerAccepted& event);
  void on(const Parked& parked, const CallerRefused& event);
  void on(const Parked& parked, const CallClaimed& event);
  void on(const Parked& parked, const TimerFired& event);
  void on(const Parked&, const RowWritten& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Parked&, const RowNotWritten& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Parked&, const TargetAnswered& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Parked&, const TargetRefused& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Parked&, const RecallClaimed& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Parked&, const RecallNotClaimed& event) { apply(recall::decide(recall_state(), event)); }
  void on(const Recalling& recalling, const CallerAccepted& event);
  void on(const Recalling& recalling, const CallerRefused& event);
  void on(const Joining& joining, const CallerAccepted& event);
  void on(const Joining& joining, const CallerRefused& event);
  void on(const Joining& joining, const RetrieverGone& event);
  void on(const Confirming& confirming, const RetrieverConfirmed& event);
  void on(const Confirming& confirming, const RetrieverGone& event);
  void on(const Confirming& confirming, const RetrieverLost& event);

  // conversation: the caller and the peer talk
  void on(const Talking& talking, const ParkAsked& event);
  void on(const Talking& talking, const TransferAsked& event);
  void on(const Talking& talking, const ReplacementAsked& event);
  void on(const Talking& talking, const PeerGone& event);
  void on(const Transferring& transferring, const TargetAnswered& event);
  void on(const Transferring& transferring, const TargetRefused& event);
  void on(const Connecting& connecting, const CallerAccepted& event);
  void on(const Connecting& connecting, const CallerRefused& event);
  void on(const Replacing& replacing, const CallerAccepted& event);
  void on(const Replacing& replacing, const CallerRefused& event);
  void on(const Replacing& replacing, const RetrieverGone& event);
  void on(const Restoring& restoring, const CallerAccepted& event);
  void on(const Restoring& restoring, const CallerRefused& event);
  void on(const Restoring& restoring, const PeerGone& event);

  // Requests that another phase refuses.
  template <class P>
  void on(const P&, const TransferAsked&) {
    emit(RefuseTransfer{});
  }
  template <class P>
  void on(const P&, const ReplacementAsked& event) {
    emit(RefuseRetriever{event.retriever, RefusalReason::kUnavailable});
  }
  template <class P>
  void on(const P&, const CallClaimed& event) {
    emit(RefuseRetriever{event.retriever, RefusalReason::kNoCallParked});
  }

  // endings: of the caller, and of what the parker still has
  template <class P>
  void on(const P&, const CallerGone&) {
    end_without_caller();
  }
  void on(const Ended&, const CallerGone&) {}
  template <class P>
  void on(const P&, const ParkerCallGone&) {
    if (state_.request == Request::kAnnouncing) release_announced_parker();
  }
  template <class P>
  void on(const P&, const AnnouncementPlayed&) {
    end_announcement();
  }
  template <class P>
  void on(const P&, const ParkerReferred&) {
    conclude_attended_transfer();
  }
  template <class P>
  void on(const P&, const TimerFired& event) {
    if (event.timer == Timer::kParkerBye) end_missing_parker_bye();
  }

  // What an event changes in every phase; kLate: nothing, and the phase does not see it.
  enum class Timeliness { kCurrent, kLate };
  template <class E>
  Timeliness note(const E&) {
    return Timeliness::kCurrent;
  }
  Timeliness note(const MediaOpened& event);
  Timeliness note(const MediaFailed& event);
  Timeliness note(const MediaMoved& event);
  Timeliness note(const PeerGone& event);

  // adoption
  void adopt_when_gathered();
  void keep_between(RefusalReason reason);
  void return_to_peer(RefusalReason reason);
  void refuse_park(RefusalReason reason);
  void refuse_parker(RefusalReason reason);
  void commit_stay();
  void withdraw_stay();
  // stay
  void wait_with_music();
  void offer_music_again();
  void give_up();
  void offer_recall_target();
  void wait_for_another_retriever();
  recall::State recall_state() const;
  void apply(recall::Decision decision);
  // conversation
  void end_transfer();
  void restore_peer();
  // endings
  void end_without_caller();
  void end_without_peer();
  void end_call(EndReason reason);
  void end_peer();
  void stop_recall();
  void release_parker();
  void release_announced_parker();
  void end_announcement();
  void conclude_attended_transfer();
  void end_missing_parker_bye();
  void call_parker_back();

  void open_media();
  void close_media();

  template <class P>
  P* in() {
    return std::get_if<P>(&state_.phase);
  }
  template <class... A>
  void emit(A... actions) {
    (actions_.emplace_back(actions), ...);
  }
  Question ask() { return ++state_.last_question; }

  State state_;
  std::vector<Action> actions_;
};

}  // namespace callpark::park
