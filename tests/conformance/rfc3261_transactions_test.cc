// Every state of the four transaction machines against every event: the state that follows and what is to be done.
// RFC 3261 17 in the letter of RFC 6026, which rfc6026_accepted_test.cc looks at as a whole.
#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <utility>
#include <vector>

#include "parkd/transaction/invite_client.h"
#include "parkd/transaction/invite_server.h"
#include "parkd/transaction/non_invite_client.h"
#include "parkd/transaction/non_invite_server.h"

namespace callpark::sip {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kT1{500};
constexpr milliseconds kT2{4000};
constexpr milliseconds kT4{5000};
constexpr milliseconds k64T1{32000};

TransactionTimers udp() {
  return {};
}
TransactionTimers tcp() {
  TransactionTimers timers;
  timers.reliable = true;
  return timers;
}

ClientAction client(ClientAction::Kind kind) {
  return {kind, {}, {}};
}
ServerAction server(ServerAction::Kind kind) {
  return {kind, {}, {}};
}
ClientAction client_timer(TimerName timer, Duration delay) {
  return {ClientAction::Kind::kStartTimer, timer, delay};
}
ServerAction server_timer(TimerName timer, Duration delay) {
  return {ServerAction::Kind::kStartTimer, timer, delay};
}

template <class Row, class Decide>
void check(const std::vector<Row>& table, const TransactionTimers& timers, Decide decide) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Row& row = table[i];
    SCOPED_TRACE("row " + std::to_string(i) + ", phase " + std::to_string(static_cast<int>(row.from.phase)) +
                 ", event " + std::to_string(static_cast<int>(row.event)));
    const auto decision = decide(row.from, row.event, timers);
    EXPECT_EQ(decision.next, row.next);
    EXPECT_TRUE(decision.actions == row.actions);
  }
}

// A table proves nothing about a pair that it leaves out.
template <class Row>
void expect_complete(const std::vector<Row>& table, std::size_t phases, std::size_t events) {
  std::set<std::pair<int, int>> pairs;
  for (const Row& row : table) pairs.emplace(static_cast<int>(row.from.phase), static_cast<int>(row.event));
  EXPECT_EQ(pairs.size(), phases * events);
}

namespace ic {

using namespace invite_client;  // NOLINT: the tables below are read more easily
using Kind = ClientAction::Kind;
using E = Event;

struct Row {
  State from;
  Event event;
  State next;
  ActionList<ClientAction> actions;
};

constexpr State kCalling{Phase::kCalling, Cancelling::kNotAsked, kT1};
constexpr State kCallingDoubled{Phase::kCalling, Cancelling::kNotAsked, 2 * kT1};
constexpr State kCallingCancelled{Phase::kCalling, Cancelling::kWaiting, kT1};
constexpr State kProceeding{Phase::kProceeding, Cancelling::kNotAsked, kT1};
constexpr State kProceedingCancelled{Phase::kProceeding, Cancelling::kSent, kT1};
constexpr State kAccepted{Phase::kAccepted, Cancelling::kNotAsked, kT1};
constexpr State kAcceptedCancelled{Phase::kAccepted, Cancelling::kSent, kT1};
constexpr State kCompleted{Phase::kCompleted, Cancelling::kNotAsked, kT1};
constexpr State kCompletedCancelled{Phase::kCompleted, Cancelling::kSent, kT1};
constexpr State kTerminated{Phase::kTerminated, Cancelling::kNotAsked, kT1};
constexpr State kTerminatedCancelled{Phase::kTerminated, Cancelling::kSent, kT1};

const ClientAction kStop = client(Kind::kStopTimers);
const ClientAction kPass = client(Kind::kPassResponse);
const ClientAction kAck = client(Kind::kSendAck);
const ClientAction kStartM = client_timer(TimerName::kM, k64T1);
const ClientAction kStartD = client_timer(TimerName::kD, k64T1);

std::vector<Row> common_rows() {
  return {
      {kCalling, E::kProvisional, kProceeding, {kStop, kPass}},
      {kCalling, E::kSuccess, kAccepted, {kStop, kStartM, kPass}},
      {kCalling, E::kCancel, kCallingCancelled, {}},
      {kCallingCancelled, E::kCancel, kCallingCancelled, {}},
      {kCallingCancelled,
       E::kProvisional,
       kProceedingCancelled,
       {kStop, client(Kind::kSendCancel), client_timer(TimerName::kCancelled, k64T1), kPass}},
      {kCalling, E::kTransportError, kTerminated, {client(Kind::kReportTransportError)}},
      {kCalling, E::kTimerA, kCallingDoubled, {client(Kind::kResendRequest), client_timer(TimerName::kA, 2 * kT1)}},
      {kCalling, E::kTimerB, kTerminated, {client(Kind::kReportTimeout)}},
      {kCalling, E::kTimerD, kCalling, {}},
      {kCalling, E::kTimerM, kCalling, {}},
      {kCalling, E::kTimerCancelled, kCalling, {}},

      {kProceeding, E::kProvisional, kProceeding, {kPass}},
      {kProceeding, E::kSuccess, kAccepted, {kStop, kStartM, kPass}},
      {kProceedingCancelled, E::kSuccess, kAcceptedCancelled, {kStop, kStartM, kPass}},
      {kProceeding,
       E::kCancel,
       kProceedingCancelled,
       {client(Kind::kSendCancel), client_timer(TimerName::kCancelled, k64T1)}},
      {kProceedingCancelled, E::kCancel, kProceedingCancelled, {}},
      {kProceeding, E::kTransportError, kProceeding, {}},
      {kProceeding, E::kTimerA, kProceeding, {}},
      {kProceeding, E::kTimerB, kProceeding, {}},
      {kProceeding, E::kTimerD, kProceeding, {}},
      {kProceeding, E::kTimerM, kProceeding, {}},
      {kProceedingCancelled, E::kTimerCancelled, kTerminatedCancelled, {client(Kind::kReportTimeout)}},

      {kAccepted, E::kProvisional, kAccepted, {}},
      {kAccepted, E::kSuccess, kAccepted, {kPass}},
      {kAccepted, E::kFailure, kAccepted, {}},
      {kAccepted, E::kCancel, kAccepted, {}},
      {kAccepted, E::kTransportError, kAccepted, {}},
      {kAccepted, E::kTimerA, kAccepted, {}},
      {kAccepted, E::kTimerB, kAccepted, {}},
      {kAccepted, E::kTimerD, kAccepted, {}},
      {kAccepted, E::kTimerM, kTerminated, {}},
      {kAccepted, E::kTimerCancelled, kAccepted, {}},

      {kCompleted, E::kProvisional, kCompleted, {}},
      {kCompleted, E::kSuccess, kCompleted, {}},
      {kCompleted, E::kFailure, kCompleted, {kAck}},
      {kCompleted, E::kCancel, kCompleted, {}},
      {kCompleted, E::kTransportError, kTerminated, {client(Kind::kReportTransportError)}},
      {kCompleted, E::kTimerA, kCompleted, {}},
      {kCompleted, E::kTimerB, kCompleted, {}},
      {kCompleted, E::kTimerD, kTerminated, {}},
      {kCompleted, E::kTimerM, kCompleted, {}},
      {kCompleted, E::kTimerCancelled, kCompleted, {}},

      {kTerminated, E::kProvisional, kTerminated, {}},
      {kTerminated, E::kSuccess, kTerminated, {}},
      {kTerminated, E::kFailure, kTerminated, {}},
      {kTerminated, E::kCancel, kTerminated, {}},
      {kTerminated, E::kTransportError, kTerminated, {}},
      {kTerminated, E::kTimerA, kTerminated, {}},
      {kTerminated, E::kTimerB, kTerminated, {}},
      {kTerminated, E::kTimerD, kTerminated, {}},
      {kTerminated, E::kTimerM, kTerminated, {}},
      {kTerminated, E::kTimerCancelled, kTerminated, {}},
  };
}

TEST(Rfc3261InviteClient, EveryStateAndEventOverUdp) {
  auto table = common_rows();
  table.push_back({kCalling, E::kFailure, kCompleted, {kStop, kAck, kStartD, kPass}});
  table.push_back({kProceeding, E::kFailure, kCompleted, {kStop, kAck, kStartD, kPass}});
  table.push_back({kProceedingCancelled, E::kFailure, kCompletedCancelled, {kStop, kAck, kStartD, kPass}});
  expect_complete(table, 5, 10);
  check(table, udp(), decide);
}

TEST(Rfc3261InviteClient, EveryStateAndEventOverTcp) {
  auto table = common_rows();
  table.push_back({kCalling, E::kFailure, kTerminated, {kStop, kAck, kPass}});
  table.push_back({kProceeding, E::kFailure, kTerminated, {kStop, kAck, kPass}});
  expect_complete(table, 5, 10);
  check(table, tcp(), decide);
}

TEST(Rfc3261InviteClient, BeginsWithTimerAOnlyOverUdp) {
  const auto start_b = client_timer(TimerName::kB, k64T1);
  const auto start_a = client_timer(TimerName::kA, kT1);
  EXPECT_EQ(begin(udp()).next, kCalling);
  EXPECT_TRUE(begin(udp()).actions == (ActionList<ClientAction>{client(Kind::kSendRequest), start_b, start_a}));
  EXPECT_EQ(begin(tcp()).next, kCalling);
  EXPECT_TRUE(begin(tcp()).actions == (ActionList<ClientAction>{client(Kind::kSendRequest), start_b}));
}

TEST(Rfc3261InviteClient, SendsTheInviteSevenTimesIn32Seconds) {
  // 17.1.1.2: 500 ms doubled each time: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, and timer B at 32 s.
  State state = begin(udp()).next;
  Duration at = state.interval;
  std::vector<Duration> sent{Duration::zero()};
  while (at < k64T1) {
    sent.push_back(at);
    state = decide(state, E::kTimerA, udp()).next;
    at += state.interval;
  }
  EXPECT_EQ(sent, (std::vector<Duration>{milliseconds(0), milliseconds(500), milliseconds(1500), milliseconds(3500),
                                         milliseconds(7500), milliseconds(15500), milliseconds(31500)}));
}

}  // namespace ic

namespace nc {

using namespace non_invite_client;  // NOLINT: as above
using Kind = ClientAction::Kind;
using E = Event;

struct Row {
  State from;
  Event event;
  State next;
  ActionList<ClientAction> actions;
};

constexpr State kTrying{Phase::kTrying, kT1};
constexpr State kProceeding{Phase::kProceeding, kT1};
constexpr State kCompleted{Phase::kCompleted, kT1};
constexpr State kTerminated{Phase::kTerminated, kT1};

const ClientAction kStop = client(Kind::kStopTimers);
const ClientAction kPass = client(Kind::kPassResponse);
const ClientAction kResend = client(Kind::kResendRequest);

std::vector<Row> common_rows() {
  return {
      {kTrying, E::kProvisional, kProceeding, {kPass}},
      {kTrying, E::kTransportError, kTerminated, {client(Kind::kReportTransportError)}},
      {kTrying, E::kTimerE, {Phase::kTrying, 2 * kT1}, {kResend, client_timer(TimerName::kE, 2 * kT1)}},
      {{Phase::kTrying, milliseconds(3000)},
       E::kTimerE,
       {Phase::kTrying, kT2},
       {kResend, client_timer(TimerName::kE, kT2)}},
      {kTrying, E::kTimerF, kTerminated, {client(Kind::kReportTimeout)}},
      {kTrying, E::kTimerK, kTrying, {}},

      {kProceeding, E::kProvisional, kProceeding, {kPass}},
      {kProceeding, E::kTransportError, kTerminated, {client(Kind::kReportTransportError)}},
      {kProceeding, E::kTimerE, {Phase::kProceeding, kT2}, {kResend, client_timer(TimerName::kE, kT2)}},
      {kProceeding, E::kTimerF, kTerminated, {client(Kind::kReportTimeout)}},
      {kProceeding, E::kTimerK, kProceeding, {}},

      {kCompleted, E::kProvisional, kCompleted, {}},
      {kCompleted, E::kFinal, kCompleted, {}},
      {kCompleted, E::kTransportError, kCompleted, {}},
      {kCompleted, E::kTimerE, kCompleted, {}},
      {kCompleted, E::kTimerF, kCompleted, {}},
      {kCompleted, E::kTimerK, kTerminated, {}},

      {kTerminated, E::kProvisional, kTerminated, {}},
      {kTerminated, E::kFinal, kTerminated, {}},
      {kTerminated, E::kTransportError, kTerminated, {}},
      {kTerminated, E::kTimerE, kTerminated, {}},
      {kTerminated, E::kTimerF, kTerminated, {}},
      {kTerminated, E::kTimerK, kTerminated, {}},
  };
}

TEST(Rfc3261NonInviteClient, EveryStateAndEventOverUdp) {
  auto table = common_rows();
  table.push_back({kTrying, E::kFinal, kCompleted, {kStop, client_timer(TimerName::kK, kT4), kPass}});
  table.push_back({kProceeding, E::kFinal, kCompleted, {kStop, client_timer(TimerName::kK, kT4), kPass}});
  expect_complete(table, 4, 6);
  check(table, udp(), decide);
}

TEST(Rfc3261NonInviteClient, EveryStateAndEventOverTcp) {
  auto table = common_rows();
  table.push_back({kTrying, E::kFinal, kTerminated, {kStop, kPass}});
  table.push_back({kProceeding, E::kFinal, kTerminated, {kStop, kPass}});
  expect_complete(table, 4, 6);
  check(table, tcp(), decide);
}

TEST(Rfc3261NonInviteClient, BeginsWithTimerEOnlyOverUdp) {
  const auto start_f = client_timer(TimerName::kF, k64T1);
  const auto start_e = client_timer(TimerName::kE, kT1);
  EXPECT_TRUE(begin(udp()).actions == (ActionList<ClientAction>{client(Kind::kSendRequest), start_f, start_e}));
  EXPECT_TRUE(begin(tcp()).actions == (ActionList<ClientAction>{client(Kind::kSendRequest), start_f}));
}

TEST(Rfc3261NonInviteClient, SendsTheRequestElevenTimesIn32Seconds) {
  // 17.1.2.2: the intervals are 500 ms, 1 s, 2 s, 4 s, 4 s, ...
  State state = begin(udp()).next;
  Duration at = state.interval;
  int sent = 1;
  while (at < k64T1) {
    ++sent;
    state = decide(state, E::kTimerE, udp()).next;
    at += state.interval;
  }
  EXPECT_EQ(sent, 11);
  EXPECT_EQ(state.interval, kT2);
}

}  // namespace nc

namespace is {

using namespace invite_server;  // NOLINT: as above
using Kind = ServerAction::Kind;
using E = Event;

struct Row {
  State from;
  Event event;
  State next;
  ActionList<ServerAction> actions;
};

constexpr State kFresh{Phase::kProceeding, false, {}};
constexpr State kProceeding{Phase::kProceeding, true, {}};
constexpr State kAccepted{Phase::kAccepted, true, {}};
constexpr State kCompleted{Phase::kCompleted, true, kT1};
constexpr State kConfirmed{Phase::kConfirmed, true, kT1};
constexpr State kTerminated{Phase::kTerminated, true, kT1};

const ServerAction kStop = server(Kind::kStopTimers);
const ServerAction kSend = server(Kind::kSendResponse);
const ServerAction kResend = server(Kind::kResendResponse);
const ServerAction kTrying = server(Kind::kSendTrying);
const ServerAction kFailed = server(Kind::kReportTransportError);
const ServerAction kStartL = server_timer(TimerName::kL, k64T1);
const ServerAction kStartH = server_timer(TimerName::kH, k64T1);

std::vector<Row> common_rows() {
  return {
      {kFresh, E::kInvite, kProceeding, {kStop, kTrying}},
      {kProceeding, E::kInvite, kProceeding, {kResend}},
      {kFresh, E::kTimerTrying, kProceeding, {kStop, kTrying}},
      {kProceeding, E::kTimerTrying, kProceeding, {}},
      {kFresh, E::kSendProvisional, kProceeding, {kStop, kSend}},
      {kProceeding, E::kSendProvisional, kProceeding, {kStop, kSend}},
      {kProceeding, E::kSendSuccess, kAccepted, {kStop, kSend, kStartL}},
      {kProceeding, E::kAck, kProceeding, {}},
      {kProceeding, E::kTransportError, kProceeding, {kFailed}},
      {kProceeding, E::kTimerG, kProceeding, {}},
      {kProceeding, E::kTimerH, kProceeding, {}},
      {kProceeding, E::kTimerI, kProceeding, {}},
      {kProceeding, E::kTimerL, kProceeding, {}},

      {kAccepted, E::kInvite, kAccepted, {}},
      {kAccepted, E::kAck, kAccepted, {server(Kind::kPassAck)}},
      {kAccepted, E::kSendProvisional, kAccepted, {}},
      {kAccepted, E::kSendSuccess, kAccepted, {kSend}},
      {kAccepted, E::kSendFailure, kAccepted, {}},
      {kAccepted, E::kTransportError, kAccepted, {kFailed}},
      {kAccepted, E::kTimerTrying, kAccepted, {}},
      {kAccepted, E::kTimerG, kAccepted, {}},
      {kAccepted, E::kTimerH, kAccepted, {}},
      {kAccepted, E::kTimerI, kAccepted, {}},
      {kAccepted, E::kTimerL, {Phase::kTerminated, true, {}}, {}},

      {kCompleted, E::kInvite, kCompleted, {kResend}},
      {kCompleted, E::kSendProvisional, kCompleted, {}},
      {kCompleted, E::kSendSuccess, kCompleted, {}},
      {kCompleted, E::kSendFailure, kCompleted, {}},
      {kCompleted, E::kTransportError, kCompleted, {kFailed}},
      {kCompleted, E::kTimerTrying, kCompleted, {}},
      {kCompleted, E::kTimerG, {Phase::kCompleted, true, 2 * kT1}, {kResend, server_timer(TimerName::kG, 2 * kT1)}},
      {{Phase::kCompleted, true, milliseconds(3000)},
       E::kTimerG,
       {Phase::kCompleted, true, kT2},
       {kResend, server_timer(TimerName::kG, kT2)}},
      {kCompleted, E::kTimerH, kTerminated, {server(Kind::kReportNoAck)}},
      {kCompleted, E::kTimerI, kCompleted, {}},
      {kCompleted, E::kTimerL, kCompleted, {}},

      {kConfirmed, E::kInvite, kConfirmed, {}},
      {kConfirmed, E::kAck, kConfirmed, {}},
      {kConfirmed, E::kSendProvisional, kConfirmed, {}},
      {kConfirmed, E::kSendSuccess, kConfirmed, {}},
      {kConfirmed, E::kSendFailure, kConfirmed, {}},
      {kConfirmed, E::kTransportError, kConfirmed, {}},
      {kConfirmed, E::kTimerTrying, kConfirmed, {}},
      {kConfirmed, E::kTimerG, kConfirmed, {}},
      {kConfirmed, E::kTimerH, kConfirmed, {}},
      {kConfirmed, E::kTimerI, kTerminated, {}},
      {kConfirmed, E::kTimerL, kConfirmed, {}},

      {kTerminated, E::kInvite, kTerminated, {}},
      {kTerminated, E::kAck, kTerminated, {}},
      {kTerminated, E::kSendProvisional, kTerminated, {}},
      {kTerminated, E::kSendSuccess, kTerminated, {}},
      {kTerminated, E::kSendFailure, kTerminated, {}},
      {kTerminated, E::kTransportError, kTerminated, {}},
      {kTerminated, E::kTimerTrying, kTerminated, {}},
      {kTerminated, E::kTimerG, kTerminated, {}},
      {kTerminated, E::kTimerH, kTerminated, {}},
      {kTerminated, E::kTimerI, kTerminated, {}},
      {kTerminated, E::kTimerL, kTerminated, {}},
  };
}

TEST(Rfc3261InviteServer, EveryStateAndEventOverUdp) {
  auto table = common_rows();
  table.push_back(
      {kProceeding, E::kSendFailure, kCompleted, {kStop, kSend, kStartH, server_timer(TimerName::kG, kT1)}});
  table.push_back({kCompleted, E::kAck, kConfirmed, {kStop, server_timer(TimerName::kI, kT4)}});
  expect_complete(table, 5, 11);
  check(table, udp(), decide);
}

TEST(Rfc3261InviteServer, EveryStateAndEventOverTcp) {
  auto table = common_rows();
  table.push_back({kProceeding, E::kSendFailure, kCompleted, {kStop, kSend, kStartH}});
  table.push_back({kCompleted, E::kAck, kTerminated, {kStop}});
  expect_complete(table, 5, 11);
  check(table, tcp(), decide);
}

TEST(Rfc3261InviteServer, BeginsWithTheRequestForTheTuAnd200MillisecondsForItsAnswer) {
  const auto decision = begin(udp());
  EXPECT_EQ(decision.next, kFresh);
  EXPECT_TRUE(decision.actions == (ActionList<ServerAction>{server_timer(TimerName::kTrying, milliseconds(200)),
                                                            server(Kind::kPassRequest)}));
}

}  // namespace is

namespace ns {

using namespace non_invite_server;  // NOLINT: as above
using Kind = ServerAction::Kind;
using E = Event;

struct Row {
  State from;
  Event event;
  State next;
  ActionList<ServerAction> actions;
};

constexpr State kTrying{Phase::kTrying};
constexpr State kProceeding{Phase::kProceeding};
constexpr State kCompleted{Phase::kCompleted};
constexpr State kTerminated{Phase::kTerminated};

const ServerAction kSend = server(Kind::kSendResponse);
const ServerAction kResend = server(Kind::kResendResponse);
const ServerAction kFailed = server(Kind::kReportTransportError);

std::vector<Row> common_rows() {
  return {
      {kTrying, E::kRequest, kTrying, {}},
      {kTrying, E::kSendProvisional, kProceeding, {kSend}},
      {kTrying, E::kTransportError, kTrying, {}},
      {kTrying, E::kTimerJ, kTrying, {}},

      {kProceeding, E::kRequest, kProceeding, {kResend}},
      {kProceeding, E::kSendProvisional, kProceeding, {kSend}},
      {kProceeding, E::kTransportError, kProceeding, {kFailed}},
      {kProceeding, E::kTimerJ, kProceeding, {}},

      {kCompleted, E::kRequest, kCompleted, {kResend}},
      {kCompleted, E::kSendProvisional, kCompleted, {}},
      {kCompleted, E::kSendFinal, kCompleted, {}},
      {kCompleted, E::kTransportError, kCompleted, {kFailed}},
      {kCompleted, E::kTimerJ, kTerminated, {}},

      {kTerminated, E::kRequest, kTerminated, {}},
      {kTerminated, E::kSendProvisional, kTerminated, {}},
      {kTerminated, E::kSendFinal, kTerminated, {}},
      {kTerminated, E::kTransportError, kTerminated, {}},
      {kTerminated, E::kTimerJ, kTerminated, {}},
  };
}

TEST(Rfc3261NonInviteServer, EveryStateAndEventOverUdp) {
  auto table = common_rows();
  table.push_back({kTrying, E::kSendFinal, kCompleted, {kSend, server_timer(TimerName::kJ, k64T1)}});
  table.push_back({kProceeding, E::kSendFinal, kCompleted, {kSend, server_timer(TimerName::kJ, k64T1)}});
  expect_complete(table, 4, 5);
  check(table, udp(), decide);
}

TEST(Rfc3261NonInviteServer, EveryStateAndEventOverTcp) {
  auto table = common_rows();
  table.push_back({kTrying, E::kSendFinal, kTerminated, {kSend}});
  table.push_back({kProceeding, E::kSendFinal, kTerminated, {kSend}});
  expect_complete(table, 4, 5);
  check(table, tcp(), decide);
}

TEST(Rfc3261NonInviteServer, BeginsWithTheRequestForTheTu) {
  EXPECT_EQ(begin().next, kTrying);
  EXPECT_TRUE(begin().actions == (ActionList<ServerAction>{server(Kind::kPassRequest)}));
}

}  // namespace ns

TEST(Rfc3261Timers, HaveTheValuesOfTable4) {
  EXPECT_EQ(udp().a(), kT1);
  EXPECT_EQ(udp().b(), k64T1);
  EXPECT_EQ(udp().d(), milliseconds(32000));
  EXPECT_EQ(udp().e(), kT1);
  EXPECT_EQ(udp().f(), k64T1);
  EXPECT_EQ(udp().g(), kT1);
  EXPECT_EQ(udp().h(), k64T1);
  EXPECT_EQ(udp().i(), kT4);
  EXPECT_EQ(udp().j(), k64T1);
  EXPECT_EQ(udp().k(), kT4);
  EXPECT_EQ(udp().l(), k64T1);
  EXPECT_EQ(udp().m(), k64T1);
  for (const Duration zero : {tcp().d(), tcp().i(), tcp().j(), tcp().k()}) EXPECT_EQ(zero, Duration::zero());
  EXPECT_EQ(tcp().h(), k64T1);
  EXPECT_EQ(tcp().l(), k64T1);
  EXPECT_EQ(tcp().m(), k64T1);
}

}  // namespace
}  // namespace callpark::sip
