#include "parkd/transaction/non_invite_server.h"

namespace callpark::sip::non_invite_server {
namespace {

using Kind = ServerAction::Kind;

constexpr ServerAction kSend{Kind::kSendResponse, {}, {}};
constexpr ServerAction kResend{Kind::kResendResponse, {}, {}};

Decision stay(const State& state) {
  return {state, {}};
}

// RFC 6026 8.8, of RFC 3261 17.2.4: the transport error is reported to the TU, and the state stays.
Decision report_transport_error(const State& state) {
  return {state, {{Kind::kReportTransportError, {}, {}}}};
}

Decision complete(const TransactionTimers& timers) {
  // 17.2.2: timer J is 64*T1 over UDP and zero over TCP, which ends the transaction here and now.
  if (timers.j() == Duration::zero()) return {{Phase::kTerminated}, {kSend}};
  return {{Phase::kCompleted}, {kSend, {Kind::kStartTimer, TimerName::kJ, timers.j()}}};
}

Decision in_trying(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kSendProvisional:
      // 17.2.2: a provisional response goes out, and the state is "Proceeding".
      return {{Phase::kProceeding}, {kSend}};
    case Event::kSendFinal:
      return complete(timers);
    case Event::kRequest:  // 17.2.2: copies are dropped in "Trying"
    case Event::kTransportError:
    case Event::kTimerJ:
      break;
  }
  return stay(state);
}

Decision in_proceeding(const State& state, Event event, const TransactionTimers& timers) {
  switch (event) {
    case Event::kRequest:
      // 17.2.2: a copy is answered with the latest provisional response.
      return {state, {kResend}};
    case Event::kSendProvisional:
      return {state, {kSend}};
    case Event::kSendFinal:
      return complete(timers);
    case Event::kTransportError:
      return report_transport_error(state);
    case Event::kTimerJ:
      break;
  }
  return stay(state);
}

Decision in_completed(const State& state, Event event) {
  switch (event) {
    case Event::kRequest:
      // 17.2.2: a copy is answered with the final response again.
      return {state, {kResend}};
    case Event::kTransportError:
      return report_transport_error(state);
    case Event::kTimerJ:
      return {{Phase::kTerminated}, {}};
    case Event::kSendProvisional:  // 17.2.2: a response after the final one is dropped
    case Event::kSendFinal:
      break;
  }
  return stay(state);
}

}  // namespace

Decision begin() {
  return {{}, {{Kind::kPassRequest, {}, {}}}};
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

}  // namespace callpark::sip::non_invite_server
