#include "parkd/transaction/invite_client.h"

namespace callpark::sip::invite_client {
namespace {

using Kind = ClientAction::Kind;

constexpr ClientAction kStop{Kind::kStopTimers, {}, {}};
constexpr ClientAction kPass{Kind::kPassResponse, {}, {}};

ClientAction start(TimerName timer, Duration delay) {
  return {Kind::kStartTimer, timer, delay};
}

State in(const State& state, Phase phase) {
  State next = state;
  next.phase = phase;
  return next;
}

Decision stay(const State& state) {
  return {state, {}};
}

Decision end(const State& state, Kind why) {
  return {in(state, Phase::kTerminated), {{why, {}, {}}}};
}

// 9.1: with no final response 64*T1 after the CANCEL the client considers the INVITE cancelled and ends it.
void send_cancel(Decision& decision, const TransactionTimers& timers) {
  decision.next.cancelling = Cancelling::kSent;
  decision.actions.add({Kind::kSendCancel, {}, {}});
  decision.actions.add(start(TimerName::kCancelled, timers.cancelled()));
}

Decision accept(const State& state, const TransactionTimers& timers) {
  // RFC 6026 8.4: a 2xx goes up and the state is "Accepted"; timer M, 64*T1, ends it.
  return {in(state, Phase::kAccepted), {kStop, start(TimerName::kM, timers.m()), kPass}};
}

Decision complete(const State& state, const TransactionTimers& timers) {
  // 17.1.1.2: a response from 300 to 699 goes up, and the client transaction makes the ACK.
  // 17.1.1.2: timer D is at least 32 s over UDP and zero over TCP, which ends the transaction here and now.
  if (timers.d() == Duration::zero()) {
    return {in(state, Phase::kTerminated), {kStop, {Kind::kSendAck, {}, {}}, kPass}};
  }
  return {in(state, Phase::kCompleted), {kStop, {Kind::kSendAck, {}, {}}, start(TimerName::kD, timers.d()), kPass}};
}

Decision retransmit(const State& state) {
  // 17.1.1.2: when timer A fires, the request is sent again and the timer is set to twice its last value.
  State next = state;
  next.interval = 2 * state.interval;
  return {next, {{Kind::kResendRequest, {}, {}}, start(TimerName::kA, next.interval)}};
}

Decision in_calling(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kProvisional: {
      // 17.1.1.2: a provisional response ends the retransmissions and goes up.
      Decision decision{in(state, Phase::kProceeding), {kStop}};
      if (state.cancelling == Cancelling::kWaiting) send_cancel(decision, timers);
      decision.actions.add(kPass);
      return decision;
    }
    case Event::kSuccess:
      return accept(state, timers);
    case Event::kFailure:
      return complete(state, timers);
    case Event::kCancel: {
      // 9.1: no CANCEL before a provisional response has come.
      State next = state;
      next.cancelling = Cancelling::kWaiting;
      return stay(next);
    }
    case Event::kTransportError:
      // 17.1.1.2 and 17.1.4: a report to the TU, and the transaction is over.
      return end(state, Kind::kReportTransportError);
    case Event::kTimerA:
      return retransmit(state);
    case Event::kTimerB:
      // 17.1.1.2: still "Calling" when timer B fires: a timeout is reported to the TU. No ACK.
      return end(state, Kind::kReportTimeout);
    case Event::kTimerD:
    case Event::kTimerM:
    case Event::kTimerCancelled:
      break;
  }
  return stay(state);
}

Decision in_proceeding(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kProvisional:
      // 17.1.1.2: further provisional responses go up too.
      return {state, {kPass}};
    case Event::kSuccess:
      return accept(state, timers);
    case Event::kFailure:
      return complete(state, timers);
    case Event::kCancel: {
      Decision decision = stay(state);
      // 9.1: one CANCEL for one INVITE.
      if (state.cancelling != Cancelling::kSent) send_cancel(decision, timers);
      return decision;
    }
    case Event::kTimerCancelled:
      return end(state, Kind::kReportTimeout);
    case Event::kTransportError:  // nothing of this state was being sent
    case Event::kTimerA:          // 17.1.1.2: no retransmission in "Proceeding"
    case Event::kTimerB:
    case Event::kTimerD:
    case Event::kTimerM:
      break;
  }
  return stay(state);
}

Decision in_accepted(const State& state, Event event) {
  switch (event) {
    case Event::kSuccess:
      // RFC 6026 8.4: every further 2xx, a copy or another branch's, goes up; the TU acknowledges each.
      return {state, {kPass}};
    case Event::kTimerM:
      return {in(state, Phase::kTerminated), {}};
    case Event::kProvisional:  // late; the call is answered
    case Event::kFailure:      // RFC 6026 8.4 gives "Accepted" to 2xx only
    case Event::kCancel:       // 9.1: no CANCEL after a final response
    case Event::kTransportError:
    case Event::kTimerA:
    case Event::kTimerB:
    case Event::kTimerD:
    case Event::kTimerCancelled:
      break;
  }
  return stay(state);
}

Decision in_completed(const State& state, Event event) {
  switch (event) {
    case Event::kFailure:
      // 17.1.1.2: a copy of the final response is answered by the ACK again and does not go up.
      return {state, {{Kind::kSendAck, {}, {}}}};
    case Event::kTransportError:
      // 17.1.1.2: the ACK could not be sent: a report to the TU, and the transaction is over.
      return end(state, Kind::kReportTransportError);
    case Event::kTimerD:
      return {in(state, Phase::kTerminated), {}};
    case Event::kProvisional:
    case Event::kSuccess:
    case Event::kCancel:
    case Event::kTimerA:
    case Event::kTimerB:
    case Event::kTimerM:
    case Event::kTimerCancelled:
      break;
  }
  return stay(state);
}

}  // namespace

Decision begin(const TransactionTimers& timers) {
  // 17.1.1.2: the request goes to the transport; timer A only over UDP, timer B, 64*T1, always.
  Decision decision{{}, {{Kind::kSendRequest, {}, {}}, start(TimerName::kB, timers.b())}};
  decision.next.interval = timers.a();
  if (!timers.reliable) decision.actions.add(start(TimerName::kA, timers.a()));
  return decision;
}

Decision decide(const State& state, Event event, const TransactionTimers& timers) {
  switch (state.phase) {
    case Phase::kCalling:
      return in_calling(state, event, timers);
    case Phase::kProceeding:
      return in_proceeding(state, event, timers);
    case Phase::kAccepted:
      return in_accepted(state, event);
    case Phase::kCompleted:
      return in_completed(state, event);
    case Phase::kTerminated:
      break;
  }
  return stay(state);
}

}  // namespace callpark::sip::invite_client
