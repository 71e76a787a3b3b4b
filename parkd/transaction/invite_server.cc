#include "parkd/transaction/invite_server.h"

#include <algorithm>

namespace callpark::sip::invite_server {
namespace {

using Kind = ServerAction::Kind;

constexpr ServerAction kStop{Kind::kStopTimers, {}, {}};
constexpr ServerAction kSend{Kind::kSendResponse, {}, {}};
constexpr ServerAction kResend{Kind::kResendResponse, {}, {}};

ServerAction start(TimerName timer, Duration delay) {
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

// RFC 6026 8.8, of RFC 3261 17.2.4: the transport error is reported to the TU, and the state stays.
Decision report_transport_error(const State& state) {
  return {state, {{Kind::kReportTransportError, {}, {}}}};
}

Decision send_trying(const State& state) {
  State next = state;
  next.has_provisional = true;
  return {next, {kStop, {Kind::kSendTrying, {}, {}}}};
}

Decision refuse(const State& state, const TransactionTimers& timers) {
  // 17.2.1: a response from 300 to 699 goes out; timer G only over UDP, timer H always.
  Decision decision{in(state, Phase::kCompleted), {kStop, kSend, start(TimerName::kH, timers.h())}};
  decision.next.interval = timers.g();
  if (!timers.reliable) decision.actions.add(start(TimerName::kG, timers.g()));
  return decision;
}

Decision in_proceeding(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kInvite:
      // 17.2.1: a copy is answered with the latest provisional response; if there is none yet, 100 is due now.
      if (state.has_provisional) return {state, {kResend}};
      return send_trying(state);
    case Event::kSendProvisional: {
      // 17.2.1: any number of provisional responses of the TU go out in "Proceeding".
      State next = state;
      next.has_provisional = true;
      return {next, {kStop, kSend}};
    }
    case Event::kSendSuccess:
      // RFC 6026 8.5: a 2xx goes out and the state is "Accepted"; timer L, 64*T1, ends it.
      return {in(state, Phase::kAccepted), {kStop, kSend, start(TimerName::kL, timers.l())}};
    case Event::kSendFailure:
      return refuse(state, timers);
    case Event::kTransportError:
      return report_transport_error(state);
    case Event::kTimerTrying:
      // 17.2.1: 100 unless the TU has answered within 200 ms.
      return state.has_provisional ? stay(state) : send_trying(state);
    case Event::kAck:  // 17.2.1 gives an ACK no meaning before a final response
    case Event::kTimerG:
    case Event::kTimerH:
    case Event::kTimerI:
    case Event::kTimerL:
      break;
  }
  return stay(state);
}

Decision in_accepted(const State& state, Event event) {
  switch (event) {
    case Event::kSendSuccess:
      // RFC 6026 8.7: the TU sends its 2xx again until the ACK comes; each goes out.
      return {state, {kSend}};
    case Event::kAck:
      // RFC 6026 8.7: an ACK that comes by this transaction goes up.
      return {state, {{Kind::kPassAck, {}, {}}}};
    case Event::kTransportError:
      return report_transport_error(state);
    case Event::kTimerL:
      return {in(state, Phase::kTerminated), {}};
    case Event::kInvite:           // RFC 6026 8.7: copies are absorbed without an answer
    case Event::kSendProvisional:  // RFC 6026 7.1: nothing but 2xx after a 2xx
    case Event::kSendFailure:
    case Event::kTimerTrying:
    case Event::kTimerG:
    case Event::kTimerH:
    case Event::kTimerI:
      break;
  }
  return stay(state);
}

Decision in_completed(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kInvite:
      // 17.2.1: a copy of the INVITE is answered with the final response again.
      return {state, {kResend}};
    case Event::kAck:
      // 17.2.1: the ACK ends the retransmissions; timer I is T4 over UDP and zero over TCP, which ends it here.
      if (timers.i() == Duration::zero()) return {in(state, Phase::kTerminated), {kStop}};
      return {in(state, Phase::kConfirmed), {kStop, start(TimerName::kI, timers.i())}};
    case Event::kTransportError:
      return report_transport_error(state);
    case Event::kTimerG: {
      // 17.2.1: the response goes out again; timer G is set to the lesser of twice its last value and T2.
      State next = state;
      next.interval = std::min(2 * state.interval, timers.t2);
      return {next, {kResend, start(TimerName::kG, next.interval)}};
    }
    case Event::kTimerH:
      // 17.2.1: no ACK ever came: a report to the TU, and the transaction is over.
      return {in(state, Phase::kTerminated), {{Kind::kReportNoAck, {}, {}}}};
    case Event::kSendProvisional:  // 17.2.1: there is one final response, and it is sent
    case Event::kSendSuccess:
    case Event::kSendFailure:
    case Event::kTimerTrying:
    case Event::kTimerI:
    case Event::kTimerL:
      break;
  }
  return stay(state);
}

Decision in_confirmed(const State& state, Event event) {
  switch (event) {
    case Event::kTimerI:
      return {in(state, Phase::kTerminated), {}};
    case Event::kInvite:
    case Event::kAck:  // 17.2.1: "Confirmed" absorbs copies of the ACK
    case Event::kSendProvisional:
    case Event::kSendSuccess:
    case Event::kSendFailure:
    case Event::kTransportError:
    case Event::kTimerTrying:
    case Event::kTimerG:
    case Event::kTimerH:
    case Event::kTimerL:
      break;
  }
  return stay(state);
}

}  // namespace

Decision begin(const TransactionTimers& timers) {
  // 17.2.1: the request goes up; the TU has 200 ms before the layer answers 100.
  return {{}, {start(TimerName::kTrying, timers.trying), {Kind::kPassRequest, {}, {}}}};
}

Decision decide(const State& state, Event event, const TransactionTimers& timers) {
  switch (state.phase) {
    case Phase::kProceeding:
      return in_proceeding(state, event, timers);
    case Phase::kAccepted:
      return in_accepted(state, event);
    case Phase::kCompleted:
      return in_completed(state, event, timers);
    case Phase::kConfirmed:
      return in_confirmed(state, event);
    case Phase::kTerminated:
      break;
  }
  return stay(state);
}

}  // namespace callpark::sip::invite_server
