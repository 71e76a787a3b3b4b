#include "parkd/transaction/non_invite_client.h"

#include <algorithm>

namespace callpark::sip::non_invite_client {
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

Decision retransmit(const State& state, Duration interval) {
  State next = state;
  next.interval = interval;
  return {next, {{Kind::kResendRequest, {}, {}}, start(TimerName::kE, interval)}};
}

Decision complete(const State& state, const TransactionTimers& timers) {
  // 17.1.2.2: a final response goes up; timer K is T4 over UDP and zero over TCP, which ends it here and now.
  if (timers.k() == Duration::zero()) return {in(state, Phase::kTerminated), {kStop, kPass}};
  return {in(state, Phase::kCompleted), {kStop, start(TimerName::kK, timers.k()), kPass}};
}

Decision in_trying(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kProvisional:
      // 17.1.2.2: a provisional response goes up; timers E and F run on.
      return {in(state, Phase::kProceeding), {kPass}};
    case Event::kFinal:
      return complete(state, timers);
    case Event::kTransportError:
      // 17.1.2.2 and 17.1.4: a report to the TU, and the transaction is over.
      return end(state, Kind::kReportTransportError);
    case Event::kTimerE:
      // 17.1.2.2: timer E is set to the lesser of twice its last value and T2.
      return retransmit(state, std::min(2 * state.interval, timers.t2));
    case Event::kTimerF:
      // 17.1.2.2: the timeout is reported to the TU.
      return end(state, Kind::kReportTimeout);
    case Event::kTimerK:
      break;
  }
  return stay(state);
}

Decision in_proceeding(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kProvisional:
      return {state, {kPass}};
    case Event::kFinal:
      return complete(state, timers);
    case Event::kTransportError:
      return end(state, Kind::kReportTransportError);
    case Event::kTimerE:
      // 17.1.2.2: in "Proceeding" timer E is set to T2.
      return retransmit(state, timers.t2);
    case Event::kTimerF:
      return end(state, Kind::kReportTimeout);
    case Event::kTimerK:
      break;
  }
  return stay(state);
}

Decision in_completed(const State& state, Event event) {
  switch (event) {
    case Event::kTimerK:
      return {in(state, Phase::kTerminated), {}};
    case Event::kProvisional:
    case Event::kFinal:  // 17.1.2.2: "Completed" absorbs copies of the response
    case Event::kTransportError:
    case Event::kTimerE:
    case Event::kTimerF:
      break;
  }
  return stay(state);
}

}  // namespace

Decision begin(const TransactionTimers& timers) {
  // 17.1.2.2: the request goes to the transport; timer F, 64*T1, always, timer E only over UDP.
  Decision decision{{}, {{Kind::kSendRequest, {}, {}}, start(TimerName::kF, timers.f())}};
  decision.next.interval = timers.e();
  if (!timers.reliable) decision.actions.add(start(TimerName::kE, timers.e()));
  return decision;
}

Decision decide(const State& state, Event event, const TransactionTimers& timers) {
  switch (state.phase) {
    case Phase::kTrying:
      return in_trying(state, event, timers);
    case Phase::kProceeding:
      return in_proceeding(state, event, timers);
    case Phase::kCompleted:
      return in_completed(state, event);
    case Phase::kTerminated:
      break;
  }
  return stay(state);
}

}  // namespace callpark::sip::non_invite_client
